"""From a text to the runs that it finds: the filter's language, its conditions as SQL, orders and pages."""
