"""What other platforms captured of their endpoints, read into records: SageMaker's and Azure ML's lines. Pure."""
