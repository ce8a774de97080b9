"""How documents and coverage say what they say: marks, words and the sentence at their head. Pure."""

from __future__ import annotations

from taxiway.dossiers.documents.contract import Document
from taxiway.dossiers.packs.contract import ClauseState, Coverage, Covered

# State: its mark and its word.
STATES: dict[str, tuple[str, str]] = {
    "recorded": ("●", "recorded"),
    "entered": ("◐", "entered"),
    "missing": ("◌", "missing"),
    "evidence": ("●", "evidence for"),
    "partly": ("◑", "some evidence"),
    "gap": ("◌", "gap"),
    "outside": ("–", "outside"),
}
CLAUSE_WORDS: dict[ClauseState, str] = {
    "evidence": "with evidence",
    "entered": "answered by people",
    "partly": "with some evidence",
    "gap": "without evidence",
    "outside": "outside of what records show",
}


def state_word(state: str) -> str:
    return STATES[state][1]


def mark_of(state: str) -> str:
    return STATES[state][0]


def sums(document: Document) -> str:
    """How much of it is filled, in a sentence."""
    head = f"{document.recorded} fields recorded, {document.entered} entered, {document.missing} missing"
    return f"{head}; records fill {document.share:.0%} of the {document.recordable} that they can"


def tally(coverage: Coverage) -> str:
    """How many clauses stand how, in a sentence."""
    said = [f"{count} {CLAUSE_WORDS[state]}" for state, count in coverage.counts.items() if count]
    return f"{len(coverage.clauses)} clauses: {', '.join(said)}"


def clause_name(clause: Covered) -> str:
    """Its number and title; an id that is a mere word says no more than the title."""
    return clause.title if clause.id.isalpha() and clause.id.islower() else f"{clause.id} {clause.title}"


def source_words(source: str) -> str:
    """A source's name for people: ``check:fairness`` is "check fairness"."""
    return source.replace("_", " ").replace(":", " ").replace("/", ", ")
