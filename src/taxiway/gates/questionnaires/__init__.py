"""Questionnaires: what only people can say of a model, asked in a fixed version, answered typed, and kept for good."""
