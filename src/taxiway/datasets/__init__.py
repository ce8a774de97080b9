"""Versioned tables: their bytes, schema and profile, and the contract that their rows must fulfil."""
