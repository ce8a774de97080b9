"""ONNX files, written by hand: the few messages of the format that a twin takes, in protobuf's wire form.

The format is https://github.com/onnx/onnx/blob/main/onnx/onnx.proto. ONNX's own library would bring its protobuf along,
of another release than the rest of the house runs with; what is written here is read by ONNX Runtime and others alike.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

Value: TypeAlias = int | str | NDArray[Any]  # an array of whole numbers is a list, any other a tensor

IR_VERSION = 10
OPSET = 18
ML = "ai.onnx.ml"
ML_OPSET = 5  # the first with an ensemble of trees in doubles
FLOAT, DOUBLE = 1, 11
DATA_TYPES = {"float32": FLOAT, "uint8": 2, "int64": 7, "float64": DOUBLE}
INT, STRING, TENSOR, INTS = 2, 3, 4, 7  # types of attributes


class Node(NamedTuple):
    """A step: what it computes, from which values, into which."""

    kind: str
    inputs: Sequence[str]
    output: str
    attributes: Mapping[str, Value] = {}
    domain: str = ""


class Graph(NamedTuple):
    """The steps of a model, from the tensor `rows` of as many columns to tensors of numbers.

    outputs: each with its number of columns. constants: arrays that the steps read. singles: the outputs in 32 bits.
    """

    width: int
    nodes: Sequence[Node]
    outputs: Mapping[str, int]
    constants: Mapping[str, NDArray[Any]]
    singles: frozenset[str] = frozenset()


def to_file(graph: Graph, *, told: Mapping[str, str]) -> bytes:
    """The bytes of the file, the same whoever writes it. told: what it says of itself, as words."""
    inside = [
        *(message(1, node_of(node)) for node in graph.nodes),
        text(2, "twin"),
        *(message(5, tensor_of(value, at)) for at, value in graph.constants.items()),
        message(11, tensor_info("rows", graph.width, DOUBLE)),
        *(
            message(12, tensor_info(at, width, FLOAT if at in graph.singles else DOUBLE))
            for at, width in graph.outputs.items()
        ),
    ]
    return b"".join(
        [
            number(1, IR_VERSION),
            text(2, "taxiway"),
            message(7, inside),
            message(8, [text(1, ""), number(2, OPSET)]),
            message(8, [text(1, ML), number(2, ML_OPSET)]),
            *(message(14, [text(1, key), text(2, value)]) for key, value in told.items()),
        ]
    )


def node_of(node: Node) -> list[bytes]:
    return [
        *(text(1, name) for name in node.inputs),
        text(2, node.output),
        text(3, node.output),
        text(4, node.kind),
        *(message(5, attribute(name, value)) for name, value in node.attributes.items()),
        *([text(7, node.domain)] if node.domain else []),
    ]


def attribute(name: str, value: Value) -> list[bytes]:
    """A setting of a step: a whole number, a word, an array, or whole numbers."""
    head = text(1, name)
    if isinstance(value, np.ndarray) and value.dtype == np.int64:
        return [head, part(8, varints(value)), number(20, INTS)]
    if isinstance(value, np.ndarray):
        return [head, message(5, tensor_of(value, name)), number(20, TENSOR)]
    if isinstance(value, int):
        return [head, number(3, value), number(20, INT)]
    return [head, text(4, value), number(20, STRING)]


def tensor_of(value: NDArray[Any], name: str) -> list[bytes]:
    little = np.ascontiguousarray(value).astype(value.dtype.newbyteorder("<"), copy=False)
    dims = [number(1, size) for size in value.shape]
    return [*dims, number(2, DATA_TYPES[value.dtype.name]), text(8, name), part(9, little.tobytes())]


def tensor_info(name: str, width: int, kind: int) -> list[bytes]:
    """A tensor of that many columns, and any number of rows."""
    shape = [message(1, [text(2, "N")]), message(1, [number(1, width)])]
    return [text(1, name), message(2, [message(1, [number(1, kind), message(2, shape)])])]


# --- protobuf's wire form ---


def number(field: int, value: int) -> bytes:
    return varint(field << 3) + varint(value & (2**64 - 1))


def text(field: int, value: str) -> bytes:
    return part(field, value.encode())


def message(field: int, parts: Iterable[bytes]) -> bytes:
    return part(field, b"".join(parts))


def part(field: int, data: bytes) -> bytes:
    return varint(field << 3 | 2) + varint(len(data)) + data


def varint(value: int) -> bytes:
    """Seven bits to a byte, the lowest first.

    >>> varint(300)
    b'\\xac\\x02'
    """
    found = bytearray()
    while value > 127:
        found.append(value & 127 | 128)
        value >>= 7
    found.append(value)
    return bytes(found)


def varints(values: NDArray[np.int64]) -> bytes:
    """Many at once, none of them negative; packed, which readers of an unpacked list take as well.

    >>> varints(np.array([1, 300]))
    b'\\x01\\xac\\x02'
    """
    groups = range(0, max(int(values.max(initial=0)).bit_length(), 1), 7)
    digits = np.stack([values >> shift & 127 for shift in groups], axis=1).astype(np.uint8)
    left = np.stack([values >> shift > 0 for shift in groups], axis=1)
    left[:, 0] = True
    digits[:, :-1] |= np.where(left[:, 1:], 128, 0).astype(np.uint8)
    return digits[left].tobytes()
