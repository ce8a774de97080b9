"""What was wrong with a JSON body, said with field, value and what would be accepted."""

from __future__ import annotations

import re
from typing import Any, TypeVar

import msgspec

from taxiway.kernel.errors import BadField

T = TypeVar("T")

AT = re.compile(r"^(?P<problem>.*?)(?: - at `(?P<where>[^`]*)`)?$", re.DOTALL)
STEP = re.compile(r"\.(\w+)|\[(\d+|\.\.\.)\]")


def decode(data: bytes, kind: type[T]) -> T:
    """The struct in a JSON text. Raises BadField."""
    try:
        return msgspec.json.decode(data or b"{}", type=kind)
    except msgspec.ValidationError as e:
        raise bad_field(e, msgspec.json.decode(data or b"{}")) from e
    except (msgspec.DecodeError, UnicodeDecodeError) as e:
        raise BadField(field="body", value=repr(data[:60])[1:], expected=f"valid JSON ({e})") from e


def convert(values: dict[str, Any], kind: type[T]) -> T:
    """The struct in a query or a form, where every value is text. Raises BadField."""
    try:
        return msgspec.convert(values, kind, strict=False)
    except msgspec.ValidationError as e:
        raise bad_field(e, values) from e


def bad_field(error: msgspec.ValidationError, given: Any) -> BadField:
    """The field that a validation error names, with the value that stood there."""
    found = AT.match(str(error))
    problem, where = (found["problem"], found["where"] or "$") if found else (str(error), "$")
    value = given
    for name, index in STEP.findall(where):
        value = pick(value, name or index)
    field = where.removeprefix("$.").removeprefix("$") or "body"
    text = msgspec.json.encode(value).decode() if not isinstance(value, str) else repr(value)
    return BadField(field=field, value=text if len(text) <= 80 else text[:77] + "...", expected=expected(problem))


def pick(value: Any, step: str) -> Any:
    """What stands one step further in, or the whole where the path does not say which."""
    if isinstance(value, dict):
        return value.get(step, value)
    if isinstance(value, list) and step.isdigit() and int(step) < len(value):
        return value[int(step)]
    return value


def expected(problem: str) -> str:
    """The part of msgspec's sentence that says what would be accepted."""
    if found := re.match(r"Expected `(.*)`, got `(.*)`$", problem):
        return f"{found[1]} (this is {found[2]})"
    if found := re.match(r"Object missing required field `(.*)`", problem):
        return f"an object with the field {found[1]}"
    if found := re.match(r"Object contains unknown field `(.*)`", problem):
        return f"an object without the unknown field {found[1]}"
    return problem[:1].lower() + problem[1:]
