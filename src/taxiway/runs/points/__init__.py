"""What runs log, stored for good: batches into the open tail, the tail into segments, and both read as one."""
