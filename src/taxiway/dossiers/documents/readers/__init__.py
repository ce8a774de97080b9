"""Readers: each takes what is known of a version and says what it says to one question, or nothing. All are pure.

Documents and packs name them as their sources. A name may be followed by what is looked at: ``check:fairness``,
``card:limits``, ``answer:ethics/harm``, ``verb:models.promote``.
"""

from __future__ import annotations

from collections.abc import Callable

from taxiway.dossiers.documents.contract import Said
from taxiway.dossiers.documents.facts import Facts
from taxiway.dossiers.documents.readers import evaluating, living, making, people, registry

Reader = Callable[[Facts], Said | None]
Taking = Callable[[Facts, str], Said | None]

READERS: dict[str, Reader] = {**registry.READERS, **making.READERS, **evaluating.READERS, **living.READERS}
TAKING: dict[str, Taking] = {**evaluating.TAKING, **people.TAKING}

# What would fill a field, by the source that it lacks.
HINTS: dict[str, str] = {
    "answer": "answer the questionnaire {of}",
    "card": "enter `{of}` on the card",
    "check": "have a gate ask the check `{of}`",
    "monitors": "watch the endpoint that serves it",
    "endpoints": "deploy it",
    "run": "log the model in a run",
}


def known(source: str) -> bool:
    """Whether there is such a reader."""
    name, colon, of = source.partition(":")
    return (name in TAKING and bool(of)) if colon else name in READERS


def read(source: str, facts: Facts) -> Said | None:
    """What a source says; None where it says nothing."""
    name, colon, of = source.partition(":")
    return TAKING[name](facts, of) if colon else READERS[name](facts)


def hint(source: str) -> str:
    """What would make the source say something, in a few words."""
    name, _, of = source.partition(":")
    return HINTS.get(name, "").format(of=of.partition("/")[0])
