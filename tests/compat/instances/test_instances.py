"""Callers of KServe's first protocol and of Vertex AI at a real gateway."""

from __future__ import annotations

from typing import Any

import pytest

from tests.compat.conftest import Adder

KSERVE, VERTEX = "/v1/models/adder:predict", "/v1/endpoints/adder/deployedModels/1:predict"


@pytest.mark.parametrize("path", [KSERVE, VERTEX])
@pytest.mark.parametrize(
    "body",
    [
        {"instances": [{"x": 1}, {"mood": None, "x": 2.5}]},
        {"instances": [[1, None], [2.5, "calm"]]},
        {"instances": [{"x": 1}, [2.5, None]], "parameters": None},
    ],
)
def test_a_prediction_comes_back_for_each_instance(adder: Adder, path: str, body: dict[str, Any]) -> None:
    answer = adder.send("POST", path, body)

    assert (answer.status, answer.json) == (200, {"predictions": [2.0, 3.5]})


def test_the_score_comes_to_who_asks_for_it(adder: Adder) -> None:
    answer = adder.send("POST", KSERVE, {"instances": [{"x": 1}], "parameters": {"score": True}})

    assert answer.json == {"predictions": [{"prediction": 2.0, "score": 0.5}]}


@pytest.mark.parametrize(
    ("path", "status", "said"),
    [
        ("/v1/models", 200, {"models": ["adder"]}),
        ("/v1/models/adder", 200, {"name": "adder", "ready": True}),
        (VERTEX, 200, {}),
    ],
)
def test_it_tells_what_there_is_and_how_it_is(adder: Adder, path: str, status: int, said: object) -> None:
    answer = adder.send("GET", path)

    assert (answer.status, answer.json) == (status, said)


@pytest.mark.parametrize(
    ("body", "status", "says"),
    [
        (b"{}", 400, "no instances"),
        (b'{"instances": {}}', 400, "an array"),
        (b'{"instances": []}', 400, "no rows"),
        (b'{"instances": [1], "rows": []}', 400, "'rows'"),
        (b'{"instances": [{"x": 1}], "parameters": []}', 400, "parameters"),
        (b'{"instances": [{"x": 1}], "parameters": {"score": 1}}', 400, "parameters.score"),
        (b'{"instances": [{"x": 1}, [1]]}', 400, "instances[1]"),
        (b'{"instances": [{"x": 1}, {"x": -Infinity}]}', 400, "instances[1].x is -Infinity"),
        (b'{"instances": [{"x": 1}, {"x": "two"}]}', 400, "Row 1, field 'x'"),
        (b'{"instances": [' + b"[1]," * 999_999 + b"[1]]}", 413, "number of rows"),
    ],
)
def test_what_cannot_be_answered_is_named(adder: Adder, body: bytes, status: int, says: str) -> None:
    answer = adder.send("POST", KSERVE, body)

    assert answer.status == status
    assert says in answer.json["error"]


def test_google_callers_hear_refusals_in_googles_form(adder: Adder) -> None:
    wrong = adder.send("POST", VERTEX, {"instances": 1})
    other = adder.send("POST", VERTEX.replace("/1:", "/7:"), {"instances": [{"x": 1}]})

    assert wrong.json["error"]["status"] == "INVALID_ARGUMENT"
    assert (other.status, other.json["error"]["status"]) == (404, "NOT_FOUND")
    assert "Revision 7" in other.json["error"]["message"]


def test_what_there_is_not_is_refused_in_the_protocols_form(adder: Adder) -> None:
    assert "nobody" in adder.send("POST", "/v1/models/nobody:predict", {"instances": [1]}).json["error"]
    assert adder.send("GET", "/v1/models/nobody").status == 404
    assert adder.send("GET", KSERVE).status == 405
    explained = adder.send("POST", "/v1/models/adder:explain", {})
    assert (explained.status, "explains nothing" in explained.json["error"]) == (501, True)
