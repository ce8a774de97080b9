"""Documents and coverage as one HTML file each: no scripts, nothing fetched, and a style for paper."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cache
from importlib.resources import files

from jinja2 import Environment, PackageLoader, PrefixLoader, StrictUndefined
from markupsafe import Markup

from taxiway.dossiers.documents.contract import Document, Interval
from taxiway.dossiers.documents.words import clause_name, mark_of, source_words, state_word, sums, tally
from taxiway.dossiers.packs.contract import Coverage
from taxiway.web.figures.forest import Check, ForestPlot

FILTERS = {
    "state_word": state_word,
    "state_mark": mark_of,
    "source_words": source_words,
    "clause_name": clause_name,
    "columns_of": lambda things: [("", thing.partition(":")[2]) for thing in things],
}
WIDTH = 720


def drawn(intervals: Sequence[Interval]) -> Markup:
    """The figure of some intervals."""
    checks = tuple(
        Check(
            name=each.name,
            verdict=each.verdict,
            estimate=known(each.value),
            low=known(each.low),
            high=known(each.high),
            threshold=known(each.asked),
            asks="at most" if each.direction == "at_most" else "at least",
        )
        for each in intervals
    )
    return Markup(ForestPlot(title="Measured, with intervals", checks=checks).draw(WIDTH))  # noqa: S704  # SVG of ours


def known(value: float | None) -> float:
    return math.nan if value is None else value


def document_html(document: Document) -> bytes:
    return render("paper_document.html", document=document, answer=sums(document))


def coverage_html(coverage: Coverage) -> bytes:
    return render("paper_coverage.html", coverage=coverage, answer=tally(coverage))


def render(template: str, **values: object) -> bytes:
    return environment().get_template(f"dossiers/{template}").render(style=Markup(style()), **values).encode()  # noqa: S704


@cache
def environment() -> Environment:
    loader = PrefixLoader({"dossiers": PackageLoader("taxiway.dossiers")})
    made = Environment(loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    made.filters.update(FILTERS)
    made.globals["drawn"] = drawn
    return made


@cache
def style() -> str:
    """The colours and figures of pages, and what paper needs."""
    static = files("taxiway.web") / "static"
    own = files("taxiway.dossiers.documents") / "paper.css"
    return "\n".join(
        [
            *((static / name).read_text("utf-8") for name in ("tokens.css", "figures.css", "papers.css")),
            own.read_text("utf-8"),
        ]
    )
