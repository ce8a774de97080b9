"""Discussions: what people say to each other about a thing, and whom they ask to look at it."""
