"""The ground floor: errors, endpoints, ids, clock, settings, transport. Knows no noun and no framework."""
