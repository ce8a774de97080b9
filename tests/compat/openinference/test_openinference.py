"""Callers of the Open Inference Protocol at a real gateway, in JSON and in bytes."""

from __future__ import annotations

import struct
from typing import Any

import msgspec
import pytest

from taxiway.compat.openinference.dialect import OpenInference
from taxiway.compat.openinference.tensors import TensorRefused
from taxiway.compat.tabular import FormRefused
from taxiway.endpoints.blocks import BlockRows
from taxiway.endpoints.gateway.dialects import Call, Shown, Standing
from taxiway.endpoints.gateway.requests import Asked
from taxiway.endpoints.refusals import RevisionElsewhere
from taxiway.endpoints.worker.held import Limits
from taxiway.models.predicting.signature import Column, Signature
from tests.compat.conftest import Adder, Said

INFER = "/v2/models/adder/infer"
X = {"name": "x", "shape": [2], "datatype": "FP64", "data": [1, 2.5]}


def infer(adder: Adder, *inputs: dict[str, Any], **more: Any) -> Said:
    return adder.send("POST", INFER, {"inputs": inputs, **more})


def binary(adder: Adder, request: dict[str, Any], data: bytes, length: int | str | None = None) -> Said:
    """As Triton's client sends it: without a content type."""
    text = msgspec.json.encode(request)
    head = {"Inference_Header_Content_Length": str(len(text) if length is None else length), "Content_Type": ""}
    return adder.send("POST", INFER, text + data, **head)


def tensor(name: str, datatype: str, size: int, *shape: int) -> dict[str, Any]:
    return {"name": name, "datatype": datatype, "shape": shape, "parameters": {"binary_data_size": size}}


def test_tensors_are_answered_with_tensors(adder: Adder) -> None:
    answer = infer(adder, X, id="mine")

    assert answer.json == {
        "model_name": "adder",
        "model_version": "1",
        "id": "mine",
        "outputs": [
            {"name": "prediction", "datatype": "FP64", "shape": [2], "data": [2.0, 3.5]},
            {"name": "score", "datatype": "FP64", "shape": [2], "data": [0.5, 0.5]},
        ],
    }


@pytest.mark.parametrize(
    "x",
    [
        {"shape": [2, 1], "data": [[1], [2.5]]},
        {"shape": [2, 1], "data": [1, 2.5]},
        {"datatype": "FP32", "data": [1, 2.5]},
    ],
)
@pytest.mark.parametrize("mood", [[], [{"name": "mood", "shape": [2], "datatype": "BYTES", "data": ["calm", None]}]])
def test_data_is_nested_or_flat(adder: Adder, x: dict[str, Any], mood: list[dict[str, Any]]) -> None:
    answer = infer(adder, {**X, **x}, *mood, outputs=[{"name": "prediction"}])

    assert [output["data"] for output in answer.json["outputs"]] == [[2.0, 3.5]]
    assert "id" not in answer.json


@pytest.mark.parametrize(
    ("datatype", "code"), [("FP64", "d"), ("FP32", "f"), ("FP16", "e"), ("INT64", "q"), ("UINT8", "B"), ("INT16", "h")]
)
def test_bytes_in_bring_bytes_out_where_they_are_asked_for(adder: Adder, datatype: str, code: str) -> None:
    data = struct.pack(f"<2{code}", 1, 2) + b"\x04\0\0\0calm\0\0\0\0"
    inputs = [tensor("x", datatype, len(data) - 12, 2, 1), tensor("mood", "BYTES", 12, 2)]
    wished = [{"name": "score"}, {"name": "prediction", "parameters": {"binary_data": True}}]

    answer = binary(adder, {"inputs": inputs, "outputs": wished}, data)

    size = int(answer.headers["inference-header-content-length"])
    score, prediction = msgspec.json.decode(answer.body[:size])["outputs"]
    assert score["data"] == [0.5, 0.5]
    assert prediction["parameters"] == {"binary_data_size": 16}
    assert struct.unpack("<2d", answer.body[size:]) == (2.0, 3.0)
    assert answer.headers["content-type"] == "application/octet-stream"


