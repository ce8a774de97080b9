"""Versions and endpoints written as other platforms run them, with the same server inside."""
