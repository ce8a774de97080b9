"""Use cases: who owns them, what they are for, how risky they are, and where on their way they stand."""
