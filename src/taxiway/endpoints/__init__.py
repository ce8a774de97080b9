"""Served models. The control plane is in the usual files; the data plane is `gateway` and `worker`."""
