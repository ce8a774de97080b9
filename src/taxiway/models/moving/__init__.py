"""How versions move from stage to stage: through the guard, with their aliases, and told to whoever listens."""
