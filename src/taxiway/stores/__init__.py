"""Places outside the home that an admin allowed: files there stay where they are, and are read beneath them alone."""
