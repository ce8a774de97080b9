"""Heads of the audit log kept where the platform itself cannot take them back: a file, a git repository, an address."""
