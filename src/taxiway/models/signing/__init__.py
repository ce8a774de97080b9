"""Who vouches for a version: signatures over its files, and the statements that the server signs."""
