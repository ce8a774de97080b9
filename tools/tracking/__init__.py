"""Tracking held against MLflow's own server, in one run: `python -m tools.tracking`."""
