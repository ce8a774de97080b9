"""The `MLmodel` file of a bundle, so that MLflow's own loaders read the folder as one of theirs.

Written as JSON, which every YAML reader takes: the client needs no YAML library for it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from taxiway.models.signature import Column, ColumnType, Signature

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


def _columns(columns: Sequence[Column], *, is_named: bool = True) -> str:
    """MLflow keeps a schema as JSON inside a string. A model's plain answer has a type and no name."""
    entries = [
        {"type": MLFLOW_TYPES[column.type]}
        | ({"name": column.name, "required": not column.nullable} if is_named else {})
        for column in columns
    ]
    return msgspec.json.encode(entries).decode()
