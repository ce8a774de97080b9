"""Paths: how their text is read, what of them is published for good, and which of them a project follows."""
