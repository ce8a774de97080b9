"""Requests as MLflow's client and its users write them, read into structs: pure, and exact about what is wrong.

Unknown fields are ignored, null is absent, and numbers may come as texts. All else must be what it should be.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Mapping, Sequence
from typing import Any, Generic, TypeVar

import msgspec
from msgspec import inspect

from taxiway.compat.mlflow.refusals import BodyUnreadable, ParameterMissing, invalid

T = TypeVar("T")

WHOLE = re.compile(r"[+-]?[0-9]{1,19}")
NUMBER = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
ODD_NUMBERS = ("NaN", "Infinity", "-Infinity")
LONGEST_NUMBER = 400
BOOLS = {"true": True, "false": False}
NUL = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")  # databases differ on it, and C programs end their text there


class Reader(Generic[T]):
    """Reads requests of one kind. What an address says (`path`) wins over what stands in the request."""

    def __init__(self, kind: type[T]) -> None:
        self.kind = kind
        self.decoder = msgspec.json.Decoder(kind)
        self.shape = shape_of(kind)
        self.fields = self.shape.fields if isinstance(self.shape, inspect.StructType) else ()
        self.headers = [field.encode_name for field in self.fields if field.encode_name.startswith("x-")]
        self.wants_origin = any(field.encode_name == "origin" for field in self.fields)

    def read_json(self, data: bytes, path: Mapping[str, Any] | None = None) -> T:
        """The request in a JSON text. Raises ParameterMissing, ParameterInvalid, BodyUnreadable."""
        if b"\\" in data and b"\\u0000" in data and NUL.search(data):  # one byte is found much faster than several
            raise BodyUnreadable(cause="it holds a NUL character")
        if not path:
            with contextlib.suppress(msgspec.MsgspecError, ValueError, RecursionError):
                return self.decoder.decode(data)
            # Numbers written as texts, and what is wrong said exactly, take the slower way.
        return self._build({**self._plain(data), **(path or {})})

    def read_query(self, values: Mapping[str, list[str]], path: Mapping[str, Any] | None = None) -> T:
        """The request in a query: a list where its field is one, else the last value given."""
        lists = {f.encode_name for f in self.fields if is_list(f.type)}
        flat = {name: given if name in lists else given[-1] for name, given in values.items()}
        return self._build({**flat, **(path or {})})

    def _plain(self, data: bytes) -> dict[str, Any]:
        """The plain values of a JSON object; of an empty body, none."""
        try:
            found = msgspec.json.decode(data or b"{}")
        except (msgspec.DecodeError, ValueError, RecursionError) as e:
            cause = "it is nested too deeply" if isinstance(e, RecursionError) else str(e).rstrip(".")
            unreadable = BodyUnreadable(cause=cause)
            # MLflow reads what it cannot parse as an empty request, so its users know the first missing field.
            first = next((f.encode_name for f in self.fields if f.required), "")
            raise ParameterMissing(parameter=first, because=str(unreadable)) if first else unreadable from e
        if not isinstance(found, dict):
            raise BodyUnreadable(cause=f"it is a {type(found).__name__}")
        return found

    def _build(self, values: dict[str, Any]) -> T:
        return msgspec.convert(fit(values, self.shape, ""), self.kind)


SHAPES: dict[type, inspect.Type] = {}  # finding one takes a while, and every server of a process needs the same


def shape_of(kind: type) -> inspect.Type:
    """What a kind of request consists of."""
    if kind not in SHAPES:
        SHAPES[kind] = inspect.type_info(kind)
    return SHAPES[kind]


def is_list(kind: inspect.Type) -> bool:
    return isinstance(kind, inspect.ListType) or (
        isinstance(kind, inspect.UnionType) and any(is_list(one) for one in kind.types)
    )


def fit(value: Any, kind: inspect.Type, name: str) -> Any:
    """The value as its type wants it. Raises ParameterMissing, ParameterInvalid."""
    match kind:
        case inspect.StructType():
            return fit_struct(value, kind, name)
        case inspect.ListType(item_type=item):
            if not isinstance(value, list):
                raise invalid(name, value, "a list")
            return [fit(one, item, f"{name}[{index}]") for index, one in enumerate(value)]
        case inspect.DictType(value_type=item):
            if not isinstance(value, dict):
                raise invalid(name, value, "an object")
            return {key: fit(one, item, f"{name}.{key}") for key, one in value.items()}
        case inspect.UnionType() | inspect.AnyType():
            return fit_union(value, getattr(kind, "types", ()), name)
        case inspect.LiteralType(values=words):
            if value not in words:
                raise invalid(name, value, f"one of {', '.join(map(str, words))}")
            return value
        case _:
            return fit_scalar(value, kind, name)


def fit_struct(value: Any, kind: inspect.StructType, name: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise invalid(name or "body", value, "an object")
    found = {}
    for field in kind.fields:
        at = f"{name}.{field.encode_name}" if name else field.encode_name
        given = value.get(field.encode_name)
        if given is not None:
            found[field.encode_name] = fit(given, field.type, at)
        elif field.required:
            raise ParameterMissing(parameter=at)
    return found


def fit_union(value: Any, types: Sequence[inspect.Type], name: str) -> Any:
    words = [word for one in types if isinstance(one, inspect.LiteralType) for word in one.values]
    rest = [one for one in types if not isinstance(one, (inspect.NoneType, inspect.LiteralType))]
    if not types or value in words:  # of any type at all, or one of its words
        return value
    if not rest:
        raise invalid(name, value, f"one of {', '.join(map(str, words))}")
    return fit(value, rest[0], name)


def fit_scalar(value: Any, kind: inspect.Type, name: str) -> Any:
    match kind:
        case inspect.StrType():
            if not isinstance(value, str):
                raise invalid(name, value, "a text")
            if kind.min_length and not value:
                raise ParameterMissing(parameter=name)
            return value
        case inspect.IntType():
            number = whole(value)
            if number is None or number < (kind.ge or -(2**63)) or number > (kind.le or 2**63 - 1):
                raise invalid(name, value, in_words(kind))
            return number
        case inspect.FloatType():
            found = decimal(value)
            if found is None:
                raise invalid(name, value, "a number, or one of NaN, Infinity and -Infinity as text")
            return found
        case inspect.BoolType():
            given = BOOLS.get(value.lower()) if isinstance(value, str) else value
            if not isinstance(given, bool):
                raise invalid(name, value, "true or false")
            return given
        case _:
            raise TypeError(f"{name} has a type that no request carries: {kind}")


def in_words(kind: inspect.IntType) -> str:
    low, high = kind.ge, kind.le
    if low == 0:
        return f"a whole number from 0 to {high or 2**63 - 1}"
    return "a whole number of 64 bits" if low is None or low == -(2**63) else f"a whole number from {low} to {high}"


def whole(value: Any) -> int | None:
    """A whole number, however it was written: 5, 5.0 and "5" are the same."""
    match value:
        case bool():
            return None
        case int():
            return value
        case float():
            return int(value) if value.is_integer() and abs(value) < 2**63 else None
        case str() if WHOLE.fullmatch(value):
            return int(value)
        case _:
            return None


def decimal(value: Any) -> float | str | None:
    """A number, however it was written; what JSON has no number for stays the text that says it."""
    match value:
        case bool():
            return None
        case int() if abs(value) < 2**1023:
            found = float(value)
        case float():
            found = value
        case str() if value in ODD_NUMBERS:
            return value
        case str() if len(value) <= LONGEST_NUMBER and NUMBER.fullmatch(value):
            found = float(value)
        case _:
            return None
    return found if abs(found) != float("inf") else None
