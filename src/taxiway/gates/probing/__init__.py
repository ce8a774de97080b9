"""Asking a loaded model many things: how fast it is, what it takes, what it leans on, what moves its answers."""
