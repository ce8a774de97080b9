"""Runs as other systems know them: their times, names, files and whole histories."""
