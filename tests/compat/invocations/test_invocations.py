"""MLflow's and SageMaker's callers at a real gateway, each body told apart from ours."""

from __future__ import annotations

from typing import Any

import pytest

from taxiway.endpoints.inferences.log import find
from tests.compat.conftest import Adder

AWS = "AWS4-HMAC-SHA256 Credential=any/20260101/eu-central-1/sagemaker/aws4_request, Signature=any"
CSV = "text/csv"


@pytest.mark.parametrize(
    "body",
    [
        {"dataframe_split": {"columns": ["mood", "x"], "data": [[None, 1], ["", 2.5]]}},
        {"dataframe_split": {"index": [7, 9], "columns": ["x"], "data": [[1], [2.5]]}},
        {"dataframe_split": {"data": [[1, None], [2.5, None]]}},
        {"dataframe_records": [{"x": 1}, {"x": 2.5, "mood": None}]},
        {"instances": [{"x": 1}, {"x": 2.5}]},
        {"instances": [[1, None], [2.5, "calm"]]},
        {"instances": {"x": [1, 2.5]}},
        {"inputs": {"x": [1, 2.5], "mood": [None, None]}},
        {"inputs": [[1, None], [2.5, None]], "params": {}},
        {"signature_name": "serving_default", "instances": [{"x": 1}, {"x": 2.5}], "params": None},
    ],
)
def test_every_form_that_mlflow_documents_is_answered_in_its_own(adder: Adder, body: dict[str, Any]) -> None:
    answer = adder.invoke(body)

    assert (answer.status, answer.json) == (200, {"predictions": [2.0, 3.5]})
    assert answer.headers["content-type"] == "application/json"
    assert len(find(adder.site.home, answer.headers["taxiway-prediction-id"])) == 2


def test_whole_answers_come_to_who_asks_for_the_score(adder: Adder) -> None:
    answer = adder.invoke({"inputs": {"x": 1}, "params": {"score": True, "temperature": 0.5}})

    assert answer.json == {"predictions": [{"prediction": 2.0, "score": 0.5}]}
    assert answer.headers["taxiway-ignored-params"] == "temperature"


def test_our_own_form_keeps_its_answer_though_a_field_has_a_name_of_mlflows(adder: Adder) -> None:
    assert adder.invoke({"rows": [{"x": 1, "mood": '"instances"'}]}).json["revision"] == 1
    assert adder.invoke({"x": 1, "mood": '"inputs": ['}).json["revision"] == 1

    refused = adder.invoke({"x": 1, "inputs": "a text"})

    assert (refused.status, refused.json["error"]) == (422, "InputMismatch")


@pytest.mark.parametrize(
    ("content_type", "text"),
    [
        (CSV, b"x,mood\n1,calm\n2.5,\n"),
        ("text/csv; charset=utf-8", b"\xef\xbb\xbfmood,x\r\n,1\r\n,2.5\r\n"),
        (CSV, b"1,calm\n2.5,calm\n"),
        ("text/csv; header=absent", b'1,"calm, very"\n2.5,"a\nb"\n'),
        ("Text/CSV; header=present", b"x\n1e0\n2.5"),
    ],
)
def test_csv_comes_with_names_or_in_the_order_of_the_signature(adder: Adder, content_type: str, text: bytes) -> None:
    answer = adder.invoke(text, Content_Type=content_type)

    assert (answer.status, answer.json) == (200, {"predictions": [2.0, 3.5]})


@pytest.mark.parametrize(
    ("accept", "text"),
    [
        ("text/csv", b"2.0\n3.5\n"),
        ("text/csv; header=present", b"prediction,score\n2.0,0.5\n3.5,0.5\n"),
        ("application/json;q=0.1, text/*", b"2.0\n3.5\n"),
        ("*/*", b'{"predictions":[2.0,3.5]}'),
    ],
)
def test_the_accept_header_chooses_the_form_of_the_answer(adder: Adder, accept: str, text: bytes) -> None:
    answer = adder.invoke({"instances": [{"x": 1}, {"x": 2.5}]}, Accept=accept)

    assert answer.body == text


