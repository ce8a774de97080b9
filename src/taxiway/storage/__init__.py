"""The database, the one way to change it, and content-addressed blobs."""
