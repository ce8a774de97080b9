"""What was wrong with a JSON body, said with field, value and what would be accepted."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, TypeVar

import msgspec
from msgspec import inspect

from taxiway.kernel.errors import BadField

T = TypeVar("T")

AT = re.compile(r"^(?P<problem>.*?)(?: - at `(?P<where>[^`]*)`)?$", re.DOTALL)
STEP = re.compile(r"\.(\w+)|\[(\d+|\.\.\.)\]")


def decode(data: bytes, kind: type[T]) -> T:
    """The struct in a JSON text. Raises BadField."""
    try:
        return msgspec.json.decode(data or b"{}", type=kind)
    except msgspec.ValidationError as e:
        raise bad_field(e, msgspec.json.decode(data or b"{}"), kind) from e
    except (msgspec.DecodeError, UnicodeDecodeError) as e:
        raise BadField(field="body", value=repr(data[:60])[1:], expected=f"valid JSON ({e})") from e


def convert(values: dict[str, Any], kind: type[T]) -> T:
    """The struct in a query or a form, where every value is text. Raises BadField."""
    try:
        return msgspec.convert(values, kind, strict=False)
    except msgspec.ValidationError as e:
        raise bad_field(e, values, kind) from e


def bad_field(error: msgspec.ValidationError, given: Any, kind: Any) -> BadField:
    """The field that a validation error names, with the value that stood there."""
    found = AT.match(str(error))
    problem, where = (found["problem"], found["where"] or "$") if found else (str(error), "$")
    got = re.search(r", got `(\w+)`", problem)
    steps = STEP.findall(where)
    field, value = locate(given, steps, got[1] if got else "")
    text = msgspec.json.encode(value).decode() if not isinstance(value, str) else repr(value)
    shown = text if len(text) <= 80 else text[:77] + "..."
    words = one_of(problem, kind, [name or index for name, index in steps]) or expected(problem)
    return BadField(field=field.removeprefix(".") or "body", value=shown, expected=words)


def one_of(problem: str, kind: Any, steps: Sequence[str]) -> str:
    """The values that could have stood there, where only some can; empty where msgspec said something else."""
    if not problem.startswith("Invalid enum value"):
        return ""
    literals = (one for one in types_at(inspect.type_info(kind), steps) if isinstance(one, inspect.LiteralType))
    return f"one of {', '.join(str(value) for literal in literals for value in literal.values)}"


def types_at(kind: inspect.Type, steps: Sequence[str]) -> list[inspect.Type]:
    """The types that a value may have after some steps into a type; none where that is not clear."""
    match kind:
        case inspect.UnionType(types=types):
            return [found for one in types for found in types_at(one, steps)]
        case inspect.Metadata(type=inner):
            return types_at(inner, steps)
        case _ if not steps:
            return [kind]
        case inspect.StructType(fields=fields):
            return next((types_at(f.type, steps[1:]) for f in fields if f.encode_name == steps[0]), [])
        case inspect.DictType(value_type=inner) | inspect.ListType(item_type=inner):
            return types_at(inner, steps[1:])
        case _:
            return []


def locate(value: Any, steps: list[tuple[str, str]], got: str) -> tuple[str, Any]:
    """The full name of the place that the steps lead to, and what stands there.

    msgspec does not say which item of a list was wrong; the first one with a value of the type that it got is.
    """
    if not steps:
        return "", value
    (name, index), rest = steps[0], steps[1:]
    if name and isinstance(value, dict) and name in value:
        field, at = locate(value[name], rest, got)
        return f".{name}{field}", at
    if index and isinstance(value, list):
        for number, item in enumerate(value):
            field, at = locate(item, rest, got)
            if index == str(number) or (index == "..." and kind_of(at) == got):
                return f"[{number}]{field}", at
    written = "".join(f".{n}" if n else f"[{i}]" for n, i in steps)
    return written, value


def kind_of(value: Any) -> str:
    """What msgspec calls the type of a JSON value."""
    match value:
        case bool():
            return "bool"
        case None:
            return "null"
        case dict():
            return "object"
        case list():
            return "array"
        case _:
            return type(value).__name__


def expected(problem: str) -> str:
    """The part of msgspec's sentence that says what would be accepted."""
    if found := re.match(r"Expected `(.*)`, got `(.*)`$", problem):
        return f"{found[1]} (this is {found[2]})"
    if found := re.match(r"Object missing required field `(.*)`", problem):
        return f"an object with the field {found[1]}"
    if found := re.match(r"Object contains unknown field `(.*)`", problem):
        return f"an object without the unknown field {found[1]}"
    return problem[:1].lower() + problem[1:]
