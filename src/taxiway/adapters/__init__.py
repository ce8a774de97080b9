"""One file per technology, each behind a port of the house."""
