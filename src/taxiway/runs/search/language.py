"""What names mean in a filter, and how strictly it is read. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct

from taxiway.runs.search.filter import (
    DATASET_FIELDS,
    NOTE,
    NUMBER_FIELDS,
    TEXT_FIELDS,
    TIME_FIELDS,
    Field,
    Kind,
)
from taxiway.runs.search.tokens import Token, unquoted

KINDS: dict[str, Kind] = {
    "metrics": "metrics",
    "metric": "metrics",
    "params": "params",
    "param": "params",
    "parameters": "params",
    "parameter": "params",
    "tags": "tags",
    "tag": "tags",
    "attributes": "run",
    "attribute": "run",
    "attr": "run",
    "run": "run",
    "datasets": "dataset",
    "dataset": "dataset",
}
KNOWN = (*TEXT_FIELDS, *NUMBER_FIELDS, *TIME_FIELDS)
# What MLflow calls them, and how one would say it shortly.
ALIASES = {
    "run_id": "id",
    "run_uuid": "id",
    "run_name": "name",
    "run name": "name",
    "user_id": "user",
    "start_time": "started_at",
    "created": "started_at",
    "end_time": "ended_at",
    "duration": "duration_s",
    "cpu": "cpu_s",
}
OURS = {name: Field("run", name) for name in KNOWN}
NAMES = OURS | {name: OURS[plain] for name, plain in ALIASES.items()} | {"note": Field("tags", NOTE)}


class Language(Struct, frozen=True):
    """How a filter or an order is read.

    facts: what a name of its own means; attributes: what it means after ``attributes.``. is_strict: as MLflow's server
    reads what both languages have: names in the case they are written in, the value that a parameter equals in quotes,
    ``is null`` for parameters and tags only, one field to a text of an order.
    """

    facts: Mapping[str, Field]
    attributes: Mapping[str, Field]
    is_strict: bool = False

    def cased(self, name: str) -> str:
        return name if self.is_strict else name.lower()

    def field(self, token: Token) -> Field | None:
        """The field that a token names; None where it names none."""
        if token.kind == "field":
            entity, name = split(token.text)
            kind = KINDS.get(self.cased(entity))
            plain = unquoted(name) if name[0] in "`\"'" else name
            return self.attributes.get(self.cased(plain)) if kind == "run" else named(kind, plain) if kind else None
        if token.kind in ("word", "name", "text"):  # MLflow takes a name in quotes, too, but not in single ones
            if self.is_strict and token.text.startswith("'"):
                return None
            return self.facts.get(self.cased(token.text if token.kind == "word" else unquoted(token.text)))
        return None


def split(text: str) -> tuple[str, str]:
    """What stands before the dot, which may be in backticks, and what after it."""
    if text.startswith("`"):
        entity, _, name = text[1:].partition("`.")
        return entity, name
    entity, _, name = text.partition(".")
    return entity, name


def named(kind: Kind, name: str) -> Field | None:
    return None if kind == "dataset" and name not in DATASET_FIELDS else Field(kind, name)


PLAIN = Language(NAMES, NAMES)
