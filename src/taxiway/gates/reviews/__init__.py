"""Models in use and their clocks: who looks at them again, and when."""
