"""Registered models, their immutable versions (bundles), aliases and cards."""
