"""What a stranger can verify: signed statements of who found, allowed or did what to which bytes."""
