"""What people see of an endpoint: its traffic, the story of a prediction, a form to try it, code to call it."""
