"""Dialects of other systems, each a translation onto our own services: no second store, no second rule."""