@pytest.mark.parametrize(
    ("accept", "media_type"),
    [
        ("application/json", "application/json"),
        ("text/html, */*;q=0.1", "application/json"),
        ("application/*", "application/json"),
        ("text/csv", "text/csv; charset=utf-8"),
        ("Text/*", "text/csv; charset=utf-8"),
        ("image/png, text/event-stream", "text/event-stream"),
    ],
)
def test_our_own_form_is_answered_as_its_caller_accepts(adder: Adder, accept: str, media_type: str) -> None:
    answer = adder.invoke([{"x": 1}], Accept=accept)

    assert (answer.status, answer.headers["content-type"]) == (200, media_type)


@pytest.mark.parametrize("accept", ["text/html", "image/png;q=1, application/json;q=0"])
def test_our_own_form_is_refused_in_its_own_form_where_nothing_of_it_is_accepted(adder: Adder, accept: str) -> None:
    answer = adder.invoke([{"x": 1}], Accept=accept)

    assert (answer.status, answer.json["error"]) == (406, "AcceptRefused")
    assert "Accept application/json or text/csv" in answer.json["detail"]


def test_rows_of_ours_are_answered_as_csv_to_who_accepts_only_that(adder: Adder) -> None:
    assert adder.invoke([{"x": 1}], Accept="text/csv").body == b"2.0\n"


@pytest.mark.parametrize(
    ("body", "status", "says"),
    [
        ({"instances": [{"x": 1}], "inputs": [{"x": 1}]}, 400, "instances and inputs"),
        ({"instances": [{"x": 1}], "extra": 1}, 400, "'extra'"),
        ({"instances": []}, 400, "it holds no rows. Send at least one row."),
        ({"instances": [[1]]}, 400, "instances[0]: a row of 1 values is not accepted. Give 2"),
        ({"instances": [[1, None], 2]}, 400, "instances[1]"),
        ({"inputs": {"x": [1, 2], "mood": ["calm"]}}, 400, "inputs.mood: a column of 1 values"),
        ({"inputs": {"x": [1], "mood": "calm"}}, 400, "inputs.mood"),
        ({"instances": [{"x": 1}], "params": [1]}, 400, "params"),
        ({"instances": [{"x": 1}], "params": {"score": "yes"}}, 400, "params.score"),
        ({"dataframe_records": [{"x": 1}, 3]}, 400, "dataframe_records[1]"),
        ({"dataframe_records": {"x": [1]}}, 400, "dataframe_records"),
        ({"dataframe_split": {"columns": ["x", "x"], "data": [[1, 2]]}}, 400, "'x', twice"),
        ({"dataframe_split": {"columns": ["x"], "data": [[1], [1, 2]]}}, 400, "dataframe_split.data[1]"),
        ({"dataframe_split": {"columns": ["x"]}}, 400, "data"),
        ({"dataframe_split": {"columns": ["x"], "data": [1]}}, 400, "dataframe_split.data[0]"),
        ({"inputs": {"x": ["one"]}}, 400, "Row 0, field 'x'"),
        ({"inputs": {"x": [1], "who": [1]}}, 400, "field 'who'"),
        ({"inputs": {"x": [1], "mood": ["raise"]}}, 500, "ZeroDivisionError"),
        (b'{"instances": [{"x": 1}, {"x": NaN}]}', 400, "instances[1].x is NaN"),
        (b'{"instances": [[Infinity, null]]}', 400, "instances[0][0] is Infinity"),
        (b'{"instances": [', 400, "truncated"),
        (b'{"instances": ' + b"[" * 100_000, 400, "nested too deeply"),
        (b'{"instances": [' + b"[1]," * 999_999 + b"[1]]}", 413, "number of rows"),
        (b'{"inputs": {"x": [' + b"1," * 999_999 + b"1]}}", 413, "number of rows"),
    ],
)
def test_what_mlflows_clients_get_wrong_is_named_to_them_in_their_form(
    adder: Adder, body: object, status: int, says: str
) -> None:
    answer = adder.invoke(body)

    assert answer.status == status
    assert says in answer.json["message"]
    assert answer.json["error_code"] == ("INTERNAL_ERROR" if status == 500 else "BAD_REQUEST")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (b"", "no lines"),
        (b"x,mood\n", "no rows"),
        (b"x,x\n1,2\n", "'x', twice"),
        (b"x,who\n1,2\n", "field 'who'"),
        (b"x,mood\n1\n", "row 0: a line of 1 values"),
        (b"1,2,3\n", "a first line of 3 values, none of them an input's name, is not accepted. Give 2"),
        (b"x,mood\none,calm\n", "Row 0, field 'x'"),
        (b'x,mood\n1,"calm\n', "no CSV"),
        (b"x\n\xff\n", "not UTF-8"),
        (b"x\n" + b"1\n" * 1_000_000, "number of rows"),
    ],
)
def test_a_csv_that_does_not_fit_is_refused(adder: Adder, text: bytes, says: str) -> None:
    answer = adder.invoke(text, Content_Type=CSV)

    assert 400 <= answer.status < 500
    assert says in answer.json["message"]


