"""The inference log: what was answered, written ahead of the answer, and what turned out to be true."""
