"""Whether a bundle would pass a path: asked of the platform, or of a dossier where there is none."""
