"""How versions come: from where, made of what, with which evaluation, and those that wait for their number."""
