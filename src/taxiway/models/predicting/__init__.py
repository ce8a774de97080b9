"""Rows in, answers out: what a model takes and gives, and the port behind which any technology answers."""
