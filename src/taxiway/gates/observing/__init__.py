"""What gates that observe or warn would have stopped."""
