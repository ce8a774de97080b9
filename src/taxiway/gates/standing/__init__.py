"""Where a version stands: its evidence looked up or asked for, what still keeps it, and whom it waits for."""
