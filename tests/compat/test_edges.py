"""The edges of the contracts that our protocols keep: what `README.md` here lists and no other test holds."""

from __future__ import annotations

import re
import struct
from pathlib import Path
from typing import Any

import msgspec
import pytest

from taxiway.compat.instances.dialect import Instances
from taxiway.compat.invocations.aws import execution_parameters
from taxiway.compat.invocations.dialect import Invocations
from taxiway.compat.openinference.dialect import OpenInference
from taxiway.compat.openinference.tensors import Output, Request
from taxiway.endpoints.gateway.dialects import Answer, Call, Dialect, Given, Shown, Standing
from taxiway.endpoints.worker.held import Limits
from taxiway.models.predicting.signature import Column, Signature
from tests.compat.conftest import Adder

INFER = "/v2/models/adder/infer"
X: dict[str, Any] = {"name": "x", "shape": [2], "datatype": "FP64", "data": [1, 2.5]}
NOTHING = dict.fromkeys(("id", "parameters", "outputs"))
SIGNATURE = Signature(inputs=(Column(name="x", type="number"),), outputs=(Column(name="prediction", type="string"),))


def call_of(dialect: Dialect, path: str, what: str, version: str = "") -> Call:
    address = next(each for each in dialect.addresses if each.what == what)
    return Call("1" * 32, address.method, path, {}, Limits(), dialect, address, "adder", version)


# --- /invocations ---


@pytest.mark.parametrize(
    "body",
    [
        {"dataframe_split": {"index": [7], "columns": ["mood", "x"], "data": [[None, 1]]}},
        {"dataframe_split": {"columns": [0, 1], "data": [[1, None]]}},
        {"dataframe_split": {"data": [[1, None]]}},
        {"dataframe_records": [{"x": 1}]},
        {"instances": [{"x": 1}], "signature_name": "serving_default", "params": None},
        {"instances": [[1, None]]},
        {"inputs": {"x": [1]}},
        {"inputs": {"x": 1, "mood": None}},
        {"inputs": [[1, None]]},
    ],
)
@pytest.mark.parametrize("kind", ["application/json", "application/json; charset=utf-8"])
def test_every_documented_form_of_mlflow_is_read(adder: Adder, body: object, kind: str) -> None:
    assert adder.invoke(body, Content_Type=kind).json == {"predictions": [2.0]}


@pytest.mark.parametrize(
    "body",
    [
        {"dataframe_split": {"columns": ["x"], "data": []}},
        {"dataframe_records": []},
        {"instances": []},
        {"inputs": []},
        {"inputs": {"x": []}},
    ],
)
def test_every_form_without_a_row_says_so(adder: Adder, body: object) -> None:
    answer = adder.invoke(body)

    assert (answer.status, "it holds no rows" in answer.json["message"]) == (400, True)


@pytest.mark.parametrize("number", [b"1e400", b"9" * 400, b"-1e999"])
def test_a_number_beyond_all_numbers_is_named(adder: Adder, number: bytes) -> None:
    answers = [
        adder.invoke(b'{"instances": [{"x": %b}]}' % number),
        adder.send("POST", "/v1/models/adder:predict", b'{"instances": [{"x": %b}]}' % number),
        adder.invoke(b'[{"x": %b}]' % number),
    ]

    assert [each.status for each in answers] == [400, 400, 422]
    assert all(b"Row 0, field 'x'" in each.body for each in answers)


def test_of_a_name_that_is_there_twice_the_last_value_counts(adder: Adder) -> None:
    """As Python's, JavaScript's and Go's readers have it (RFC 8259, section 4)."""
    answers = [
        adder.invoke(b'{"inputs": {"x": [1], "x": [5]}}').json["predictions"],
        adder.invoke(b'[{"x": 1, "x": 5}]').json["predictions"][0]["prediction"],
        adder.send("POST", "/v1/models/adder:predict", b'{"instances": [{"x": 1, "x": 5}]}').json["predictions"],
    ]

    assert answers == [[6.0], 6.0, [6.0]]


def test_sagemakers_headers_beyond_its_contract_are_left_alone(adder: Adder) -> None:
    answer = adder.invoke(
        {"inputs": {"x": [1]}},
        X_Amzn_SageMaker_Session_Id="NEW_SESSION",
        X_Amzn_SageMaker_Inference_Id="mine",
        X_Amzn_SageMaker_Enable_Explanations="true",
        X_Amzn_SageMaker_Custom_Attributes="a=1; b",
    )

    assert answer.json == {"predictions": [2.0]}
    assert answer.headers["x-amzn-sagemaker-custom-attributes"] == "a=1; b"


