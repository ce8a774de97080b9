"""Who can approve, told before the work starts: and why each other person cannot."""
