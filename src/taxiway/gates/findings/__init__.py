"""Findings: what is wrong with a thing, who mends it until when, and whether it blocks."""
