"""The pages of the floors below and of everything at once: signing in, the account, audit, lineage, search, docs."""