def test_what_is_said_of_one_output_goes_before_what_is_said_of_all(adder: Adder) -> None:
    wished = [{"name": "prediction", "parameters": {"binary_data": False}}, {"name": "score"}]

    answer = infer(adder, X, outputs=wished, parameters={"binary_data_output": True})

    size = int(answer.headers["inference-header-content-length"])
    prediction, score = msgspec.json.decode(answer.body[:size])["outputs"]
    assert (prediction["data"], score["parameters"]) == ([2.0, 3.5], {"binary_data_size": 16})


def test_not_a_number_is_a_missing_value_in_every_form(adder: Adder) -> None:
    by_name = infer(adder, {**X, "data": [1, "NaN"]})
    by_bytes = binary(adder, {"inputs": [tensor("x", "FP64", 16, 2)]}, struct.pack("<2d", 1, float("nan")))
    infinite = infer(adder, {**X, "data": [1, "-Infinity"]})

    assert [a.json["error"][:22] for a in (by_name, by_bytes, infinite)] == ["Row 1, field 'x': noth"] * 2 + [
        "Row 1, field 'x': '-In"
    ]


@pytest.mark.parametrize(
    ("x", "says"),
    [
        ({"data": [1]}, "'x': it has 1 values"),
        ({"data": [[1], [2]]}, "'x', row 0"),
        ({"data": [1, "two"]}, "'x', row 1: 'two'"),
        ({"data": [1, True]}, "'x', row 1: True"),
        ({"data": 3}, "as an array"),
        ({"data": [[[1]], 2]}, "'x', row 0"),
        ({"shape": [2, 1], "data": [[1], [1, 2]]}, "'x', row 1: 2 values"),
        ({"shape": [2, 2], "data": [1, 2, 3, 4]}, "must be of numbers, and mood"),
        ({"shape": [], "data": 1}, "shape []"),
        ({"shape": [-2]}, "shape [-2]"),
        ({"shape": [0], "data": []}, "no rows"),
        ({"shape": [2, 0], "data": []}, "shape [2, 0]"),
        ({"shape": [10**18, 9], "data": []}, "number of rows"),
        ({"shape": ["2"]}, "$.inputs[0].shape[0]"),
        ({"datatype": "BYTES", "data": ["a", "b"]}, "BYTES is not accepted; give FP64"),
        ({"datatype": "BOOL", "data": [True, False]}, "BOOL is not accepted"),
        ({"datatype": "FP8"}, "FP8 is not known"),
        ({"datatype": "FP16"}, "no JSON form"),
        ({"datatype": "FP32", "data": [1, 1e39]}, "'x', row 1: 1e+39 is too large"),
        ({"datatype": "INT8", "data": [1, 128]}, "'x', row 1: 128"),
        ({"datatype": "UINT64", "data": [-1, 1]}, "'x', row 0: -1"),
        ({"name": "who"}, "no such input; give x, mood"),
        ({"parameters": {"binary_data_size": 16}}, "both data and a binary_data_size"),
    ],
)
def test_a_tensor_that_cannot_be_read_is_named_with_its_row(adder: Adder, x: dict[str, Any], says: str) -> None:
    tensors = [{**X, **x}, {"name": "mood", "shape": [2], "datatype": "BYTES", "data": ["a", "b"]}]
    inputs = tensors[:1] if "must be" in says else tensors

    answer = infer(adder, *inputs)

    assert answer.status in (400, 413)
    assert says in answer.json["error"]


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b"", "it is empty"),
        (b"[]", "object"),
        (b"{}", "inputs"),
        (b'{"inputs": []}', "empty array"),
        (b'{"inputs": [{"name": "x"}]}', "shape"),
        (b'{"id": 7, "inputs": []}', "$.id"),
        (b'{"inputs": [{"name": "x", "shape": [1], "datatype": "FP64"}]}', "neither data"),
        (b'{"inputs": [{"name": "x", "shape": [1], "datatype": "FP64", "data": [NaN]}]}', "inputs[0].data[0] is NaN"),
        (b'{"inputs": ' + b"[" * 100_000, "Expected `object`"),
        (b'{"x": ' + b"[" * 100_000, "nested too deeply"),
    ],
)
def test_a_body_that_is_no_request_is_refused(adder: Adder, body: bytes, says: str) -> None:
    answer = adder.send("POST", INFER, body)

    assert answer.status == 400
    assert says in answer.json["error"]


