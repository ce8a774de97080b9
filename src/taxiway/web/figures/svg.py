"""SVG as text: escaped elements, the sheet every figure is drawn on, and what a figure must offer."""

import re
from html import escape
from importlib.resources import files
from typing import Protocol

from msgspec import Struct

type_size = 12  # px, the size of text in figures; titles are HTML
MARGIN = 12  # px around a figure that is a file of its own
Attribute = str | float | None


class Svg(str):
    """Finished SVG text. Templates insert it as it is, notebooks show it as a picture."""

    __slots__ = ()

    def __html__(self) -> str:
        return str(self)

    def _repr_svg_(self) -> str:
        return standalone(self)


class Numbers(Struct, frozen=True):
    """What a figure shows, as a table: for screen readers, for copying, for those who want the digits."""

    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


class Figure(Protocol):
    """What `parts.figure` asks of a figure."""

    @property
    def title(self) -> str: ...

    def draw(self, width: int = 720) -> Svg:
        """The picture, `width` px wide; it lays itself out anew for a phone's width."""

    def words(self) -> str:
        """One or two sentences that say what the picture shows."""

    def numbers(self) -> Numbers: ...


class Sheet(Struct, frozen=True, kw_only=True):
    """The paper of one figure. A figure with links is a group: a picture may not hold links."""

    title: str
    words: str
    width: float
    height: float
    kind: str
    has_links: bool = False
    is_fixed: bool = False  # keeps its size and scrolls in its box, instead of shrinking


def plain(value: float) -> str:
    """A coordinate with at most two decimals, without a trailing zero."""
    text = f"{value:.2f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def tag(name: str, *children: str, **attributes: Attribute) -> Svg:
    """One element. `Svg` children stand as they are, other text is escaped; None leaves an attribute out.

    >>> tag("text", "a < b", x=1.50, class_="tick", text_anchor="end")
    '<text x="1.5" class="tick" text-anchor="end">a &lt; b</text>'
    """
    written = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{escape(value if isinstance(value, str) else plain(value))}"'
        for key, value in attributes.items()
        if value is not None
    )
    inside = "".join(child if isinstance(child, Svg) else escape(child, quote=False) for child in children)
    return Svg(f"<{name}{written}>{inside}</{name}>" if inside else f"<{name}{written}/>")


def group(*children: str, **attributes: Attribute) -> Svg:
    return tag("g", *children, **attributes)


def line(start: tuple[float, float], end: tuple[float, float], class_: str) -> Svg:
    return tag("line", x1=start[0], y1=start[1], x2=end[0], y2=end[1], class_=class_)


def label(text: str, x: float, y: float, class_: str = "label", anchor: str | None = None) -> Svg:
    """Text whose baseline starts (or ends, or is centred) at x, y."""
    return tag("text", text, x=x, y=y, class_=class_, text_anchor=anchor)


def linked(content: Svg, url: str, says: str) -> Svg:
    """The content with a hover text, and as a link when there is somewhere to go."""
    if url:
        return tag("a", tag("title", says), content, href=url, class_="hot", aria_label=says)
    return tag("g", tag("title", says), content, class_="hot")


def sheet(paper: Sheet, *parts: str) -> Svg:
    """The whole figure: a named picture with its description, scaling by its view box."""
    kind = f"figure-svg {paper.kind}" + (" is-fixed" if paper.is_fixed else "")
    return tag(
        "svg",
        tag("title", paper.title),
        tag("desc", paper.words),
        *parts,
        xmlns="http://www.w3.org/2000/svg",
        viewBox=f"0 0 {plain(paper.width)} {plain(paper.height)}",
        width=paper.width,
        height=paper.height,
        class_=kind,
        role="group" if paper.has_links else "img",
    )


def standalone(drawing: str) -> str:
    """The figure with its colours, its ground and a margin, for files and notebooks without a stylesheet of ours."""
    static = files("taxiway.web") / "static"
    style = "".join((static / name).read_text("utf-8") for name in ("tokens.css", "figures.css"))
    head, _, rest = drawing.partition("<desc")
    described, end, shapes = rest.partition("/>" if rest.startswith("/>") else "</desc>")
    ground = tag("rect", x=-MARGIN, y=-MARGIN, width="100%", height="100%", class_="ground")
    return f"{with_margin(head)}<style>{escape(style, quote=False)}</style><desc{described}{end}{ground}{shapes}"


def with_margin(head: str) -> str:
    """The opening of a figure's SVG with `MARGIN` more on every side."""
    found = re.search(r'viewBox="0 0 ([\d.]+) ([\d.]+)" width="[\d.]+" height="[\d.]+"', head)
    if found is None:
        return head
    width, height = (plain(float(size) + 2 * MARGIN) for size in found.groups())
    box = f'viewBox="-{MARGIN} -{MARGIN} {width} {height}" width="{width}" height="{height}"'
    return head.replace(found[0], box, 1)


def text_width(text: str, size: float = type_size) -> float:
    """About how wide the text will be, in px: there is no font to measure, so a little too much."""
    narrow = sum(1 for letter in text if letter in "iljtf.,:;|!'()[] ")
    broad = sum(1 for letter in text if letter in "mwMW%@")
    return size * (0.6 * (len(text) - narrow - broad) + 0.34 * narrow + 0.95 * broad)


def shorten(text: str, room: float, size: float = type_size) -> str:
    """The text, or as much of it as fits into `room` px with an ellipsis."""
    if text_width(text, size) <= room:
        return text
    kept = text
    while kept and text_width(kept + "…", size) > room:
        kept = kept[:-1]
    return kept.rstrip() + "…"
