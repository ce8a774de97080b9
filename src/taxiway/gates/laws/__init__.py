"""What gates decide by: estimates and their intervals, verdicts on them, groups, and who counts once. Pure."""
