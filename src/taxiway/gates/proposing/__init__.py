"""Changes of paths, proposed by one person and accepted by another."""
