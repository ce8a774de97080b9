"""The try-it form: a field for each input of the signature, filled with the recorded example. Pure."""

from __future__ import annotations

import struct
from typing import Any

from msgspec import Struct

from taxiway.endpoints.rows import value_of
from taxiway.models.predicting.signature import Column, Signature

PREFIX = "in."
LARGEST_SINGLE = 3e38  # beyond it, 32 bits hold no number
TRUTHS = (("true", "true"), ("false", "false"))
# The groups in their order: the types of column in each, its name, and what its fields accept.
KINDS = (
    (("number",), "Numbers", ""),
    (("integer",), "Whole numbers", ""),
    (("boolean", "category"), "Choices", ""),
    (("string",), "Texts", ""),
    (("datetime",), "Times", "in ISO 8601 with the offset from UTC, such as 2026-05-04T13:00:00Z"),
)


class Field(Struct, frozen=True):
    """One input of a form. choices: pairs of value and label; none for a text."""

    name: str
    label: str
    value: str
    choices: tuple[tuple[str, str], ...] = ()


class Group(Struct, frozen=True):
    """The inputs of one kind, so that what they accept is said once."""

    name: str
    hint: str
    fields: list[Field]


def groups(signature: Signature, example: dict[str, Any], sent: dict[str, str]) -> list[Group]:
    """The form's fields by kind, each kind in the signature's order."""
    named = dict(zip((column.name for column in signature.inputs), fields(signature, example, sent), strict=True))
    found = [
        Group(name, hint, [named[column.name] for column in signature.inputs if column.type in types])
        for types, name, hint in KINDS
    ]
    return [group for group in found if group.fields]


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
    label = f"{column.name} (optional)" if column.nullable else column.name
    return Field(PREFIX + column.name, label, value, choices)


def as_text(value: Any) -> str:
    """A value as it stands in a field."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return as_number(value) if isinstance(value, float) else str(value)


def as_number(value: float) -> str:
    """A number as a person would type it: one that 32 bits made long (3.200000048) as it was before.

    >>> as_number(3.200000047683716), as_number(0.1), as_number(1 / 3), as_number(5.0)
    ('3.2', '0.1', '0.3333333333', '5')
    """
    usual = f"{value:.10g}"
    if not is_single(float(usual), value):
        return usual
    shorter = (f"{value:.{digits}g}" for digits in range(1, 10))
    return next((text for text in shorter if "e" not in text and is_single(value, float(text))), usual)


def is_single(value: float, other: float) -> bool:
    """Whether `value` is, to ten digits, what 32 bits hold of `other`."""
    if not abs(other) < LARGEST_SINGLE:
        return False
    held: float = struct.unpack("f", struct.pack("f", other))[0]
    return f"{held:.10g}" == f"{value:.10g}"


def row_of(signature: Signature, sent: dict[str, str]) -> dict[str, Any]:
    """The row that a form's fields say. A text that does not fit goes on, so that the refusal names its field."""
    return {
        column.name: value_of(column, sent[PREFIX + column.name])
        for column in signature.inputs
        if PREFIX + column.name in sent
    }
