"""Requests of the protocol, read: tensors out of JSON and of the bytes behind it, as one column of values each."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any

import msgspec
from msgspec import UNSET, Raw, Struct, UnsetType

from taxiway.compat.openinference.datatypes import DATATYPES, Unfit, from_bytes, from_json
from taxiway.compat.tabular import FormRefused, check_once
from taxiway.endpoints.gateway.dialects import Call
from taxiway.endpoints.gateway.requests import AT_LEAST_ONE, check_count, unreadable
from taxiway.endpoints.refusals import BodyRefused
from taxiway.kernel.errors import TaxiwayError
from taxiway.models.predicting.signature import shown

HEAD_LENGTH = b"inference-header-content-length"
MOST_DIGITS = 18  # of a length; Python refuses to read thousands of them
ACCEPTED = '{"inputs": [{"name", "shape", "datatype", "data"}]}'


class Tensor(Struct):
    """An input as it is asked for. shape: its first number counts rows.

    Here and in the others null is what is not there, as clients write it that say every field.
    """

    name: str
    shape: list[int]
    datatype: str
    data: Raw | UnsetType = UNSET
    parameters: dict[str, Any] | None = None

    def __post_init__(self) -> None:
        if not isinstance(self.data, UnsetType) and bytes(self.data) == b"null":
            self.data = UNSET

    @property
    def binary_size(self) -> Any:
        return (self.parameters or {}).get("binary_data_size")


class Output(Struct):
    """An output that is asked for."""

    name: str
    parameters: dict[str, Any] | None = None


class Request(Struct):
    """A request to infer. What else it holds, such as Triton's sequences, is left alone."""

    inputs: list[Tensor]
    id: str | None = None
    parameters: dict[str, Any] | None = None
    outputs: list[Output] | None = None


class TensorRefused(TaxiwayError):
    """A tensor that cannot be read: which, where in it, and why."""

    status = 400
    tensor: str
    problem: str
    row: int | None = None

    def __str__(self) -> str:
        where = "" if self.row is None else f", row {self.row}"
        return f"The tensor {self.tensor!r}{where}: {self.problem}."


request_decoder = msgspec.json.Decoder(Request)
data_decoder = msgspec.json.Decoder(list[Any])


def read_request(call: Call) -> tuple[Request, memoryview]:
    """The request and the bytes behind its JSON. Raises BodyRefused, FormRefused."""
    text, rest = parted(call)
    try:
        request = request_decoder.decode(text)
    except RecursionError as e:
        raise BodyRefused(problem="it is nested too deeply", accepted=ACCEPTED) from e
    except (msgspec.DecodeError, ValueError) as e:
        raise BodyRefused(problem=unreadable(bytes(text), e), accepted=ACCEPTED) from e
    if not request.inputs:
        raise FormRefused(field="inputs", found="an empty array", expected="a tensor for each input")
    check_once("inputs", [tensor.name for tensor in request.inputs])
    check_once("outputs", [output.name for output in request.outputs or ()])
    check_truth("parameters.binary_data_output", (request.parameters or {}).get("binary_data_output"))
    for output in request.outputs or ():
        check_truth(f"outputs.{output.name}.parameters.binary_data", (output.parameters or {}).get("binary_data"))
    return request, rest


def check_truth(field: str, found: Any) -> None:
    """Refuses what is neither true nor false. Raises FormRefused."""
    if found is not None and not isinstance(found, bool):
        raise FormRefused(field=field, found=shown(found), expected="true or false")


def parted(call: Call) -> tuple[memoryview, memoryview]:
    """The JSON of a body and what follows it, by the header that says how long the JSON is. Raises FormRefused."""
    body = memoryview(call.body)
    given = call.headers.get(HEAD_LENGTH)
    if given is None:
        return body, body[len(body) :]
    if not given.isdigit() or len(given) > MOST_DIGITS or int(given) > len(body):
        expected = f"the number of bytes of the JSON part, at most the {len(body)} of the body"
        raise FormRefused(
            field="Inference-Header-Content-Length", found=given[:20].decode("latin-1"), expected=expected
        )
    return body[: int(given)], body[int(given) :]


def values_of(request: Request, rest: memoryview, call: Call) -> list[list[Any]]:
    """The values of every tensor, row by row, flat. Raises TensorRefused, FormRefused, TooLarge, BodyRefused."""
    found: list[list[Any]] = []
    for tensor in request.inputs:
        count = size_of(tensor, call)
        size = tensor.binary_size
        try:
            if size is None:
                found.append(from_json(tensor.datatype, flat(tensor, count)))
            else:
                data, rest = cut(tensor, size, rest)
                found.append(from_bytes(tensor.datatype, data, count))
        except Unfit as e:
            width = count // tensor.shape[0]
            raise TensorRefused(tensor=tensor.name, row=e.index // width, problem=e.problem) from e
    if rest:
        expected = "as many as the tensors say in binary_data_size"
        raise FormRefused(field="The binary part", found=f"{len(rest)} bytes more", expected=expected)
    return found


def size_of(tensor: Tensor, call: Call) -> int:
    """How many values a tensor has. Raises TensorRefused, TooLarge, BodyRefused."""
    if tensor.datatype not in DATATYPES:
        problem = f"the datatype {tensor.datatype} is not known; give one of {', '.join(sorted(DATATYPES))}"
        raise TensorRefused(tensor=tensor.name, problem=problem)
    if not 1 <= len(tensor.shape) <= 2 or min(tensor.shape) < 0 or tensor.shape[1:] == [0]:
        problem = f"the shape {tensor.shape} is not accepted; give [rows] or [rows, columns]"
        raise TensorRefused(tensor=tensor.name, problem=problem)
    check_count(tensor.shape[0], call.limits, AT_LEAST_ONE)
    return prod(tensor.shape)


def flat(tensor: Tensor, count: int) -> Sequence[Any]:
    """The values of a tensor in JSON, which may be nested by its shape or flat. Raises TensorRefused."""
    if isinstance(tensor.data, UnsetType):
        raise TensorRefused(tensor=tensor.name, problem="it has neither data nor a binary_data_size")
    try:
        values = data_decoder.decode(tensor.data)
    except (msgspec.DecodeError, RecursionError) as e:
        raise TensorRefused(tensor=tensor.name, problem=f"its data cannot be read as an array ({e})") from e
    if len(tensor.shape) == 2 and values and all(type(value) is list for value in values):
        width = tensor.shape[1]
        for row, inner in enumerate(values):
            if len(inner) != width:
                raise TensorRefused(tensor=tensor.name, row=row, problem=f"{len(inner)} values; its shape has {width}")
        values = [value for inner in values for value in inner]
    if len(values) != count:
        problem = f"it has {len(values)} values, and its shape {tensor.shape} holds {count}"
        raise TensorRefused(tensor=tensor.name, problem=problem)
    return values


def cut(tensor: Tensor, size: Any, rest: memoryview) -> tuple[memoryview, memoryview]:
    """The bytes of a tensor and those that follow. Raises TensorRefused."""
    if not isinstance(tensor.data, UnsetType):
        raise TensorRefused(tensor=tensor.name, problem="it has both data and a binary_data_size")
    if type(size) is not int or not 0 <= size <= len(rest):
        problem = f"its binary_data_size is {size}, and {len(rest)} bytes are left of the body"
        raise TensorRefused(tensor=tensor.name, problem=problem)
    return rest[:size], rest[size:]
