"""Figures as SVG text, drawn from plain numbers; pages, evidence, notebooks and reports share them.

Nothing here needs a library or a clock: the same numbers give the same bytes.
"""
