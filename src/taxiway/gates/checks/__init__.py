"""The checks that gates ask, one file for each, and the register of those there are."""
