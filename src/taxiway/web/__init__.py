"""Pages and the HTTP edge: the one place that knows the web framework and the templates."""
