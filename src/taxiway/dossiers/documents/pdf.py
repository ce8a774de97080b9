"""Documents and coverage as PDF: text that can be searched and copied, tables, numbered pages, the same bytes again.

Fonts are those of the extra `pdf`; fpdf2 is imported only where a PDF is asked for.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from taxiway.dossiers.documents.contract import Document, Grid, Interval, NoPdf, Said
from taxiway.dossiers.documents.words import clause_name, source_words, state_word, sums, tally
from taxiway.dossiers.packs.contract import Coverage

if TYPE_CHECKING:
    from taxiway.dossiers.documents.sheets import Paper

FONTS = "font_source_sans_pro"
STAMP = "%Y-%m-%d %H:%M:%S UTC"


def document_pdf(document: Document) -> bytes:
    """Raises NoPdf."""
    name = document.thing.partition(":")[2]
    paper = open_paper(f"{document.title}: {name}")
    paper.set_creation_date(document.as_of)
    paper.title_lines(f"{document.title}: {name}", sums(document), document.about)
    asked = f"{document.name}, version {document.version}, {document.mapping}"
    paper.facts(
        [
            ("Project", document.project),
            ("Bundle", document.bundle or "none"),
            ("Newest record", document.as_of.strftime(STAMP)),
            ("Questions", asked),
        ]
    )
    for section in document.sections:
        paper.heading(f"{section.id} {section.title}" if section.id.isdigit() else section.title)
        for field in section.fields:
            paper.question(field.title, field.asks, field.state, state_word(field.state))
            for said in field.said:
                put(paper, said)
            if field.state == "missing":
                lacks = f": {field.lacks}" if field.lacks else ""
                paper.soft(f"Nothing is {'recorded' if field.by == 'records' else 'entered'} yet{lacks}.")
    return bytes(paper.output())


def coverage_pdf(coverage: Coverage) -> bytes:
    """Raises NoPdf."""
    name = coverage.thing.partition(":")[2]
    paper = open_paper(f"Evidence for {coverage.title}: {name}")
    paper.set_creation_date(coverage.as_of)
    paper.title_lines(f"Evidence for {coverage.title}: {name}", tally(coverage), coverage.about)
    formerly = [("Formerly", coverage.formerly)] if coverage.formerly else []
    dates = [(each.date, each.what) for each in coverage.effective]
    pack = f"{coverage.pack}, version {coverage.pack_version}, {coverage.digest}"
    paper.facts([*formerly, *dates, ("Newest record", coverage.as_of.strftime(STAMP)), ("Pack", pack)])
    group = ""
    for clause in coverage.clauses:
        if clause.group != group:
            group = clause.group
            paper.heading(group)
        paper.question(clause_name(clause), clause.asks, clause.state, state_word(clause.state))
        if clause.reason:
            paper.say(clause.reason)
        if clause.shown:
            states = ["entered" if e.is_entered else "recorded" if e.is_there else "missing" for e in clause.shown]
            rows = [
                [source_words(each.source), state, each.line] for each, state in zip(clause.shown, states, strict=True)
            ]
            paper.grid(Grid(["evidence", "stands", "says"], rows))
    return bytes(paper.output())


def put(paper: Paper, said: Said) -> None:
    for line in said.text:
        paper.say(line)
    if drawable := [each for each in said.intervals if each.low is not None and each.high is not None]:
        paper.intervals(drawable)
    if said.grid:
        paper.grid(said.grid)
    if said.refs:
        paper.soft(f"from {', '.join(dict.fromkeys(said.refs))}")


def open_paper(title: str) -> Paper:
    """Raises NoPdf where fpdf2 or its font is not installed."""
    fonts = find_spec(FONTS)
    if not has_pdf() or fonts is None or fonts.origin is None:
        raise NoPdf
    from taxiway.dossiers.documents.sheets import Paper

    return Paper(title, Path(fonts.origin).parent / "files")


def has_pdf() -> bool:
    """Whether this server can write PDF."""
    return find_spec("fpdf") is not None and find_spec(FONTS) is not None


def span(intervals: Sequence[Interval]) -> tuple[float, float]:
    """The scale that holds every end and what is asked, with a little room."""
    ends = [v for each in intervals for v in (each.low, each.high, each.asked, each.value) if v is not None]
    low, high = min(ends), max(ends)
    room = (high - low) * 0.06 or 0.5
    return low - room, high + room


def plain(text: str) -> str:
    """Text without what a page cannot hold: control characters and surrogates become blanks."""
    return "".join(" " if unicodedata.category(letter) in ("Cc", "Cf", "Cs") else letter for letter in text)
