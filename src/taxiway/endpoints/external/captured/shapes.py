"""Rows out of a captured payload: CSV, JSON in the shapes that containers take and give, or base64 of either."""

from __future__ import annotations

import base64
import binascii
import csv
import io
import math
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from taxiway.kernel.errors import BadField
from taxiway.models.predicting.signature import Column

# What containers put around their rows; whichever comes first and holds some is opened.
WRAPPERS = (
    "instances",
    "dataframe_records",
    "dataframe_split",
    "inputs",
    "input_data",
    "data",
    "predictions",
    "outputs",
)
DEEPEST = 4  # wrappers in wrappers
MOST_CELLS = 1_000_000  # of one payload
Row = Mapping[str, Any] | Sequence[Any] | str | int | float | bool | None


def decoded(data: str, encoding: str, media_type: str, where: str) -> tuple[str, bool]:
    """A payload as text, and whether it is CSV. Raises BadField."""
    if encoding not in ("CSV", "JSON", "BASE64"):
        raise BadField(field=f"{where}.encoding", value=encoding[:40], expected="CSV, JSON or BASE64")
    if encoding != "BASE64":
        return data, encoding == "CSV"
    try:
        text = base64.b64decode(data, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError, ValueError) as e:
        raise BadField(field=f"{where}.data", value=data[:40], expected=f"base64 of text in UTF-8 ({e})") from e
    return text, not ("json" in media_type or text.lstrip()[:1] in ("{", "["))


def rows_of(text: str, *, is_csv: bool, columns: Sequence[Column], where: str, are_asked: bool) -> list[Row]:
    """The rows of a payload, by name or by position. are_asked: a list of values is one row. Raises BadField."""
    if is_csv:
        return from_csv(text, columns, where)
    try:
        return [row for value in values_of(text) for row in unwrapped(value, columns, are_asked=are_asked)]
    except (msgspec.DecodeError, RecursionError) as e:
        raise BadField(field=f"{where}.data", value=text[:40], expected=f"JSON ({e})") from e


def values_of(text: str) -> list[Any]:
    """One JSON value, or one on each line."""
    try:
        return [msgspec.json.decode(text)]
    except msgspec.DecodeError:
        lines = [line for line in text.splitlines() if line.strip()]
        if len(lines) < 2:
            raise
        return [msgspec.json.decode(line) for line in lines]


def unwrapped(value: Any, columns: Sequence[Column], depth: int = 0, *, are_asked: bool) -> list[Row]:
    """The rows within what a container puts around them. are_asked: a list of a row's values is that row."""
    names = {column.name for column in columns}
    if isinstance(value, list):
        is_flat = not any(isinstance(each, list | dict) for each in value)
        is_row = are_asked and is_flat and len(columns) > 1
        return [value] if is_row else [plain(each) for each in value]
    if not isinstance(value, dict) or names & value.keys() or depth > DEEPEST:
        return [value]
    listed = value.get("columns")
    if isinstance(listed, list) and isinstance(value.get("data"), list):
        return [dict(zip(listed, row, strict=False)) if isinstance(row, list) else row for row in value["data"]]
    for wrapper in WRAPPERS:
        if isinstance(value.get(wrapper), list | dict):
            return unwrapped(value[wrapper], columns, depth + 1, are_asked=are_asked)
    return [plain(value)]


def plain(row: Any) -> Row:
    """A row without the name that some containers give its list."""
    listed = row.get("features") if isinstance(row, dict) else None
    found: Row = listed if isinstance(listed, list) else row
    return found


def from_csv(text: str, columns: Sequence[Column], where: str) -> list[Row]:
    """Cells as their columns take them; a first line of the columns' own names is a header."""
    try:
        lines = [line for line in csv.reader(io.StringIO(text.strip("\r\n")), strict=True) if line]
    except csv.Error as e:
        raise BadField(field=f"{where}.data", value=text[:40], expected=f"CSV ({e})") from e
    if sum(len(line) for line in lines) > MOST_CELLS:
        raise BadField(field=f"{where}.data", value="too many cells", expected=f"at most {MOST_CELLS:,}")
    named = {column.name: column for column in columns}
    if lines and set(lines[0]) <= named.keys():
        header = lines[0]
        return [{name: cell(text, named[name]) for name, text in zip(header, line, strict=False)} for line in lines[1:]]
    by_place = [*columns]
    return [
        [cell(text, by_place[at]) if len(line) == len(by_place) else guessed(text) for at, text in enumerate(line)]
        for line in lines
    ]


def cell(text: str, column: Column) -> Any:
    """A cell as its column takes it; what does not fit stays a text, which the signature then refuses."""
    text = text.strip()
    if not text:
        return None
    if column.type in ("number", "integer"):
        return guessed(text)
    if column.type == "boolean":
        return {"true": True, "1": True, "false": False, "0": False}.get(text.lower(), text)
    return text


def guessed(text: str) -> Any:
    """A number where it reads as one."""
    try:
        return int(text)
    except ValueError:
        pass
    try:
        number = float(text)
    except ValueError:
        return text.strip()
    return number if math.isfinite(number) else text.strip()


def as_inputs(row: Row, columns: Sequence[Column], where: str) -> dict[str, Any]:
    """A row by name. Raises BadField for one by position with another number of values."""
    if isinstance(row, Mapping):
        return dict(row)
    values = row if isinstance(row, list) else [row]
    if len(values) != len(columns):
        expected = f"{len(columns)}: {', '.join(column.name for column in columns)}"
        raise BadField(field=f"{where}.data", value=f"a row of {len(values)} values", expected=expected[:300])
    return {column.name: value for column, value in zip(columns, values, strict=True)}
