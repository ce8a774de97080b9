"""The gateway, a process of its own: it answers by signed configuration, whether or not a server runs."""
