"""The try-it form: a field for each input of the signature, filled with the recorded example. Pure."""

from __future__ import annotations

from typing import Any

from msgspec import Struct

from taxiway.endpoints.rows import value_of
from taxiway.models.signature import Column, Signature, expectation

PREFIX = "in."
TRUTHS = (("true", "true"), ("false", "false"))


class Field(Struct, frozen=True):
    """One input of a form. choices: pairs of value and label; none for a text."""

    name: str
    label: str
    hint: str
    value: str
    choices: tuple[tuple[str, str], ...] = ()


def fields(signature: Signature, example: dict[str, Any], sent: dict[str, str]) -> list[Field]:
    """The form's fields, with what was sent before, or else what the example holds."""
    return [field(column, example.get(column.name), sent.get(PREFIX + column.name)) for column in signature.inputs]


def field(column: Column, example: Any, sent: str | None) -> Field:
    value = sent if sent is not None else as_text(example)
    choices: tuple[tuple[str, str], ...] = ()
    if column.type == "boolean":
        choices = TRUTHS
    elif column.type == "category" and column.categories:
        choices = tuple((each, each) for each in column.categories)
    if choices and column.nullable:
        choices = (("", "not given"), *choices)
    return Field(PREFIX + column.name, column.name, expectation(column) if not choices else "", value, choices)


def as_text(value: Any) -> str:
    """A value as it stands in a field."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return f"{value:.10g}" if isinstance(value, float) else str(value)


def row_of(signature: Signature, sent: dict[str, str]) -> dict[str, Any]:
    """The row that a form's fields say. A text that does not fit goes on, so that the refusal names its field."""
    return {
        column.name: value_of(column, sent[PREFIX + column.name])
        for column in signature.inputs
        if PREFIX + column.name in sent
    }
