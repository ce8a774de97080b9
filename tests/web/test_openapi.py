"""The API's description: complete, true to the routes, and sound in itself."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest

from taxiway.client import learn_refusals
from taxiway.kernel.endpoint import PARAMETER, Endpoint
from taxiway.kernel.errors import TaxiwayError
from taxiway.web.openapi import describe, plain_path
from tests.support.live import Live
from tests.web.browse import Visitor

METHODS = {"get", "put", "post", "patch", "delete"}


@pytest.fixture
def document(open_live: Live) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(Visitor(open_live.url).get("/api/openapi.json").text)
    return found


def operations(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, by_method in document["paths"].items():
        for method, operation in by_method.items():
            yield path, method, operation


def refs(part: Any) -> Iterator[str]:
    """Every reference within a part of the document."""
    if isinstance(part, dict):
        if isinstance(part.get("$ref"), str):
            yield part["$ref"]
        for value in part.values():
            yield from refs(value)
    if isinstance(part, list):
        for value in part:
            yield from refs(value)


def declared_at(path: str, method: str) -> Endpoint[Any, Any]:
    """The endpoint that an operation describes."""
    return next(e for e in Endpoint.declared.values() if (plain_path(e), e.method.lower()) == (path, method))


def test_the_document_needs_no_sign_in(live: Live) -> None:
    answer = Visitor(live.url).get("/api/openapi.json")

    assert answer.status == 200
    assert answer.headers["Content-Type"] == "application/json"
    assert json.loads(answer.text)["openapi"] == "3.1.0"


def test_every_reference_leads_somewhere(document: dict[str, Any]) -> None:
    @cache
    def is_there(ref: str) -> bool:
        part: Any = document
        for step in ref.removeprefix("#/").split("/"):
            part = part.get(step) if isinstance(part, dict) else None
        return part is not None

    assert [ref for ref in refs(document) if not is_there(ref)] == []


def test_every_bound_endpoint_is_described_once(document: dict[str, Any]) -> None:
    served = {(path, method) for path, method, _ in operations(document)}
    ids = [operation["operationId"] for _, _, operation in operations(document)]

    assert {("/api/projects", "get"), ("/api/projects", "post"), ("/api/audit/head", "get")} <= served
    assert {method for _, method in served} <= METHODS
    assert len(ids) == len(set(ids))


def test_every_name_in_a_path_is_a_parameter(document: dict[str, Any]) -> None:
    for path, method, operation in operations(document):
        said = [p["name"] for p in operation["parameters"] if p["in"] == "path"]
        assert said == PARAMETER.findall(path), (method, path)
        assert ":" not in path


def test_every_operation_says_its_permission_and_how_it_refuses(document: dict[str, Any]) -> None:
    for path, method, operation in operations(document):
        declared = declared_at(path, method)
        assert declared.scope == "open" or declared.needs in operation["description"]
        assert operation["responses"]["default"] == {"$ref": "#/components/responses/Problem"}


def test_a_refusal_has_the_shape_that_the_document_says(open_live: Live, document: dict[str, Any]) -> None:
    refused = json.loads(Visitor(open_live.url).get("/api/projects/none").text)

    shape = document["components"]["schemas"]["Problem"]
    assert set(shape["required"]) == set(refused)


def test_the_query_of_a_get_is_said_as_parameters(document: dict[str, Any]) -> None:
    operation = document["paths"]["/api/audit/entries"]["get"]

    query = {p["name"]: p["required"] for p in operation["parameters"] if p["in"] == "query"}
    narrowing = ("project", "thing", "actor", "verb", "before", "after", "text", "since", "until", "limit")
    assert query == dict.fromkeys(narrowing, False)
    assert "requestBody" not in operation


def test_an_upload_is_bytes(document: dict[str, Any]) -> None:
    blobs = next(o for path, method, o in operations(document) if method == "put" and path.startswith("/api/blobs"))

    assert blobs["requestBody"]["content"] == {
        "application/octet-stream": {"schema": {"type": "string", "format": "binary"}}
    }


def test_everything_declared_can_be_described() -> None:
    everything = list(Endpoint.declared.values())

    assert len(describe(everything)["paths"]) == len({plain_path(endpoint) for endpoint in everything})


def test_no_two_shapes_of_the_api_share_a_name() -> None:
    """Where they do, the document names both by their modules, which are no business of a client's."""
    shapes = describe(list(Endpoint.declared.values()))["components"]["schemas"]

    assert [name for name in shapes if "." in name] == []


def test_no_two_refusals_share_a_name() -> None:
    """A client learns a refusal's class by its name."""
    learn_refusals()
    kinds = list(refusals(TaxiwayError))

    assert [kind for kind in kinds if TaxiwayError.known[kind.__name__] is not kind] == []


def refusals(kind: type[TaxiwayError]) -> Iterator[type[TaxiwayError]]:
    for below in kind.__subclasses__():
        yield below
        yield from refusals(below)
