"""How tensors and the columns of a signature map onto each other.

A tensor for each column, of the shape [rows] or [rows, 1], under the column's name; or, where every input is a
number or a truth value, one tensor [rows, columns] of numbers under any other name, in the signature's order.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import Any

import msgspec
from msgspec import UnsetType

from taxiway.compat.openinference.datatypes import datatype_of, is_numeric
from taxiway.compat.openinference.tensors import Request, Tensor, TensorRefused, read_request, size_of, values_of
from taxiway.compat.tabular import inputs_of
from taxiway.endpoints.blocks import LETTERS, MANY, TRUTHS, Block, BlockRows
from taxiway.endpoints.gateway.dialects import Call
from taxiway.endpoints.gateway.requests import Asked
from taxiway.models.predicting.signature import Column

NUMBERS = frozenset(["boolean", "integer", "number"])
encode = msgspec.json.Encoder().encode


def read_rows(call: Call) -> tuple[Asked, Request]:
    """The rows of a request. Raises TensorRefused, FormRefused, BodyRefused, TooLarge, NotYetKnown."""
    inputs = inputs_of(call)
    request, rest = read_request(call)
    if rest and (block := block_of(request.inputs, rest, inputs, call)) is not None:
        return Asked(BlockRows(block)), request
    values = values_of(request, rest, call)
    if is_matrix(request.inputs, inputs):
        columns = matrix(request.inputs[0], values[0], inputs)
    else:
        by_name = {column.name: column for column in inputs}
        columns = {
            tensor.name: column_of(tensor, found, by_name, request.inputs[0].shape[0])
            for tensor, found in zip(request.inputs, values, strict=True)
        }
    names = list(columns)
    rows = [encode(dict(zip(names, row, strict=True))) for row in zip(*columns.values(), strict=True)]
    return Asked(rows), request


def block_of(tensors: Sequence[Tensor], rest: memoryview, inputs: Sequence[Column], call: Call) -> Block | None:
    """The one tensor of many rows as it came, where it is of bytes that models compute in, and there is no flaw in it.

    Raises TensorRefused, TooLarge, BodyRefused.
    """
    tensor, width = tensors[0], len(inputs)
    if not is_matrix(tensors, inputs) or tensor.shape[1:] != [width] or tensor.shape[0] < MANY:
        return None
    count = size_of(tensor, call)
    is_plain = isinstance(tensor.data, UnsetType) and all(column.type in NUMBERS for column in inputs)
    match tensor.datatype:
        case "FP32" | "FP64" as datatype if is_plain:
            size = count * struct.calcsize(LETTERS[datatype])
            if tensor.binary_size != size or len(rest) != size:
                return None
            truths = tuple(place for place, column in enumerate(inputs) if column.type == "boolean")
            return Block(datatype, tensor.shape[0], tuple(c.name for c in inputs), bytes(rest), truths)
    return None


def is_matrix(tensors: Sequence[Tensor], inputs: Sequence[Column]) -> bool:
    """Whether one tensor holds all columns: it is alone, and under no column's name or too wide for one."""
    first = tensors[0]
    return len(tensors) == 1 and (first.name not in {c.name for c in inputs} or first.shape[1:] not in ([], [1]))


def matrix(tensor: Tensor, values: list[Any], inputs: Sequence[Column]) -> dict[str, list[Any]]:
    """The columns of one tensor, in the signature's order. Raises TensorRefused."""
    names = ", ".join(column.name for column in inputs)
    other = next((column for column in inputs if column.type not in NUMBERS), None)
    if other is not None or not is_numeric(tensor.datatype):
        what = f"{other.name} is no number" if other is not None else f"{tensor.datatype} holds no numbers"
        problem = f"one tensor for all columns must be of numbers, and {what}; send a tensor for each of {names}"
        raise TensorRefused(tensor=tensor.name, problem=problem)
    width = len(inputs)
    if tensor.shape[1:] != [width]:
        problem = f"its shape is {tensor.shape}; give [rows, {width}] for {names}"
        raise TensorRefused(tensor=tensor.name, problem=problem)
    found = {column.name: values[number::width] for number, column in enumerate(inputs)}
    for column in inputs:
        if column.type == "boolean":
            found[column.name] = [TRUTHS.get(value, value) for value in found[column.name]]
    return found


def column_of(tensor: Tensor, values: list[Any], by_name: dict[str, Column], rows: int) -> list[Any]:
    """The values of one column. Raises TensorRefused."""
    column = by_name.get(tensor.name)
    if column is None:
        names = ", ".join(by_name)
        raise TensorRefused(tensor=tensor.name, problem=f"the model has no such input; give {names}")
    wanted = datatype_of(column)
    if tensor.datatype != wanted and not (is_numeric(tensor.datatype) and is_numeric(wanted)):
        problem = f"the datatype {tensor.datatype} is not accepted; give {wanted}"
        raise TensorRefused(tensor=tensor.name, problem=problem)
    if tensor.shape not in ([rows], [rows, 1]):
        problem = f"its shape is {tensor.shape}; give [{rows}] or [{rows}, 1], as many rows as the first tensor has"
        raise TensorRefused(tensor=tensor.name, problem=problem)
    return values
