"""Paths, checks, evidence and approvals: what a version must show before it may go on."""
