"""What callers of MLflow's scoring server and of SageMaker speak: one handler at `/invocations` and `/ping`."""
