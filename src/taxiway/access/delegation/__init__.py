"""Acting in the role of somebody else, for them, in one project, until a date."""
