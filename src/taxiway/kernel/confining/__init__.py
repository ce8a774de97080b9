"""What Linux lets a process give up for good: files, calls, its user. For code that came with a model."""
