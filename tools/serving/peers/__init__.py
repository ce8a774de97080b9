"""What other servers run: each file is read by its own environment's interpreter, and imports nothing of ours."""
