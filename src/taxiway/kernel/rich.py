"""What a notebook shows of a thing: tables, small figures and links, as HTML without a script or a style sheet."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from html import escape
from typing import Any

from msgspec import Struct

from taxiway.kernel.show import cell
from taxiway.kernel.thing import href

MOST_ROWS = 200
WIDTH, HEIGHT = 160, 18
MARKS = {"pass": "●", "inconclusive": "▲", "fail": "■", "missing": "◌", "waived": "⊘"}

servers: list[str] = []  # the address of the server that was connected to last; a home has none


class Link(Struct, frozen=True):
    """A text that leads to the page of a thing, such as ``run:…``, where a server is known."""

    text: str
    ref: str


class Figure(Struct, frozen=True):
    """A drawing, as SVG."""

    svg: str


def connected_to(url: str) -> None:
    """From now on links lead there."""
    servers[:] = [url]


def card(title: str, ref: str, *parts: str) -> str:
    """A thing with its name, which leads to its page, and what there is to say of it."""
    body = "".join(part for part in parts if part)
    return f'<div class="taxiway"><p><strong>{said(Link(title, ref) if ref else title)}</strong></p>{body}</div>'


def sentence(text: str) -> str:
    return f"<p>{escape(text)}</p>" if text else ""


def facts(pairs: Iterable[tuple[str, Any]]) -> str:
    """Names and values; what is empty is left out."""
    rows = [(name, value) for name, value in pairs if value not in (None, "", [], {})]
    lines = "".join(f"<tr>{head(name, 'row')}<td{LEFT}>{said(value)}</td></tr>" for name, value in rows)
    return f"<table><tbody>{lines}</tbody></table>" if lines else ""


def grid(caption: str, heads: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    """Rows under their headings; at most two hundred are shown, and how many more there are is said."""
    if not rows:
        return ""
    lines = "".join(f"<tr>{''.join(data(value) for value in row)}</tr>" for row in rows[:MOST_ROWS])
    more = sentence(f"and {len(rows) - MOST_ROWS:,} more") if len(rows) > MOST_ROWS else ""
    top = "".join(head(name, "col") for name in heads)
    body = f"<thead><tr>{top}</tr></thead><tbody>{lines}</tbody>"
    return f"<table><caption{LEFT}>{escape(caption)}</caption>{body}</table>{more}"


LEFT = ' style="text-align:left"'


def head(name: str, scope: str) -> str:
    return f'<th scope="{scope}"{LEFT}>{escape(name)}</th>'


def data(value: Any) -> str:
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return f"<td>{said(value)}</td>" if is_number else f"<td{LEFT}>{said(value)}</td>"


def said(value: Any) -> str:
    """A value as HTML; its text is never markup."""
    match value:
        case Link() if servers:
            return f'<a href="{escape(servers[0] + href(value.ref))}" rel="noopener">{escape(value.text)}</a>'
        case Link():
            return escape(value.text)
        case Figure():
            return value.svg
    return escape(cell(value))


def bar(value: Any, largest: float) -> Figure | str:
    """A bar as long as the value is large beside the largest; nothing for what is no finite number."""
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value) or largest <= 0:
        return ""
    length = abs(value) / largest * WIDTH
    shape = f'<rect x="0" y="4" width="{length:.1f}" height="10" fill="currentColor" opacity="0.5"/>'
    return Figure(drawing(cell(value), shape))


def interval(low: float, value: float, high: float, *, asked: float | None) -> Figure:
    """An interval with its value as a dot, and what is asked as a line across."""
    marks = [low, value, high, *([asked] if asked is not None else [])]
    least, spread = min(marks), (max(marks) - min(marks)) or 1.0

    def at(x: float) -> float:
        return 6 + (x - least) / spread * (WIDTH - 12)

    shapes = f'<line x1="{at(low):.1f}" y1="9" x2="{at(high):.1f}" y2="9" stroke="currentColor" stroke-width="2"/>'
    shapes += f'<circle cx="{at(value):.1f}" cy="9" r="4" fill="currentColor"/>'
    words = f"{value:.4g} from {low:.4g} to {high:.4g}"
    if asked is not None:
        line = f'x1="{at(asked):.1f}" y1="1" x2="{at(asked):.1f}" y2="17"'
        shapes += f'<line {line} stroke="currentColor" stroke-dasharray="3 2"/>'
        words += f", asked {asked:.4g}"
    return Figure(drawing(words, shapes))


def drawing(words: str, shapes: str) -> str:
    size = f'viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}"'
    label = escape(words)
    body = f"<title>{label}</title>{shapes}"
    return f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img" aria-label="{label}">{body}</svg>'
