"""Looking through a bundle's files without running any of them."""