def test_media_types_that_nobody_reads_or_writes_are_refused(adder: Adder) -> None:
    unread = adder.invoke(b"x", Content_Type="application/x-npy")
    unwritten = adder.invoke({"instances": [{"x": 1}]}, Accept="image/png")

    assert (unread.status, unwritten.status) == (415, 406)
    assert "application/json, text/csv" in unread.json["detail"]


def test_it_is_pinged_alone_or_for_an_endpoint(adder: Adder) -> None:
    assert [adder.send("GET", path).status for path in ("/ping", "/endpoints/adder/ping", "/endpoints/no/ping")] == [
        200,
        200,
        404,
    ]


def test_sagemakers_headers_are_answered_and_its_variants_are_revisions(adder: Adder) -> None:
    answer = adder.invoke(
        {"instances": [{"x": 1}]},
        Authorization=AWS,
        X_Amzn_SageMaker_Custom_Attributes="trace=7",
        X_Amzn_SageMaker_Target_Variant="revision-1",
        X_Amzn_SageMaker_Target_Container_Hostname="unknown to us",
    )

    assert answer.json == {"predictions": [2.0]}
    assert answer.headers["x-amzn-sagemaker-custom-attributes"] == "trace=7"
    assert answer.headers["x-amzn-invoked-production-variant"] == "revision-1"


@pytest.mark.parametrize(
    ("path", "body", "status", "name"),
    [
        ("/endpoints/adder/invocations", b"{", 424, "ModelError"),
        ("/endpoints/adder/invocations", b'{"x": "one"}', 424, "ModelError"),
        ("/endpoints/nobody/invocations", b'{"x": 1}', 400, "ValidationError"),
        ("/endpoints/adder/async-invocations", b"", 501, "ValidationError"),
    ],
)
def test_refusals_are_named_as_sagemakers_runtime_names_them(
    adder: Adder, path: str, body: bytes, status: int, name: str
) -> None:
    answer = adder.send("POST", path, body, Authorization=AWS)

    assert (answer.status, answer.headers["x-amzn-errortype"]) == (status, name)
    assert answer.json["Message"]


def test_a_variant_that_does_not_answer_is_refused(adder: Adder) -> None:
    answer = adder.invoke({"x": 1}, Authorization=AWS, X_Amzn_SageMaker_Target_Variant="revision-9")

    assert (answer.status, answer.headers["x-amzn-errortype"]) == (400, "ValidationError")
    assert "Revision 9" in answer.json["Message"]
