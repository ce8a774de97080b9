"""`taxiway init`: a working project to begin from, written into a folder."""
