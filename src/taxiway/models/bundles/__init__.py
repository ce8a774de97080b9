"""Bundles: what a version is on disk, what else lies in its folder, and where the folders stand."""
