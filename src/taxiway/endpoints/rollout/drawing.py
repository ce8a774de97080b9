"""The bar of an endpoint's traffic: one stretch for each revision, as wide as its share."""

from __future__ import annotations

from msgspec import Struct

from taxiway.endpoints.rollout.split import Share
from taxiway.web.figures.axes import series_class
from taxiway.web.figures.svg import Numbers, Sheet, Svg, group, label, linked, sheet, shorten, tag, text_width

TOP, HIGH, UNDER = 4.0, 26.0, 18.0


class TrafficBar(Struct, frozen=True, kw_only=True):
    """Shares of requests that sum to 100. names: of what each revision runs, such as "mortgage v3"."""

    title: str
    shares: tuple[Share, ...]
    names: dict[int, str]

    def draw(self, width: int = 720) -> Svg:
        parts, left = [], 0.0
        for index, share in enumerate(self.shown()):
            wide = width * share.percent / 100
            bar = tag("rect", x=left, y=TOP, width=max(wide - 2, 1), height=HIGH, class_="bar")
            told = self.says(share)
            parts.append(group(linked(bar, "", told), class_=series_class(index)))
            parts += self.under(share, left, wide, width)
            left += wide
        paper = Sheet(title=self.title, words=self.words(), width=width, height=TOP + HIGH + UNDER, kind="traffic")
        return sheet(paper, *parts)

    def under(self, share: Share, left: float, wide: float, width: int) -> list[Svg]:
        """The name under a stretch, as far as there is room for it."""
        text = f"{share.percent:g} % revision {share.revision}"
        if text_width(text) > wide:
            text = f"{share.percent:g} %"
        if text_width(text) > wide and left + text_width(text) > width:
            return [label(shorten(text, wide), width, TOP + HIGH + 15, anchor="end")]
        return [label(text, left, TOP + HIGH + 15)] if text_width(text) <= wide or wide > 24 else []

    def shown(self) -> list[Share]:
        return [share for share in self.shares if share.percent > 0]

    def says(self, share: Share) -> str:
        return f"revision {share.revision}, {self.names.get(share.revision, '')}: {share.percent:g} % of requests"

    def words(self) -> str:
        return "; ".join(map(self.says, self.shown())) + "."

    def numbers(self) -> Numbers:
        rows = tuple((str(s.revision), self.names.get(s.revision, ""), f"{s.percent:g} %") for s in self.shares)
        return Numbers(("revision", "runs", "of requests"), rows)
