"""A past run once more: restored, rebuilt, executed, and held against the first."""
