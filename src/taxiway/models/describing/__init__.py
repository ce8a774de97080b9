"""What is said of versions: their cards, what differs between them, and what people see."""
