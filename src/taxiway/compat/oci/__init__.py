"""Bundles in OCI registries, with what was found and approved as referrers, so that any cluster can ask for them."""
