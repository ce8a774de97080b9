"""How fast everything comes over from an MLflow: `make bench-import`."""
