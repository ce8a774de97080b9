"""The `MLmodel` file of a bundle, so that MLflow's own loaders read the folder as one of theirs.

Written as JSON, which every YAML reader takes: the client needs no YAML library for it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from taxiway.models.predicting.signature import Column, ColumnType, Signature

MLMODEL = "MLmodel"
EXAMPLE = "input_example.json"
MLFLOW_TYPES: dict[ColumnType, str] = {
    "boolean": "boolean",
    "integer": "long",
    "number": "double",
    "string": "string",
    "category": "string",
    "datetime": "datetime",
}
TYPES_OF_MLFLOW: dict[str, ColumnType] = {
    "boolean": "boolean",
    "integer": "integer",
    "long": "integer",
    "float": "number",
    "double": "number",
    "string": "string",
    "datetime": "datetime",
}
TYPES_OF_NUMPY: dict[str, ColumnType] = {"float": "number", "int": "integer", "uint": "integer", "bool": "boolean"}
MOST_PLACES = 10_000


def mlmodel_file(signature: Signature, flavors: Mapping[str, Mapping[str, Any]]) -> bytes:
    """The bytes of `MLmodel`: MLflow's flavors by name, the signature in its words, where the example is.

    No time is in it: the same model makes the same bytes.
    """
    answers = [column for column in signature.outputs if column.name == "prediction"]
    document = {
        "flavors": flavors,
        "saved_input_example_info": {
            "artifact_path": EXAMPLE,
            "pandas_orient": "split",
            "type": "dataframe",
        },
        "signature": {
            "inputs": _columns(signature.inputs),
            "outputs": _columns(answers, is_named=False),
            "params": None,
        },
    }
    return msgspec.json.format(msgspec.json.encode(document), indent=2) + b"\n"


def example_file(columns: Mapping[str, Sequence[object]]) -> bytes:
    """The bytes of the input example, `{"columns": [names], "data": [rows]}`, which both houses read."""
    rows = [list(row) for row in zip(*columns.values(), strict=True)]
    return msgspec.json.encode({"columns": list(columns), "data": rows})


def read_example(data: bytes) -> list[dict[str, Any]]:
    """The rows of an input example as objects.

    >>> read_example(example_file({"a": [1, 2]}))
    [{'a': 1}, {'a': 2}]
    """
    document = msgspec.json.decode(data)
    return [dict(zip(document["columns"], row, strict=True)) for row in document["data"]]


def read_columns(schema: str, *, unnamed: str) -> tuple[tuple[Column, ...], str]:
    """The columns of a schema as MLflow writes it, and what about it is no column that we know; empty if all are.

    unnamed: what columns without a name are called; several get a number. An array of numbers, rows by columns,
    is as many columns.

    >>> read_columns('[{"type": "long", "name": "age", "required": true}]', unnamed="x")
    ((Column(name='age', type='integer'),), '')
    """
    try:
        entries = msgspec.json.decode(schema, type=list[dict[str, Any]])
    except msgspec.DecodeError as e:
        return (), f"cannot be read ({e})"
    if len(entries) == 1 and entries[0].get("type") == "tensor":
        return array_columns(entries[0], unnamed=unnamed)
    columns = []
    for index, entry in enumerate(entries):
        kind = TYPES_OF_MLFLOW.get(str(entry.get("type")))
        if kind is None:
            return (), f"has a column of type {entry.get('type')!r}"
        name = entry.get("name") or (unnamed if len(entries) == 1 else f"{unnamed}{index}")
        columns.append(Column(name=str(name), type=kind, nullable=entry.get("required") is False))
    return tuple(columns), ""


def array_columns(entry: Mapping[str, Any], *, unnamed: str) -> tuple[tuple[Column, ...], str]:
    """A column for each place in a row of an array."""
    spec = entry.get("tensor-spec")
    spec = spec if isinstance(spec, dict) else {}
    shape, kind = spec.get("shape"), TYPES_OF_NUMPY.get(str(spec.get("dtype", "")).rstrip("0123456789"))
    if kind is None:
        return (), f"is an array of {spec.get('dtype')!r}"
    if shape == [-1]:
        return (Column(name=unnamed, type=kind),), ""
    if not (isinstance(shape, list) and len(shape) == 2 and isinstance(shape[1], int) and 0 < shape[1] <= MOST_PLACES):
        return (), f"is an array of the shape {shape}"
    return tuple(Column(name=f"{unnamed}{place}", type=kind) for place in range(shape[1])), ""


def _columns(columns: Sequence[Column], *, is_named: bool = True) -> str:
    """MLflow keeps a schema as JSON inside a string. A model's plain answer has a type and no name."""
    entries = [
        {"type": MLFLOW_TYPES[column.type]}
        | ({"name": column.name, "required": not column.nullable} if is_named else {})
        for column in columns
    ]
    return msgspec.json.encode(entries).decode()
