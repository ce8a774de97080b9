"""What a run started from, found out without asking, and without its secrets."""
