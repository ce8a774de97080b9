"""Endpoints that answer elsewhere: registered through the same gates, their logs fed in."""
