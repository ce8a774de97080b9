"""Arrow's types in our words, and a column's values without the clothes they were stored in. Pure."""

from __future__ import annotations

import math
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.types as pt

from taxiway.datasets.terms import ColumnType, Scalar

LONGEST_TEXT = 120

TESTS: tuple[tuple[ColumnType, tuple[Any, ...]], ...] = (
    ("null", (pt.is_null,)),
    ("boolean", (pt.is_boolean,)),
    ("integer", (pt.is_integer,)),
    ("number", (pt.is_floating, pt.is_decimal)),
    ("string", (pt.is_string, pt.is_large_string)),
    ("date", (pt.is_date,)),
    ("datetime", (pt.is_timestamp,)),
    ("time", (pt.is_time,)),
    ("duration", (pt.is_duration,)),
    ("binary", (pt.is_binary, pt.is_large_binary, pt.is_fixed_size_binary)),
    ("struct", (pt.is_struct,)),
    ("list", (pt.is_list, pt.is_large_list, pt.is_fixed_size_list, pt.is_map)),
)
ORDERED = frozenset({"integer", "number", "string", "date", "datetime", "time", "duration"})


def column_type(stored: Any) -> ColumnType:
    """Our word for an Arrow type; a category has the type of its values. Raises TypeError for one we do not know."""
    plain = plain_type(stored)
    for word, tests in TESTS:
        if any(test(plain) for test in tests):
            return word
    raise TypeError(f"the type {stored} is not one that Taxiway keeps")


def plain_type(stored: Any) -> Any:
    """The type of the values themselves: no dictionary, no extension, no run lengths, no views."""
    if isinstance(stored, pa.BaseExtensionType):
        return plain_type(stored.storage_type)
    if pt.is_dictionary(stored) or pt.is_run_end_encoded(stored):
        return plain_type(stored.value_type)
    if stored == pa.string_view():
        return pa.string()
    if stored == pa.binary_view():
        return pa.binary()
    return stored


def plain(column: Any) -> Any:
    """A column as one array of its plain type. A text or bytes column becomes a large one, past 2 GB too."""
    array = column
    if isinstance(array.type, pa.BaseExtensionType):
        array = array.cast(array.type.storage_type)
    if pt.is_run_end_encoded(array.type):
        array = pa.chunked_array([pc.run_end_decode(chunk) for chunk in array.chunks], array.type.value_type)
    wanted = plain_type(array.type)
    if pt.is_string(wanted):
        wanted = pa.large_string()
    if pt.is_binary(wanted):
        wanted = pa.large_binary()
    if array.type != wanted:
        array = array.cast(wanted)
    combined = array.combine_chunks()
    return combined if isinstance(combined, pa.Array) else pa.concat_arrays(combined.chunks or [pa.array([], wanted)])


def scalar(value: Any) -> Scalar:
    """A value as JSON can say it: times as ISO 8601, bytes as hexadecimal, long texts cut, NaN as text."""
    match value:
        case None | bool() | int():
            return value
        case float():
            return value if math.isfinite(value) else str(value)
        case Decimal():
            return float(value) if value.is_finite() else str(value)
        case datetime() | date() | time():
            return value.isoformat()
        case timedelta():
            return value.total_seconds()
        case bytes():
            text = value.hex()
        case _:
            text = str(value)
    return text if len(text) <= LONGEST_TEXT else text[: LONGEST_TEXT - 1] + "…"


def scalars(array: Any) -> list[Scalar]:
    """An array's values as JSON can say them."""
    if pt.is_timestamp(array.type) and array.type.unit == "ns":
        array = array.cast(pa.timestamp("us", array.type.tz), safe=False)  # Python's datetimes end at microseconds
    if pt.is_duration(array.type) and array.type.unit == "ns":
        array = array.cast(pa.duration("us"), safe=False)
    if pt.is_time64(array.type) and array.type.unit == "ns":
        array = array.cast(pa.time64("us"), safe=False)
    return [scalar(value) for value in array.to_pylist()]
