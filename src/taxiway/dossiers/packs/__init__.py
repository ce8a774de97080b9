"""Control packs: frameworks as data, and which records of a version are evidence for which of their clauses."""
