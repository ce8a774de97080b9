"""Canaries: a new version answers a share of the requests, held against the old one row by row until it shows."""
