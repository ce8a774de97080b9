"""What happens to models in production: windows of traffic, drift, late labels, alerts."""
