"""Answers of the protocol: a tensor for each column of the answers, in JSON or as bytes behind it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from taxiway.compat.answers import object_decoder
from taxiway.compat.openinference.datatypes import datatype_of, to_bytes, to_json
from taxiway.compat.openinference.tensors import HEAD_LENGTH, Output, Request
from taxiway.compat.tabular import FormRefused
from taxiway.endpoints.blocks import TextRows, ToldRows, values_of
from taxiway.endpoints.gateway.dialects import Answer, Call, Given
from taxiway.models.predicting.signature import NON_FINITE, Signature

KINDS: dict[str, tuple[type, ...]] = {"BOOL": (bool,), "INT64": (int,), "FP64": (float, int), "BYTES": (str,)}
decoded = object_decoder.decode
rows_decoder = msgspec.json.Decoder(list[dict[str, Any]])
OCTETS = b"application/octet-stream"


def write(call: Call, request: Request, given: Given) -> Answer:
    """The outputs that were asked for. Raises FormRefused for one that there is not."""
    columns, signature = columns_of(given.outputs), call.signature
    fields = {each.name: each for each in given.outputs.told.fields} if isinstance(given.outputs, ToldRows) else {}
    said: list[dict[str, Any]] = []
    behind: list[bytes] = []
    for output in asked(request, columns):
        field, values, is_bytes = fields.get(output.name), columns[output.name], is_binary(output, request)
        if field is not None and declared(field.name, signature) in ("", field.datatype):
            datatype, data = str(field.datatype), field.data
        else:
            datatype, values = typed(output.name, values, signature)
            data = to_bytes(datatype, values) if is_bytes else b""
        tensor: dict[str, Any] = {"name": output.name, "datatype": datatype, "shape": [len(values)]}
        if is_bytes:
            behind.append(data)
            tensor["parameters"] = {"binary_data_size": len(behind[-1])}
        else:
            tensor["data"] = to_json(datatype, values)
        said.append(tensor)
    head = {} if request.id is None else {"id": request.id}
    served = given.served
    named = {"model_name": call.name, "model_version": str(served.number) if served else ""}
    text = msgspec.json.encode({**named, **head, "outputs": said})
    if not behind:
        return Answer(200, text)
    return Answer(200, text + b"".join(behind), [(HEAD_LENGTH, b"%d" % len(text))], OCTETS)


def columns_of(outputs: Sequence[bytes]) -> dict[str, Sequence[Any]]:
    """The answers column by column; an answer without one of them has null there."""
    if isinstance(outputs, ToldRows):
        return {field.name: values_of(field, len(outputs)) for field in outputs.told.fields}
    rows = rows_decoder.decode(outputs.text) if isinstance(outputs, TextRows) else [*map(decoded, outputs)]
    names = dict.fromkeys(name for row in rows for name in row)
    return {name: [row.get(name) for row in rows] for name in names}


def asked(request: Request, columns: dict[str, Sequence[Any]]) -> list[Output]:
    """The outputs to write: those asked for in their order, or all."""
    if not request.outputs:
        return [Output(name) for name in columns]
    for output in request.outputs:
        if output.name not in columns:
            raise FormRefused(field="outputs", found=repr(output.name), expected=", ".join(columns))
    return request.outputs


def is_binary(output: Output, request: Request) -> bool:
    """Whether an output goes as bytes: what is said of it goes before what is said of all."""
    said = (output.parameters or {}).get("binary_data")
    return (request.parameters or {}).get("binary_data_output") is True if said is None else said is True


def typed(name: str, values: Sequence[Any], signature: Signature | None) -> tuple[str, Sequence[Any]]:
    """A datatype that holds all of the values, the signature's where it does, and the values in it."""
    plain = [NON_FINITE.get(value, value) if isinstance(value, str) else value for value in values]
    said = declared(name, signature)
    for datatype in (said or "BOOL", "BOOL", "INT64", "FP64"):
        if datatype != "BYTES" and all(fits(value, datatype) for value in plain):
            return datatype, [float("nan") if value is None else value for value in plain]
    return "BYTES", [v if isinstance(v, str) else msgspec.json.encode(v).decode() for v in values]


def declared(name: str, signature: Signature | None) -> str:
    """The datatype that the signature has an output in; empty where it does not say."""
    column = next((c for c in signature.outputs if c.name == name), None) if signature is not None else None
    return "" if column is None else datatype_of(column)


def fits(value: Any, datatype: str) -> bool:
    return (value is None and datatype == "FP64") or type(value) in KINDS[datatype]
