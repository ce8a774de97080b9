"""The JSON bodies that MLflow's scoring server documents, read as rows."""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import Raw, Struct

from taxiway.compat.tabular import (
    FormRefused,
    column_rows,
    excerpt,
    fields_decoder,
    fields_of,
    flag,
    rows_of,
    split_rows,
    starts,
    values_decoder,
    values_of,
)
from taxiway.endpoints.gateway.dialects import Call

FORMS = ("dataframe_split", "dataframe_records", "instances", "inputs")
MARKS = (b'"dataframe_', b'"instances"', b'"inputs"')
ACCEPTED = "an object with one of dataframe_split, dataframe_records, instances, inputs"
KNOWN = frozenset([*FORMS, "params", "signature_name"])


class Split(Struct):
    """pandas' `split`: names once, then the values of each row."""

    data: list[Raw]
    columns: list[str | int] | None = None
    index: list[Any] | None = None


split_decoder = msgspec.json.Decoder(Split)


def mlflow_fields(body: bytes) -> dict[str, Raw] | None:
    """The fields of a body in one of MLflow's forms, None of any other; none at all where it is too broken to read.

    It is in one of them where one of their names leads to an array or an object. No field of a row can hold those,
    so a row with a field `inputs` is still a row of ours.
    """
    head = body[:64].lstrip(b" \t\r\n")
    first = head[1:].lstrip(b" \t\r\n")
    if head[:1] != b"{" or first.startswith(b'"rows"') or not any(mark in body for mark in MARKS):
        return None
    try:
        fields = fields_decoder.decode(body)
    except (msgspec.DecodeError, ValueError, RecursionError):
        return {} if first.startswith(MARKS) else None  # only the first name can tell whose it is
    return fields if any(name in fields and starts(fields[name]) in (b"[", b"{") for name in FORMS) else None


def read_rows(call: Call, fields: dict[str, Raw]) -> tuple[list[bytes], bool, list[str]]:
    """The rows, whether whole answers are asked for, and the names of the parameters that nothing here takes.

    Raises BodyRefused, FormRefused, TooLarge, NotYetKnown.
    """
    fields = fields or fields_of(call.body, ACCEPTED)
    given = [name for name in FORMS if name in fields]
    if len(given) > 1:
        raise FormRefused(field="The body", found=" and ".join(given), expected="one of them")
    unknown = sorted(fields.keys() - KNOWN)
    if unknown:
        raise FormRefused(field="The body", found=f"the field {unknown[0]!r}", expected=ACCEPTED)
    params = params_of(fields)
    rows = read_form(given[0], fields[given[0]], call)
    return rows, flag(params, "score", "params"), sorted(params.keys() - {"score"})


def read_form(name: str, raw: Raw, call: Call) -> list[bytes]:
    """The rows of one of the forms."""
    if name == "dataframe_split":
        try:
            split = split_decoder.decode(raw)
        except msgspec.ValidationError as e:
            raise FormRefused(field=name, found=str(e), expected='{"columns": [names], "data": [rows]}') from e
        if split.columns is None or split.columns == [*range(len(split.columns))]:  # pandas' own numbers, for no names
            return rows_of(split.data, call, f"{name}.data")
        return split_rows([*map(str, split.columns)], split.data, call, name)
    if starts(raw) == b"{":
        if name == "dataframe_records":
            raise FormRefused(field=name, found="an object", expected="an array of objects")
        return columns_or_row(fields_decoder.decode(raw), raw, call, name)
    values = values_of(raw, name)
    for number, value in enumerate(values if name == "dataframe_records" else ()):
        if starts(value) != b"{":
            raise FormRefused(field=f"{name}[{number}]", found=excerpt(value), expected="an object")
    return rows_of(values, call, name)


def columns_or_row(fields: dict[str, Raw], raw: Raw, call: Call, name: str) -> list[bytes]:
    """An object of arrays is columns; one without any array is a row. Raises FormRefused for a mixture."""
    arrays = [column for column, value in fields.items() if starts(value) == b"["]
    if not arrays:
        return rows_of([raw], call, name)
    if len(arrays) < len(fields):
        column = next(c for c in fields if c not in arrays)
        found = excerpt(fields[column])
        raise FormRefused(field=f"{name}.{column}", found=found, expected="an array, as the other columns are")
    return column_rows({column: values_decoder.decode(value) for column, value in fields.items()}, call, name)


def params_of(fields: dict[str, Raw]) -> dict[str, Any]:
    """MLflow's parameters of inference. Raises FormRefused."""
    raw = fields.get("params")
    if raw is None or starts(raw) == b"n":
        return {}
    if starts(raw) != b"{":
        raise FormRefused(field="params", found=excerpt(raw), expected="an object")
    found: dict[str, Any] = msgspec.json.decode(raw)
    return found
