"""The shapes of the verdicts, the same in figures, tables and badges: never a colour alone."""

from taxiway.web.figures.svg import Svg, group, tag

WORDS = {
    "pass": "pass",
    "inconclusive": "inconclusive",
    "fail": "fail",
    "missing": "missing",
    "waiting": "waiting",
    "waived": "waived",
}
_SHAPES = {
    "pass": tag("circle", r=5, class_="mark-fill"),
    "inconclusive": tag("path", d="M0 -5.6L6 4.8H-6Z", class_="mark-fill"),
    "fail": tag("path", d="M-4.8 -4.8H4.8V4.8H-4.8Z", class_="mark-fill"),
    "missing": tag("circle", r=4.5, class_="mark-dashed"),
    "waived": tag("circle", r=4.5, class_="mark-open") + tag("path", d="M-3.2 3.2L3.2 -3.2", class_="mark-open"),
}


def verdict_word(verdict: str) -> str:
    """The word for a verdict; one we do not know is shown as it is."""
    return WORDS.get(verdict, verdict)


def shape(verdict: str, x: float, y: float, scale: float = 1.0) -> Svg:
    """The verdict's mark centred at x, y; 12 px wide at scale 1. An unknown verdict is drawn as missing."""
    known = verdict if verdict in _SHAPES else "missing"
    size = f" scale({scale:g})" if scale != 1 else ""
    return group(Svg(_SHAPES[known]), class_=f"mark verdict-{known}", transform=f"translate({x:.2f} {y:.2f}){size}")


def mark(verdict: str) -> Svg:
    """The verdict's mark as a small picture to stand beside its word."""
    return tag("svg", shape(verdict, 7, 7), viewBox="0 0 14 14", class_="mark-icon", aria_hidden="true")
