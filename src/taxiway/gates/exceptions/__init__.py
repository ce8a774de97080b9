"""Going on without an open gate: waivers, conditional approvals and broken glass, each with a name and an end."""