@pytest.mark.parametrize(
    ("size", "data", "length", "says"),
    [
        (16, bytes(16), 99_999, "Content-Length: 99999"),
        (16, bytes(16), "-1", "Content-Length: -1"),
        (16, bytes(16), "ten", "Content-Length: ten"),
        (16, bytes(8), None, "binary_data_size is 16, and 8 bytes are left"),
        (8, bytes(8), None, "has 8 bytes; 2 values of FP64 have 16"),
        (16, bytes(20), None, "4 bytes more"),
        (-1, bytes(16), None, "binary_data_size is -1"),
        ("16", bytes(16), None, "binary_data_size is 16"),
    ],
)
def test_lengths_that_lie_are_refused(adder: Adder, size: Any, data: bytes, length: Any, says: str) -> None:
    answer = binary(adder, {"inputs": [tensor("x", "FP64", size, 2)]}, data, length)

    assert answer.status == 400
    assert says in answer.json["error"]


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"\x04\0\0\0calm\x09\0\0\0cal", "'mood', row 1: its binary data ends"),
        (b"\x04\0\0\0calm\0\0\0\0more", "4 bytes after the last value"),
        (b"\x04\0\0\0calm\x01\0\0\0\xff", "'mood', row 1: it is not UTF-8"),
    ],
)
def test_texts_whose_lengths_lie_are_refused(adder: Adder, data: bytes, says: str) -> None:
    answer = binary(adder, {"inputs": [tensor("mood", "BYTES", len(data), 2)]}, data)

    assert answer.status == 400
    assert says in answer.json["error"]


def test_doubled_and_unknown_names_are_refused(adder: Adder) -> None:
    assert "'x', twice" in infer(adder, X, X).json["error"]
    assert "prediction, score" in infer(adder, X, outputs=[{"name": "logits"}]).json["error"]


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("/v2/health/live", {"live": True}),
        ("/v2/health/ready", {"ready": True}),
        ("/v2/models", {"models": ["adder"]}),
        ("/v2/models/adder/ready", {"name": "adder", "ready": True}),
        ("/v2/models/adder/versions/1/ready", {"name": "adder", "ready": True}),
    ],
)
def test_it_tells_how_it_is(adder: Adder, path: str, said: object) -> None:
    assert adder.send("GET", path).json == said


@pytest.mark.parametrize("path", ["/v2/models/adder", "/v2/models/adder/versions/1"])
def test_metadata_comes_from_the_signature(adder: Adder, path: str) -> None:
    said = adder.send("GET", path).json

    assert said["inputs"] == [
        {"name": "x", "datatype": "FP64", "shape": [-1]},
        {"name": "mood", "datatype": "BYTES", "shape": [-1]},
    ]
    assert [output["name"] for output in said["outputs"]] == ["prediction", "score"]
    assert said["versions"] == ["1"]


def test_the_server_names_its_extension_and_its_index(adder: Adder) -> None:
    assert adder.send("GET", "/v2").json["extensions"] == ["binary_tensor_data"]
    assert adder.send("POST", "/v2/repository/index", b"").json == [
        {"name": "adder", "version": "1", "state": "READY", "reason": ""}
    ]


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/v2/models/nobody", 404),
        ("GET", "/v2/models/adder/versions/7", 404),
        ("POST", "/v2/models/adder/versions/7/infer", 404),
        ("POST", "/v2/repository/models/adder/load", 501),
        ("GET", INFER, 405),
        ("GET", "/v2/nothing", 404),
    ],
)
def test_refusals_are_always_an_object_with_an_error(adder: Adder, method: str, path: str, status: int) -> None:
    answer = adder.send(method, path, {"inputs": [X]} if method == "POST" else None)

    assert answer.status == status
    assert isinstance(answer.json["error"], str)


