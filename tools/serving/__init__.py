"""Serving held against other servers, in one run: `python -m tools.serving`."""
