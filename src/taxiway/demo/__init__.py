"""The two stories of `taxiway demo`: mortgage approvals and flight delays, on real data."""
