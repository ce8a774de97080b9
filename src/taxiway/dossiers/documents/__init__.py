"""Documents for people, made from records: the technical documentation of a version, and its card."""
