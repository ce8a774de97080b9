"""A worker: one process, one verified model; what the gateway and it say to each other."""
