"""What a new path would change, before it is published."""
