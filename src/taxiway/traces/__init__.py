"""What programs tell of one request through them: traces of spans, tags, remarks on their quality, and files."""
