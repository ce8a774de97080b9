"""Rows out of what other systems' callers send: objects, lists in the signature's order, whole columns, CSV.

Values go on in the very digits that they came in, so that every protocol gets the same answer to the last bit.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from itertools import islice
from typing import Any, NamedTuple

import msgspec
from msgspec import Raw

from taxiway.endpoints.gateway.dialects import Call
from taxiway.endpoints.gateway.requests import AT_LEAST_ONE, check_count, on_one_line, unreadable
from taxiway.endpoints.refusals import BodyRefused
from taxiway.endpoints.rows import value_of
from taxiway.kernel.errors import TaxiwayError
from taxiway.models.predicting.signature import Column, InputMismatch, shown

encode = msgspec.json.Encoder().encode
fields_decoder = msgspec.json.Decoder(dict[str, Raw])
values_decoder = msgspec.json.Decoder(list[Raw])


class NotYetKnown(TaxiwayError):
    """Values by position cannot be read before a worker said what the model takes."""

    status = 503
    retry_after_s = 1.0
    endpoint: str

    def __str__(self) -> str:
        return f"What {self.endpoint} takes is not known yet: no worker of it ever answered. Try again in a second."


class FormRefused(TaxiwayError):
    """A part of a body that is not what the protocol says it must be."""

    status = 400
    field: str
    found: str
    expected: str

    def __str__(self) -> str:
        return f"{self.field}: {self.found} is not accepted. Give {self.expected}."


def inputs_of(call: Call) -> Sequence[Column]:
    """The columns that go in. Raises NotYetKnown."""
    signature = call.signature
    if signature is None:
        raise NotYetKnown(endpoint=call.name)
    return signature.inputs


def fields_of(body: bytes, accepted: str) -> dict[str, Raw]:
    """The fields of a JSON object. Raises BodyRefused, FormRefused for one that is there twice."""
    try:
        return fields_decoder.decode(body)
    except RecursionError as e:
        raise BodyRefused(problem="it is nested too deeply", accepted=accepted) from e
    except (msgspec.DecodeError, ValueError) as e:
        raise BodyRefused(problem=unreadable(body, e), accepted=accepted) from e


def starts(raw: Raw | bytes) -> bytes:
    """The first character of a JSON value, which tells what it is: ``{``, ``[``, ``"``, or another."""
    return bytes(raw).lstrip(b" \t\r\n")[:1]


def values_of(raw: Raw, field: str) -> list[Raw]:
    """The values of a JSON array. Raises FormRefused."""
    if starts(raw) != b"[":
        raise FormRefused(field=field, found=excerpt(raw), expected="an array")
    return values_decoder.decode(raw)


def excerpt(raw: Raw | bytes) -> str:
    """The beginning of a JSON value, as a refusal shows it."""
    text = bytes(raw)[:80].decode(errors="replace").strip()
    return text if len(text) < 80 else f"{text[:60]}…"


class Mold(NamedTuple):
    """An object with a place for each value: names and punctuation are put together once for all rows."""

    text: bytes
    names: Sequence[str]

    def row(self, values: Sequence[Raw], number: int, field: str) -> bytes:
        """An object of the values, in their own digits. Raises FormRefused where they are not as many as the names."""
        if len(values) != len(self.names):
            expected = f"{len(self.names)}: {', '.join(self.names)}"
            raise FormRefused(field=f"{field}[{number}]", found=f"a row of {len(values)} values", expected=expected)
        return on_one_line(self.text % tuple(values))


def mold(names: Iterable[str]) -> Mold:
    listed = list(names)
    places = b",".join(encode(name).replace(b"%", b"%%") + b":%b" for name in listed)
    return Mold(b"{" + places + b"}", listed)


def rows_of(values: Sequence[Raw], call: Call, field: str) -> list[bytes]:
    """A JSON object per row, of objects, of arrays in the signature's order, or of single values.

    Raises BodyRefused, TooLarge, FormRefused, NotYetKnown, InputMismatch.
    """
    check_count(len(values), call.limits, AT_LEAST_ONE)
    found: list[bytes] = []
    made: Mold | None = None
    for number, value in enumerate(values):
        first = starts(value)
        if first == b"{":
            found.append(on_one_line(bytes(value)))
            continue
        made = made or mold(column.name for column in inputs_of(call))
        found.append(made.row(values_decoder.decode(value) if first == b"[" else [value], number, field))
    return found


def split_rows(columns: Sequence[str], data: Sequence[Raw], call: Call, field: str) -> list[bytes]:
    """A JSON object per row, of names said once. Raises as `rows_of`."""
    check_count(len(data), call.limits, AT_LEAST_ONE)
    check_once(f"{field}.columns", columns)
    made, where = mold(columns), f"{field}.data"
    return [made.row(values_of(row, f"{where}[{n}]"), n, where) for n, row in enumerate(data)]


def check_once(field: str, names: Iterable[str]) -> None:
    """Refuses a name that is there twice. Raises FormRefused."""
    seen: set[str] = set()
    for name in names:
        if name in seen:
            raise FormRefused(field=field, found=f"{shown(name)}, twice", expected="every name once")
        seen.add(name)


def column_rows(columns: dict[str, list[Raw]], call: Call, field: str) -> list[bytes]:
    """A JSON object per row, of whole columns. Raises as `rows_of`."""
    height = len(next(iter(columns.values()), ()))
    for name, values in columns.items():
        if len(values) != height:
            found = f"a column of {len(values)} values"
            raise FormRefused(field=f"{field}.{name}", found=found, expected=f"{height} values, as the first has")
    check_count(height, call.limits, AT_LEAST_ONE)
    made = mold(columns)
    return [made.row(row, n, field) for n, row in enumerate(zip(*columns.values(), strict=True))]


def csv_rows(call: Call, *, has_header: bool | None) -> list[bytes]:
    """A JSON object per line of a CSV. has_header: None where the first line tells it itself.

    A first line of input names is a header. One that holds none of them, and as many values as there are inputs,
    is a row in the signature's order. Numbers are read as Python reads them; an empty cell is null.
    Raises BodyRefused, TooLarge, FormRefused, NotYetKnown.
    """
    inputs = inputs_of(call)
    lines = csv_lines(call.body, call.limits.rows + 2)
    if not lines:
        raise BodyRefused(problem="it holds no lines", accepted="CSV: a line of names, then a line for each row")
    names = [column.name for column in inputs]
    first = [cell.strip() for cell in lines[0]]
    if has_header is None and not set(first) & set(names) and len(first) != len(names):
        found = f"a first line of {len(first)} values, none of them an input's name,"
        raise FormRefused(field="row 0", found=found, expected=f"{len(names)}: {', '.join(names)}")
    if has_header is None:
        has_header = not (len(first) == len(names) and not set(first) & set(names))
    if has_header:
        check_header(first, names)
        lines, names = lines[1:], first
    check_count(len(lines), call.limits, AT_LEAST_ONE)
    by_name = {column.name: column for column in inputs}
    for number, cells in enumerate(lines):
        if len(cells) != len(names):
            found = f"a line of {len(cells)} values"
            raise FormRefused(field=f"row {number}", found=found, expected=f"{len(names)}: {', '.join(names)}")
    return [encode({n: value_of(by_name[n], cell) for n, cell in zip(names, cells, strict=True)}) for cells in lines]


def csv_lines(body: bytes, most: int) -> list[list[str]]:
    """The cells of a CSV, line by line, of the first so many lines. Raises BodyRefused."""
    try:
        text = body.decode("utf-8-sig")
        lines = csv.reader(io.StringIO(text, newline=""), strict=True)
        return list(islice(filter(None, lines), most))
    except UnicodeDecodeError as e:
        raise BodyRefused(problem=f"it is not UTF-8 ({e.reason} at byte {e.start})", accepted="CSV in UTF-8") from e
    except csv.Error as e:
        raise BodyRefused(problem=f"it is no CSV ({e})", accepted="CSV as in RFC 4180") from e


def check_header(found: Sequence[str], known: Sequence[str]) -> None:
    """Refuses a line of names that has one twice, or one that the model does not know."""
    for number, name in enumerate(found):
        if name not in known:
            raise InputMismatch(
                row=0, field=name, value="an unknown field", expected=f"only {', '.join(sorted(known))}"
            )
        if name in found[:number]:
            raise FormRefused(field="The first line", found=f"{name!r}, twice", expected="every name once")


def flag(values: dict[str, Any], name: str, field: str) -> bool:
    """A parameter that is true or false, and false where it is absent. Raises FormRefused."""
    given = values.get(name, False)
    if not isinstance(given, bool):
        raise FormRefused(field=f"{field}.{name}", found=shown(given), expected="true or false")
    return given
