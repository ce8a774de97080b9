"""People from an identity provider: who they are here, which roles their groups give, how their sessions end."""
