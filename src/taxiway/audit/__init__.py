"""Every change, append-only, in a Merkle tree that shows edits, deletions, truncation and forks."""
