"""Taking runs away, back, and for good."""
