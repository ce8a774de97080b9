"""Hooks: addresses outside that are told what happened here."""
