"""Which condition of a search leaves so few runs that they are best looked at one by one."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, Select, func, select

from taxiway.runs.search.conditions import SIGNS, Conditions
from taxiway.runs.search.filter import And, Node, Term, Words
from taxiway.runs.search.words import words_of
from taxiway.runs.tables import LONGEST_HEAD, latest, params, runs, tags, words


def fewest(conditions: Conditions, node: Node | None, most: int) -> list[int] | None:
    """The runs that the strictest of the conditions which must all hold leaves; None where each leaves too many.

    Only conditions that an index answers are asked, and none for more than it takes to see that it leaves many.
    """
    parts = node.parts if isinstance(node, And) else (node,)
    best: Select[Any] | None = None
    for query in (query for part in parts for query in candidates(conditions, part)):
        some = query.limit(most + 1).subquery()
        count = conditions.connection.execute(select(func.count()).select_from(some)).scalar_one()
        if count <= most:
            best, most = query, count
    return None if best is None else list(conditions.connection.execute(best).scalars().all())


def candidates(conditions: Conditions, part: Node | None) -> list[Select[Any]]:
    """Queries of the numbers of runs that may fulfil a condition, each of which an index answers in time."""
    if isinstance(part, Words):
        prefixes = [words.c.word.between(word, word + chr(0x10FFFF)) for word in words_of(part.text)]
        return [select(words.c.run).where(prefix).distinct() for prefix in prefixes]
    if not isinstance(part, Term) or part.sign in ("!=", "not in", "is null", "is not null"):
        return []
    if part.field.kind == "run":
        is_id = part.field.name == "id" and part.sign == "=" and isinstance(part.value, str)
        return [select(runs.c.number).where(runs.c.id == part.value)] if is_id else []
    if part.field.kind == "dataset":
        return []
    table = {"metrics": latest, "params": params, "tags": tags}[part.field.kind]
    holds = indexed(table, part)
    if holds is None:
        return []
    key = conditions.key_number(part.field.name)
    return [select(table.c.run).where(table.c.key == (-1 if key is None else key), holds)]


def indexed(table: Any, term: Term) -> ColumnElement[bool] | None:
    """The condition, or one that lets more through, as an index over key and value answers it."""
    held: ColumnElement[bool] | None = None
    if isinstance(term.value, float):
        held = SIGNS[term.sign](table.c.value, term.value)
    elif isinstance(term.value, str) and term.sign == "=":
        held = table.c.head == term.value[:LONGEST_HEAD]
    return held