def test_only_infer_takes_a_missing_content_type_and_no_page_of_another_site(adder: Adder) -> None:
    body = msgspec.json.encode({"inputs": [X]})

    assert adder.send("POST", INFER, body, Content_Type="").status == 200
    assert adder.send("POST", INFER, body, Content_Type="", Origin="https://elsewhere.example").status == 403
    assert adder.send("POST", INFER, body, Content_Type="text/plain").status == 415
    assert adder.send("POST", "/v1/models/adder:predict", b'{"instances": [[1, null]]}', Content_Type="").status == 415


def test_a_compressed_body_is_refused_rather_than_misread(adder: Adder) -> None:
    answer = adder.send("POST", INFER, b"\x1f\x8b", Content_Encoding="gzip")

    assert answer.status == 415
    assert "encoded as gzip" in answer.json["error"]


def test_every_revision_that_answers_is_a_version() -> None:
    dialect = OpenInference()
    signature = Signature(inputs=(Column(name="x", type="number"),), outputs=())
    standing = Standing("adder", True, None, "sklearn", signature, (3, 4))
    address = next(each for each in dialect.addresses if each.what == "model")
    call = Call("1" * 32, "GET", "/v2/models/adder", {}, Limits(), dialect, address, "adder")

    told = msgspec.json.decode(dialect.tell(call, Shown(True, [standing])).body)
    call.version = "4"
    also = dialect.tell(call, Shown(True, [standing]))
    call.version = "5"

    assert (told["versions"], also.status) == (["3", "4"], 200)
    with pytest.raises(RevisionElsewhere, match="3, 4 does"):
        dialect.tell(call, Shown(True, [standing]))


@pytest.mark.parametrize(
    ("datatype", "code", "rows", "is_whole"),
    [("FP64", "d", 16, True), ("FP32", "f", 16, True), ("INT64", "q", 16, False), ("FP64", "d", 15, False)],
)
def test_a_matrix_of_bytes_goes_on_as_it_came(datatype: str, code: str, rows: int, is_whole: bool) -> None:
    asked = read_matrix(datatype, rows, struct.pack(f"<{rows * 2}{code}", *range(rows * 2)), NUMBERS)

    assert [msgspec.json.decode(row) for row in asked.rows] == [{"a": 2 * n, "b": 2 * n + 1} for n in range(rows)]
    assert (msgspec.json.decode(asked.rows[0]), len(asked.rows)) == ({"a": 0, "b": 1}, rows)
    assert isinstance(asked.rows, BlockRows) == is_whole


def test_a_matrix_says_gaps_truths_and_infinities_as_rows_do() -> None:
    inputs = (Column(name="a", type="number"), Column(name="b", type="boolean", nullable=True))
    values = [float("nan"), 1, float("inf"), 0, 3, float("nan")] + [0.5, 0] * 13

    asked = read_matrix("FP64", 16, struct.pack("<32d", *values), inputs)

    assert isinstance(asked.rows, BlockRows)
    assert [msgspec.json.decode(row) for row in asked.rows[:3]] == [
        {"a": None, "b": True},
        {"a": "Infinity", "b": False},
        {"a": 3, "b": None},
    ]


@pytest.mark.parametrize(("size", "shape", "more"), [(256, (15, 2), b""), (255, (16, 2), b""), (256, (16, 2), b"x")])
def test_a_matrix_whose_length_lies_is_refused(size: int, shape: tuple[int, int], more: bytes) -> None:
    with pytest.raises((TensorRefused, FormRefused)):
        read_matrix("FP64", shape[0], bytes(256) + more, NUMBERS, size)


NUMBERS = (Column(name="a", type="number"), Column(name="b", type="number"))


def read_matrix(datatype: str, rows: int, data: bytes, inputs: tuple[Column, ...], size: int | None = None) -> Asked:
    """A request of one tensor for all columns, as it is read."""
    said = tensor("all", datatype, len(data) if size is None else size, rows, len(inputs))
    text = msgspec.json.encode({"inputs": [said]})
    headers = {b"inference-header-content-length": b"%d" % len(text)}
    call = Call("1" * 32, "POST", INFER, headers, Limits(), OpenInference(), body=text + data)
    call.look_up = lambda _: Signature(inputs=inputs, outputs=())
    return OpenInference().read(call)
