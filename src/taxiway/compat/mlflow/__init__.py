"""MLflow's REST dialect, so that its unmodified client works against this server."""
