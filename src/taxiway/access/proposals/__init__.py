"""What gives power and waits for the word of a second admin, and how roles are put into the books."""
