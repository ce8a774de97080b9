"""Logging what a library trains without a line in the script."""
