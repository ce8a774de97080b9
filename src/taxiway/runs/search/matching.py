"""How texts are compared where it is said in Python: patterns, and the words for a status. Pure."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable
from functools import lru_cache

from taxiway.runs.contract import RunStatus
from taxiway.runs.search.filter import Term
from taxiway.runs.search.patterns import is_found

# Our word and MLflow's, either of which may be asked for.
STATUS_WORDS: dict[RunStatus, tuple[str, str]] = {
    "scheduled": ("scheduled", "SCHEDULED"),
    "running": ("running", "RUNNING"),
    "lost": ("lost", "RUNNING"),
    "finished": ("finished", "FINISHED"),
    "failed": ("failed", "FAILED"),
    "stopped": ("stopped", "KILLED"),
}
SMALL = {upper: upper + 32 for upper in range(ord("A"), ord("Z") + 1)}


def status_holds(term: Term, status: RunStatus) -> bool:
    """Whether a condition on the status holds for this one: for either of its words, or with a negation for both."""
    held = [text_holds(term, word) for word in STATUS_WORDS[status]]
    return all(held) if term.sign in ("!=", "not in") else any(held)


def text_holds(term: Term, text: str) -> bool:
    """Whether a comparison with a text holds."""
    value = term.value
    if isinstance(value, tuple):
        return (text in value) == (term.sign == "in")
    if not isinstance(value, str):
        return term.sign == "is not null"
    judges: dict[str, Callable[[str, str], object]] = {
        "=": operator.eq,
        "!=": operator.ne,
        "contains": lambda text, value: lowered(value) in lowered(text),
        "like": lambda text, value: like(value).fullmatch(text),
        "ilike": lambda text, value: like(lowered(value)).fullmatch(lowered(text)),
        "~": lambda text, value: is_found(value, text),
    }
    return bool(judges[term.sign](text, value))


@lru_cache(maxsize=256)
def like(pattern: str) -> re.Pattern[str]:
    """LIKE's pattern as an expression: ``%`` is any text, ``_`` any character, and nothing escapes them."""
    parts = {"%": ".*", "_": "."}
    return re.compile("".join(parts.get(c, re.escape(c)) for c in pattern), re.DOTALL)


def glob_of(pattern: str) -> str:
    """LIKE's pattern as SQLite's GLOB, which minds the case."""
    parts = {"%": "*", "_": "?", "*": "[*]", "?": "[?]", "[": "[[]"}
    return "".join(parts.get(c, c) for c in pattern)


def lowered(text: str) -> str:
    """A text with A to Z made small, and nothing else: the databases agree on no more than that."""
    return text.translate(SMALL)
