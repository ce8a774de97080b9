"""Tokens for terminals: a browser that is signed in says yes, and the terminal that asked gets one."""
