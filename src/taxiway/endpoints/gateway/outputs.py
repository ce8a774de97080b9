"""Whether answers are what the model's signature says: one look at each, on the way out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Literal

import msgspec

from taxiway.models.predicting.signature import NON_FINITE, Column

Flaw = Literal["", "missing", "schema"]
LOOKED_AT = 8  # rows of a request: where a model goes wrong it does so in all of them, or again soon

PLAIN: dict[str, Any] = {
    "boolean": bool,
    "integer": int,
    "number": float,
    "string": str,
    "category": str,
    "datetime": str,
}


class OutputCheck:
    """Finds what is wrong with a request's answers; an answer that is right costs one typed decoding."""

    def __init__(self, outputs: Sequence[Column]) -> None:
        self.outputs = outputs
        fields = [(f"_{at}", as_decoded(column)) for at, column in enumerate(outputs)]
        rename = {f"_{at}": column.name for at, column in enumerate(outputs)}
        made = msgspec.defstruct("Answered", fields, rename=rename)
        self.decoder = msgspec.json.Decoder(made) if outputs else None

    def look(self, answers: Sequence[bytes]) -> Flaw:
        """The first flaw of a request's answers, each a JSON object."""
        if self.decoder is None:
            return ""
        for answer in answers[:LOOKED_AT]:
            try:
                self.decoder.decode(answer)
            except msgspec.DecodeError:
                if flaw := self.flaw(answer):
                    return flaw
        return ""

    def flaw(self, answer: bytes) -> Flaw:
        try:
            found = msgspec.json.decode(answer)
        except msgspec.DecodeError:
            return "schema"
        if not isinstance(found, Mapping):
            return "schema"
        flaws = {flaw_of(column, found.get(column.name)) for column in self.outputs}
        return "missing" if "missing" in flaws else "schema" if "schema" in flaws else ""


def as_decoded(column: Column) -> Any:
    """The type that a right value of the column is decoded as."""
    if column.type == "category" and column.categories:
        kind: Any = Literal[column.categories]
    else:
        kind = PLAIN[column.type]
    return kind | None if column.nullable else kind


def flaw_of(column: Column, value: object) -> Flaw:
    """What is wrong with one value.

    >>> flaw_of(Column(name="score", type="number"), "NaN"), flaw_of(Column(name="score", type="number"), "high")
    ('missing', 'schema')
    """
    if value is None or (value == "NaN" and column.type == "number"):
        return "" if column.nullable else "missing"
    return "" if fits(column, value) else "schema"


def fits(column: Column, value: object) -> bool:
    """Whether a value, which is none that is missing, is of its column's type."""
    match column.type:
        case "boolean":
            return isinstance(value, bool)
        case "integer":
            return isinstance(value, int | float) and not isinstance(value, bool) and value == int(value)
        case "number":
            return (isinstance(value, int | float) and not isinstance(value, bool)) or value in NON_FINITE
        case "category":
            return isinstance(value, str) and (not column.categories or value in column.categories)
        case "datetime":
            return isinstance(value, str) and is_time(value)
        case "string":
            return isinstance(value, str)


def is_time(text: str) -> bool:
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return False
    return True
