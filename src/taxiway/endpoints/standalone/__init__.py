"""One verified bundle served on its own, where another platform runs the image: no server, no database, no home."""
