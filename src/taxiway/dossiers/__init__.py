"""One file per model version that shows a stranger why it was let through, and verifies without Taxiway."""
