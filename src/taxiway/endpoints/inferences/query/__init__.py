"""Questions to an inference log."""
