"""What becomes of a log's files: sealed, merged, linked, and one day removed."""
