"""Whatever a caller holds, as rows that travel: objects with plain values."""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec

from taxiway.kernel.errors import BadField
from taxiway.models.predicting.signature import Column

Row = dict[str, Any]
TRUTHS = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}


def as_rows(given: Any) -> list[Row]:
    """One object, a sequence of them, or any frame that narwhals knows. Raises BadField."""
    if isinstance(given, Mapping):
        return [plain_row(given)]
    if isinstance(given, Sequence) and not isinstance(given, str | bytes):
        for number, row in enumerate(given):
            if not isinstance(row, Mapping):
                raise BadField(field=f"rows[{number}]", value=repr(row)[:60], expected="an object with named fields")
        return [plain_row(row) for row in given]
    return [plain_row(row) for row in frame_rows(given)]


def frame_rows(frame: Any) -> list[Row]:
    """A frame's rows as objects. Raises BadField for what is no frame."""
    import narwhals as nw

    try:
        found: list[Row] = nw.from_native(frame, eager_only=True).rows(named=True)
    except TypeError as e:
        expected = "an object, a list of objects, or a DataFrame or Arrow table"
        raise BadField(field="rows", value=type(frame).__name__, expected=expected) from e
    return found


def plain_row(row: Mapping[str, Any]) -> Row:
    return {str(name): plain(value) for name, value in row.items()}


def plain(value: Any) -> Any:
    """A value as JSON has it: numbers of array libraries become Python's, times become texts, NaN becomes null."""
    if isinstance(value, float):
        return as_float(value)
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, datetime):
        return as_text(value)
    item = getattr(value, "item", None)  # a NumPy scalar
    return plain(item()) if callable(item) else value


def as_float(value: float) -> Any:
    if math.isnan(value):
        return None
    return float(value) if math.isfinite(value) else ("Infinity" if value > 0 else "-Infinity")


def as_texts(given: Any) -> str | list[str]:
    """An event time, or one for each row, in RFC 3339. Raises BadField for a time without its zone."""
    if isinstance(given, str | datetime):
        return as_text(given)
    return [as_text(each) for each in given]


def as_text(at: str | datetime) -> str:
    if isinstance(at, str):
        return at
    if at.tzinfo is None:
        raise BadField(field="event_at", value=repr(at), expected="a time with its zone, such as one in UTC")
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")


# --- texts: files for the command line, fields of a form ---


def parse(text: str, name: str, inputs: Sequence[Column] = ()) -> list[Row]:
    """The rows in a file: JSON (an object, an array, or an object with `rows`), JSON lines, or CSV by its columns.

    A CSV is told by its name, or by not beginning like JSON. Raises BadField.
    """
    if not is_json(text, name):
        by_name = {column.name: column for column in inputs}
        read = csv.DictReader(io.StringIO(text))
        return [{f: value_of(by_name.get(f), v) for f, v in row.items() if f is not None} for row in read]
    if name.endswith(".jsonl"):
        return json_lines(text, name)
    try:
        found = msgspec.json.decode(text)
    except msgspec.DecodeError:
        if is_lines(text):
            return json_lines(text, name)
        raise broken(text, name) from None
    if isinstance(found, dict):
        found = found["rows"] if isinstance(found.get("rows"), list) else [found]
    return as_rows(found)


def is_json(text: str, name: str) -> bool:
    """Whether a file holds JSON, and not CSV."""
    if name.endswith((".json", ".jsonl")):
        return True
    return text.lstrip()[:1] in ("{", "[") and not name.endswith(".csv")


def is_lines(text: str) -> bool:
    """Whether the first line is an object of its own: then the file was meant as JSON lines."""
    first = text.lstrip().split("\n", 1)[0].strip()
    return first.startswith("{") and first.endswith("}")


def broken(text: str, name: str) -> BadField:
    """Where a text stops being JSON."""
    try:
        json.loads(text)
    except ValueError as e:
        line, column, problem = (e.lineno, e.colno, e.msg) if isinstance(e, json.JSONDecodeError) else (1, 1, str(e))
        shown = text.splitlines()[line - 1].strip()[:40] if line <= len(text.splitlines()) else "the end of the file"
        expected = f"JSON; it is broken at column {column} ({problem})"
        return BadField(field=f"{name}, line {line}", value=repr(shown), expected=expected)
    return BadField(field=name, value=repr(text[:40]), expected="JSON")


def json_lines(text: str, name: str) -> list[Row]:
    """An object per line. Raises BadField, naming the line."""
    found = []
    for number, line in enumerate(text.splitlines(), start=1):
        if line.strip():
            try:
                found.append(msgspec.json.decode(line, type=dict[str, Any]))
            except msgspec.DecodeError as e:
                raise BadField(field=f"{name}, line {number}", value=line[:40], expected=f"a JSON object ({e})") from e
    return found


def value_of(column: Column | None, text: str | None) -> Any:
    """A text as its column's value; what does not fit goes on as it is, so that the refusal names row and field."""
    if column is None or text is None:
        return text
    if text == "" and column.type not in ("string", "category"):
        return None
    match column.type:
        case "boolean":
            return TRUTHS.get(text.strip().lower(), text)
        case "integer" | "number":
            return number_of(text)
        case _:
            return None if text == "" and column.nullable else text


def number_of(text: str) -> Any:
    try:
        return int(text)
    except ValueError:
        pass
    try:
        found = float(text)
    except ValueError:
        return text
    return as_float(found)
