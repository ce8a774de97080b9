"""Moving to Taxiway from an MLflow, and back: every kind of store it keeps things in, read as it is."""