def test_a_batch_transform_hears_how_to_ask(adder: Adder) -> None:
    said = adder.send("GET", "/execution-parameters").json

    assert said == {"MaxConcurrentTransforms": 12, "BatchStrategy": "MULTI_RECORD", "MaxPayloadInMB": 8}
    for size in (1 << 10, 8 << 20, 300 << 20):
        found = execution_parameters(Limits(body_bytes=size))
        assert 1 <= int(str(found["MaxConcurrentTransforms"])) * int(str(found["MaxPayloadInMB"])) <= 100


# --- KServe's first protocol, Vertex AI ---


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ({"instances": [None]}, "instances[0]"),
        ({"instances": None}, "an array"),
        ({"instances": [[]]}, "a row of 0 values"),
        ({"inputs": [{"x": 1}]}, "'inputs'"),
    ],
)
def test_instances_that_are_none_are_named(adder: Adder, body: object, says: str) -> None:
    answer = adder.send("POST", "/v1/models/adder:predict", body)

    assert (answer.status, says in answer.json["error"]) == (400, True)


def test_a_deployed_model_that_is_not_there_is_neither_healthy_nor_asked(adder: Adder) -> None:
    path = "/v1/endpoints/adder/deployedModels/9:predict"

    answers = adder.send("GET", path), adder.send("POST", path, {"instances": [{"x": 1}]})

    assert [each.status for each in answers] == [404, 404]
    assert [each.json["error"]["status"] for each in answers] == ["NOT_FOUND", "NOT_FOUND"]


# --- the Open Inference Protocol ---


def test_null_is_what_is_not_there(adder: Adder) -> None:
    """As clients write a request that say each of its fields."""
    output = {"name": "prediction", "parameters": None}
    plain = adder.send("POST", INFER, {**NOTHING, "inputs": [{**X, "parameters": None}]})
    named = adder.send("POST", INFER, {**NOTHING, "inputs": [{**X, "parameters": None}], "outputs": [output]})
    absent = adder.send("POST", INFER, {"inputs": [{**X, "data": None}]})

    assert ("id" in plain.json, len(plain.json["outputs"])) == (False, 2)
    assert [each["name"] for each in named.json["outputs"]] == ["prediction"]
    assert "neither data" in absent.json["error"]


@pytest.mark.parametrize("id_", ["", "é\n", "7" * 1000])
def test_an_id_comes_back_as_it_was(adder: Adder, id_: str) -> None:
    assert adder.send("POST", INFER, {"id": id_, "inputs": [X]}).json["id"] == id_


def test_an_error_has_the_callers_id_or_none(adder: Adder) -> None:
    known = adder.send("POST", INFER, {"id": "mine", "inputs": [X], "outputs": [{"name": "logits"}]})
    unknown = adder.send("POST", INFER, b"{")

    assert (known.status, known.json["id"]) == (400, "mine")
    assert unknown.json.keys() == {"error"}


@pytest.mark.parametrize(
    ("more", "says"),
    [
        ({"parameters": {"binary_data_output": "yes"}}, "parameters.binary_data_output"),
        ({"outputs": [{"name": "score", "parameters": {"binary_data": 1}}]}, "outputs.score.parameters.binary_data"),
        ({"outputs": [{"name": "score"}, {"name": "score"}]}, "'score', twice"),
    ],
)
def test_outputs_that_are_asked_for_wrongly_are_refused(adder: Adder, more: dict[str, Any], says: str) -> None:
    answer = adder.send("POST", INFER, {"inputs": [X], **more})

    assert (answer.status, says in answer.json["error"]) == (400, True)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (b'{"inputs":[{"name":"x","shape":[1],"datatype":"FP64","data":[1e400]}]}', "Number out of range"),
        (b'{"inputs":[{"name":"x","shape":[1],"datatype":"INT64","data":[9223372036854775808]}]}', "row 0"),
        (b'{"inputs":[{"name":"x","shape":[1],"datatype":"BF16","data":[1]}]}', "BF16 has no JSON form"),
        (b'{"inputs":[{"name":"x","shape":[9223372036854775808],"datatype":"FP64","data":[1]}]}', "number of rows"),
    ],
)
def test_huge_numbers_in_tensors_are_refused(adder: Adder, text: bytes, says: str) -> None:
    answer = adder.send("POST", INFER, text)

    assert (answer.status in (400, 413), says in answer.json["error"]) == (True, True)


def test_a_number_that_fits_its_datatype_is_as_large_as_it_may_be(adder: Adder) -> None:
    answer = adder.send("POST", INFER, {"inputs": [{**X, "datatype": "UINT64", "data": [1, 2**64 - 1]}]})

    assert answer.json["outputs"][0]["data"] == [2.0, 2.0**64]


