"""What people see of gates: figures, pictures, versions side by side, and the words that a page opens with."""
