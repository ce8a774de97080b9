"""Experiments and runs: what was tried, with which parameters, what was measured, and what it left behind."""
