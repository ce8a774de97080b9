"""What canaries showed of a version before the endpoint that it is to answer for: kept beside its other evidence."""