def test_the_upper_half_of_fp32_is_read_from_bytes(adder: Adder) -> None:
    halves = b"".join(struct.pack("<f", value)[2:] for value in (1.0, -2.5))
    said = {"name": "x", "shape": [2], "datatype": "BF16", "parameters": {"binary_data_size": 4}}
    text = msgspec.json.encode({"inputs": [said]})

    answer = adder.send("POST", INFER, text + halves, Inference_Header_Content_Length=str(len(text)))

    assert answer.json["outputs"][0]["data"] == [2.0, -1.5]


@pytest.mark.parametrize(
    ("mood", "status"),
    [
        ({"data": ["calm", ""]}, 200),
        ({"data": [["calm"], ["é"]], "shape": [2, 1]}, 200),
        ({"data": [1, 2]}, 400),
        ({"data": [True, None]}, 400),
        ({"data": ["\x00", "\U0001f6eb"]}, 200),
    ],
)
def test_texts_are_tensors_of_bytes(adder: Adder, mood: dict[str, Any], status: int) -> None:
    tensor = {"name": "mood", "shape": [2], "datatype": "BYTES", **mood}

    assert adder.send("POST", INFER, {"inputs": [X, tensor]}).status == status


def written(*outputs: Output) -> Answer:
    """An answer of two texts, one of them missing."""
    dialect = OpenInference()
    call = call_of(dialect, INFER, "infer")
    call.look_up = lambda _: SIGNATURE
    call.form = Request([], outputs=list(outputs) or None)
    return dialect.write(call, Given([b'{"prediction":"caf\xc3\xa9"}', b'{"prediction":""}'], None))


def test_texts_go_out_in_json_and_behind_their_lengths() -> None:
    [plain] = msgspec.json.decode(written().body)["outputs"]
    answer = written(Output("prediction", {"binary_data": True}))
    size = int(dict(answer.headers)[b"inference-header-content-length"])
    [said] = msgspec.json.decode(answer.body[:size])["outputs"]

    assert (plain["datatype"], plain["data"]) == ("BYTES", ["café", ""])
    assert (said["shape"], said["parameters"]) == ([2], {"binary_data_size": 13})
    assert answer.body[size:] == b"\x05\0\0\0caf\xc3\xa9\0\0\0\0"


# --- all of them ---


@pytest.mark.parametrize(
    ("dialect", "what", "body"),
    [
        (Invocations(), "ping", None),
        (Instances(), "ready", {"name": "adder", "ready": False}),
        (Instances(), "health", {}),
        (OpenInference(), "ready", {"ready": False}),
        (OpenInference(), "model ready", {"name": "adder", "ready": False}),
    ],
    ids=lambda each: each if isinstance(each, str) else None,
)
def test_what_is_not_ready_says_503(dialect: Dialect, what: str, body: object) -> None:
    standing = Standing("adder", False, None, "", SIGNATURE)

    answer = dialect.tell(call_of(dialect, "/", what, "1"), Shown(False, [standing]))

    assert answer.status == 503
    assert body is None or msgspec.json.decode(answer.body) == body


SHAPES = {
    "/endpoints/adder/invocations": {"title", "status", "detail", "error", "facts", "request_id", "type"},
    "/endpoints/adder/ping": {"error_code", "message", "request_id"},
    "/v1/models/adder:predict": {"error"},
    "/v1/endpoints/adder/deployedModels/1:predict": {"error"},
    INFER: {"error"},
}


@pytest.mark.parametrize("path", SHAPES)
@pytest.mark.parametrize(("method", "kind", "status"), [("PATCH", "", 405), ("POST", "text/plain", 415)])
def test_every_refusal_has_its_protocols_shape(adder: Adder, path: str, method: str, kind: str, status: int) -> None:
    answer = adder.send(method, path, b"{}", Content_Type=kind)

    is_get_only = path.endswith("/ping")
    assert answer.status == (405 if is_get_only else status)
    if path.endswith("/invocations"):  # whose form it is, only its body can tell
        assert answer.json.keys() in (SHAPES[path], {"error_code", "message", "request_id"})
    else:
        assert answer.json.keys() == SHAPES[path]


def test_every_line_of_the_table_names_tests_that_there_are() -> None:
    here = Path(__file__).parent
    text = (here / "README.md").read_text()
    named = re.findall(r"`((?:[.\w]+/)*test_\w+\.py)::(test_\w+)`", text)

    assert len(named) > 30
    for file, test in named:
        assert f"def {test}(" in (here / file).read_text(), (file, test)
