"""What was wrong with a JSON body, said with field, value and what would be accepted."""

from __future__ import annotations

import functools
import re
from collections.abc import Hashable, Iterator, Sequence
from typing import Any, TypeVar, cast

import msgspec
from msgspec import Struct, inspect

from taxiway.kernel.errors import BadField

T = TypeVar("T")

AT = re.compile(r"^(?P<problem>.*?)(?: - at `(?P<where>[^`]*)`)?$", re.DOTALL)
MANY_DIGITS = re.compile(rb"(?<![0-9.])[0-9]{18}")  # before the point: fractions of that many digits are common
LOWEST, LARGEST = -(2**63), 2**63 - 1  # what both databases keep
STEP = re.compile(r"\.(\w+)|\[(\d+|\.\.\.)\]")

WORDS = {
    "int": "a whole number",
    "float": "a number",
    "str": "a text",
    "bool": "true or false",
    "object": "an object",
    "array": "a list",
    "datetime": "a time such as 2026-07-01T12:00:00Z",
    "date": "a date such as 2026-07-01",
    "bytes": "a text in base64",
}


def decode(data: bytes, kind: type[T]) -> T:
    """The struct in a JSON text. Raises BadField, whatever the text holds."""
    try:
        found = msgspec.json.decode(data or b"{}", type=kind)
    except msgspec.ValidationError as e:
        raise bad_field(e, values_of(data), kind) from e
    except RecursionError as e:
        raise broken(data, "a text that is nested less deeply") from e
    except (msgspec.DecodeError, ValueError) as e:
        raise broken(data, f"valid JSON ({e})") from e
    if has_open_integers(cast("Hashable", kind)) and MANY_DIGITS.search(data):
        check_numbers(found)
    return found


@functools.cache
def has_open_integers(kind: Hashable) -> bool:
    """Whether a type takes whole numbers of any size somewhere that `check_numbers` looks."""
    return any(is_open(one) for one in parts_of(inspect.type_info(kind), set()))


def is_open(kind: inspect.Type) -> bool:
    if isinstance(kind, inspect.IntType):
        return None in (kind.ge, kind.le)
    return isinstance(kind, (inspect.AnyType, inspect.CustomType))


def parts_of(kind: inspect.Type, seen: set[type]) -> Iterator[inspect.Type]:
    """A type and the types within it, but for what plain dictionaries hold."""
    yield kind
    match kind:
        case inspect.StructType(cls=cls, fields=fields) if cls not in seen:
            seen.add(cls)
            for field in fields:
                yield from parts_of(field.type, seen)
        case inspect.Metadata(type=inner) | inspect.ListType(item_type=inner) | inspect.VarTupleType(item_type=inner):
            yield from parts_of(inner, seen)
        case inspect.UnionType(types=types) | inspect.TupleType(item_types=types):
            for one in types:
                yield from parts_of(one, seen)
        case inspect.DictType(value_type=inspect.StructType() as inner):
            yield from parts_of(inner, seen)
        case _:
            pass


def values_of(data: bytes) -> Any:
    """The plain values of a JSON text; UNSET where there is no way to read them."""
    try:
        return msgspec.json.decode(data or b"{}")
    except (msgspec.DecodeError, ValueError, RecursionError):
        return msgspec.UNSET


def broken(data: bytes, expected: str) -> BadField:
    """The refusal of a text that is no JSON at all, with its beginning."""
    return BadField(field="body", value=repr(data[:60])[1:], expected=expected)


def convert(values: dict[str, Any], kind: type[T]) -> T:
    """The struct in a query or a form, where every value is text. Raises BadField."""
    try:
        found = msgspec.convert(values, kind, strict=False)
    except msgspec.ValidationError as e:
        raise bad_field(e, values, kind) from e
    check_numbers(found)
    return found


def check_numbers(value: Any, field: str = "") -> None:
    """Refuses whole numbers in a struct that no database keeps; what a dict holds is free. Raises BadField."""
    match value:
        case int() if not LOWEST <= value <= LARGEST:
            number = str(value)
            shown = number if len(number) <= 40 else number[:37] + "..."
            raise BadField(field=field, value=shown, expected="a whole number from -2^63 to 2^63 - 1")
        case Struct():
            for one in msgspec.structs.fields(value):
                check_numbers(getattr(value, one.name), f"{field}.{one.encode_name}".removeprefix("."))
        case list() | tuple():
            for index, item in enumerate(value):
                check_numbers(item, f"{field}[{index}]")
        case dict():
            for key, item in value.items():
                if isinstance(item, Struct):
                    check_numbers(item, f"{field}.{key}")
        case _:
            pass


def bad_field(error: msgspec.ValidationError, given: Any, kind: Any) -> BadField:
    """The field that a validation error names, with the value that stood there."""
    found = AT.match(str(error))
    problem, where = (found["problem"], found["where"] or "$") if found else (str(error), "$")
    got = re.search(r", got `(\w+)`", problem)
    steps = STEP.findall(where)
    if given is msgspec.UNSET:  # the rest of the text cannot be read, so what stands there is not known
        words = one_of(problem, kind, [name or index for name, index in steps]) or expected(problem)
        return BadField(field=where.removeprefix("$").removeprefix(".") or "body", value="this", expected=words)
    field, value = locate(given, steps, got[1] if got else "")
    text = msgspec.json.encode(value).decode() if not isinstance(value, str) else repr(value)
    shown = text if len(text) <= 80 else text[:77] + "..."
    words = one_of(problem, kind, [name or index for name, index in steps]) or expected(problem)
    return BadField(field=field.removeprefix(".") or "body", value=shown, expected=words)


def one_of(problem: str, kind: Any, steps: Sequence[str]) -> str:
    """The values that could have stood there, where only some can; empty where msgspec said something else."""
    if not problem.startswith(("Invalid enum value", "Expected `")):
        return ""
    found = types_at(inspect.type_info(kind), steps)
    words = [word(value) for literal in found if isinstance(literal, inspect.LiteralType) for value in literal.values]
    end = ", or nothing" if any(isinstance(one, inspect.NoneType) for one in found) else ""
    return f"one of {', '.join(words)}{end}" if words else ""


def word(value: object) -> str:
    """A value as it is written in JSON, a text without its quotes."""
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()


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


SENTENCES = [
    (r"Object missing required field `(.*)`", r"an object with the field \1"),
    (r"Object contains unknown field `(.*)`", r"an object without the unknown field \1"),
    (r"Expected `(?:int|float)` >= (\S+)", r"a number of at least \1"),
    (r"Expected `(?:int|float)` <= (\S+)", r"a number of at most \1"),
    (r"Expected `(?:str|array|object)` of length >= 1\b", "something that is not empty"),
    (r"Expected `(\w+)` of length ([<>]=) (\d+)", r"something of a length \2 \3"),
    (r".*out of range", "a number that fits in 64 bits"),
    (r"Invalid enum value", "one of the values that the documentation names"),
    (r"Invalid RFC3339", WORDS["datetime"]),
]


def expected(problem: str) -> str:
    """What would be accepted, in words, from msgspec's sentence."""
    if found := re.match(r"Expected `(.*?)`(?:, got `|$)", problem):
        return in_words(found[1].split(" | "))
    for sentence, words in SENTENCES:
        if found := re.match(sentence, problem):
            return found.expand(words)
    return problem[:1].lower() + problem[1:]


def in_words(kinds: Sequence[str]) -> str:
    """Types as msgspec names them, as one says them."""
    words = [WORDS.get(kind, kind) for kind in kinds if kind != "null"]
    return ", or ".join([*words, "nothing"] if "null" in kinds else words)
