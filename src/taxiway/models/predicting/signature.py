"""What a model takes and gives, column by column, and the check of rows against it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence, Sized
from datetime import datetime
from math import isfinite, isinf, isnan
from typing import Any, Literal

from msgspec import Struct

from taxiway.kernel.errors import TaxiwayError

ColumnType = Literal["boolean", "integer", "number", "string", "category", "datetime"]
Columns = dict[str, list[Any]]

NON_FINITE = {"NaN": float("nan"), "Infinity": float("inf"), "-Infinity": float("-inf")}
LARGEST_INTEGER = 2**63 - 1  # what a 64-bit column holds
LONGEST_SHOWN = 80
NOTHING = "nothing"  # as an error says null, NaN and an absent field; a text would stand in quotes


class Column(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One field of a row. A `category` lists what it may be; a `nullable` one may be null, NaN or absent."""

    name: str
    type: ColumnType
    nullable: bool = False
    categories: tuple[str, ...] | None = None


class Signature(Struct, frozen=True, kw_only=True):
    """The columns of a row that goes in and of the answer that comes out, in the model's order."""

    inputs: tuple[Column, ...]
    outputs: tuple[Column, ...]


class InputMismatch(TaxiwayError):
    """A row that the model's signature does not accept: which row (from 0), which field, what it takes."""

    status = 422
    row: int
    field: str
    value: str
    expected: str

    def __str__(self) -> str:
        return f"Row {self.row}, field {self.field!r}: {self.why}."

    @property
    def why(self) -> str:
        """What is wrong with the field, and what it takes."""
        wrong = "nothing was given" if self.value == NOTHING else f"{self.value} is not accepted"
        return f"{wrong}; give {self.expected}"


class _Refused(Exception):
    """A value that its column does not accept; the caller knows the row and raises InputMismatch."""


def check_rows(inputs: Sequence[Column], rows: Sequence[Mapping[str, object]]) -> Columns:
    """The rows turned into columns in the signature's order, each value in its column's type.

    Null, NaN and an absent field are the same thing, None, and pass only where the column is nullable.
    The strings "NaN", "Infinity" and "-Infinity" stand for those numbers; an infinity is refused.
    Raises InputMismatch for the first row and field that does not fit, a field that nobody knows included.

    >>> age = Column(name="age", type="integer")
    >>> check_rows([age], [{"age": 30}, {"age": 41.0}])
    {'age': [30, 41]}
    """
    known = {column.name for column in inputs}
    for index, row in enumerate(rows):
        if not isinstance(row, Mapping):
            raise InputMismatch(row=index, field="", value=shown(row), expected="an object with named fields")
        if not known.issuperset(row):
            name = next(name for name in row if name not in known)
            raise InputMismatch(
                row=index,
                field=str(name),
                value="an unknown field",
                expected=f"only {', '.join(sorted(known))}",
            )
    return {column.name: _checked(column, [row.get(column.name) for row in rows]) for column in inputs}


def check_columns(inputs: Sequence[Column], columns: Mapping[str, Sequence[object]]) -> Columns:
    """As `check_rows`, for input that comes as columns; they must all be of one length."""
    check_shape(inputs, columns)
    height = len(next(iter(columns.values()), ()))
    return {c.name: _checked(c, columns.get(c.name) or [None] * height) for c in inputs}


def check_shape(inputs: Sequence[Column], columns: Mapping[str, Sized]) -> None:
    """Raises InputMismatch for a field that nobody knows and for columns of several lengths."""
    known = {column.name for column in inputs}
    height = len(next(iter(columns.values()), ()))
    for name, values in columns.items():
        if name not in known:
            expected = f"only {', '.join(sorted(known))}"
            raise InputMismatch(row=0, field=name, value="an unknown field", expected=expected)
        if len(values) != height:
            shorter = min(height, len(values))
            raise InputMismatch(row=shorter, field=name, value=f"{len(values)} rows", expected=f"{height} rows")


def shown(value: object) -> str:
    """A value as an error shows it: its Python form, cut where it grows long."""
    text = repr(value)
    return text if len(text) <= LONGEST_SHOWN else f"{text[:LONGEST_SHOWN]}…"


def expectation(column: Column) -> str:
    """What a column accepts, in words."""
    words = {
        "boolean": "true or false",
        "integer": "a whole number of at most 64 bits",
        "number": "a finite number",
        "string": "a string",
        "category": f"one of {', '.join(column.categories or ())}",
        "datetime": "a date and time in ISO 8601 with its offset from UTC",
    }
    return words[column.type] + (" or null" if column.nullable else "")


def _fits(column: Column, values: Sequence[Any]) -> bool:
    """Whether every value is plainly right: the way of almost all requests, at the speed of C."""
    kinds = set(map(type, values))
    match column.type:
        case "boolean":
            return kinds <= {bool}
        case "string":
            return kinds <= {str}
        case "category":
            return kinds <= {str} and set(values) <= set(column.categories or ())
        case "number":
            return kinds <= {float} and all(map(isfinite, values))
        case _:
            return False


def _checked(column: Column, values: Sequence[object]) -> list[Any]:
    if _fits(column, values):
        return list(values)
    accept = ACCEPT[column.type]
    checked: list[Any] = []
    for index, value in enumerate(values):
        try:
            accepted = None if value is None else accept(value, column)
        except _Refused:
            accepted = _Refused
        if accepted is _Refused or (accepted is None and not column.nullable):
            found = NOTHING if value is None else shown(value)
            raise InputMismatch(row=index, field=column.name, value=found, expected=expectation(column))
        checked.append(accepted)
    return checked


def _boolean(value: object, _: Column) -> bool:
    if isinstance(value, bool):
        return value
    raise _Refused


def _integer(value: object, _: Column) -> int | None:
    number = _number(value, _)
    if number is None:
        return None
    if number != int(number) or abs(number) > LARGEST_INTEGER:
        raise _Refused
    return int(number)


def _number(value: object, _: Column) -> float | None:
    if isinstance(value, str):
        value = NON_FINITE.get(value, value)
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise _Refused
    try:
        value = float(value) if abs(value) > LARGEST_INTEGER else value
    except OverflowError:
        raise _Refused from None
    if isinf(value):
        raise _Refused
    return None if isnan(value) else value


def _string(value: object, _: Column) -> str:
    if isinstance(value, str):
        return value
    raise _Refused


def _category(value: object, column: Column) -> str:
    if isinstance(value, str) and value in (column.categories or ()):
        return value
    raise _Refused


def _datetime(value: object, _: Column) -> datetime:
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value)
        except ValueError:
            raise _Refused from None
    if isinstance(value, datetime) and value.tzinfo is not None:
        return value
    raise _Refused


ACCEPT: dict[ColumnType, Callable[[object, Column], Any]] = {
    "boolean": _boolean,
    "integer": _integer,
    "number": _number,
    "string": _string,
    "category": _category,
    "datetime": _datetime,
}
