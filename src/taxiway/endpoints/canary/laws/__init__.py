"""The statistics of a canary: what a cluster tells, how sure one may be at each look, and what follows. Pure."""
