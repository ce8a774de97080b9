"""Notices: what waits for each person and what they should know, in one inbox, and by e-mail for who wants that."""
