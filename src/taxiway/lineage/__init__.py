"""Edges between any two things, and the walk over them."""
