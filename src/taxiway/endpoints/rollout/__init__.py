"""Changing what runs: how traffic is divided, what a shadow is compared by, when a revision gives its traffic back."""
