"""Batch scoring: a file of rows answered by a version, by the same load, check and predictor as online."""
