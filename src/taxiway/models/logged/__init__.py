"""Logged models: what a run made, file by file, before anything of it is registered under a name."""
