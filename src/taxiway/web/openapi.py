"""The API's description (OpenAPI 3.1), drawn from the endpoints that are bound: what is served and nothing else."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, get_origin

import msgspec

from taxiway.kernel.endpoint import Endpoint, Nothing, Raw
from taxiway.kernel.version import VERSION

SCHEMAS = "#/components/schemas/{name}"
JSON = "application/json"
BYTES = "application/octet-stream"
KINDED = re.compile(r"{(\w+)(?::(\w+))?}")
PATH_KINDS = {"": {"type": "string"}, "path": {"type": "string"}, "int": {"type": "integer"}}
METHODS = ("GET", "PUT", "POST", "PATCH", "DELETE")
INTRODUCTION = """\
Every answer is JSON, every refusal `application/problem+json` (RFC 9457) with the refusal's name in `error` and its
facts in `facts`. Give a token as `Authorization: Bearer …`; `taxiway access token` makes one. A change may carry an
`Idempotency-Key`: sent again with the same key it gets the first answer and changes nothing."""


class Problem(msgspec.Struct):
    """A refusal: what happened and what to do next, with the facts by name."""

    type: str
    title: str
    status: int
    detail: str
    error: str
    facts: dict[str, Any]
    request_id: str


def describe(endpoints: Iterable[Endpoint[Any, Any]]) -> dict[str, Any]:
    """The document for these endpoints."""
    served = sorted(endpoints, key=lambda e: (e.path, METHODS.index(e.method)))
    kinds = [Problem]
    for endpoint in served:
        kinds += [kind for kind in (endpoint.body, endpoint.answer) if is_described(kind)]
    shapes, components = msgspec.json.schema_components(kinds, schema_hook=opaque, ref_template=SCHEMAS)
    shape_of = {str(kind): shape for kind, shape in zip(kinds, shapes, strict=True)}
    paths: dict[str, dict[str, Any]] = {}
    for endpoint in served:
        operation = describe_one(endpoint, shape_of, components)
        paths.setdefault(plain_path(endpoint), {})[endpoint.method.lower()] = operation
    tags = sorted({noun_of(endpoint) for endpoint in served})
    return {
        "openapi": "3.1.0",
        "info": {"title": "Taxiway", "version": VERSION, "description": INTRODUCTION},
        "servers": [{"url": "/"}],
        "security": [{"token": []}],
        "tags": [{"name": tag} for tag in tags],
        "paths": paths,
        "components": {
            "schemas": components,
            "responses": {"Problem": refusal(shape_of[str(Problem)])},
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
    }


def describe_one(endpoint: Endpoint[Any, Any], shape_of: dict[str, Any], components: dict[str, Any]) -> dict[str, Any]:
    """One operation of the document."""
    operation: dict[str, Any] = {
        "operationId": operation_id(endpoint),
        "tags": [noun_of(endpoint)],
        "summary": endpoint.summary,
        "description": permission(endpoint),
        "parameters": [
            {"name": name, "in": "path", "required": True, "schema": PATH_KINDS[kind]}
            for name, kind in KINDED.findall(endpoint.path)
        ],
        "responses": {
            "200": {"description": "What was asked for", "content": content(endpoint.answer, shape_of)},
            "default": {"$ref": "#/components/responses/Problem"},
        },
    }
    if endpoint.scope == "open":
        operation["security"] = []
    if endpoint.method in ("GET", "DELETE"):
        operation["parameters"] += query_of(endpoint, components)
    else:
        operation["parameters"].append(IDEMPOTENCY)
        if endpoint.body is not Nothing:
            operation["requestBody"] = {"required": True, "content": content(endpoint.body, shape_of)}
    return operation


IDEMPOTENCY = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "description": "A text of 1 to 100 characters; the same key with the same request changes things once.",
    "schema": {"type": "string", "minLength": 1, "maxLength": 100},
}


def query_of(endpoint: Endpoint[Any, Any], components: dict[str, Any]) -> list[dict[str, Any]]:
    """The fields of the body of a GET or DELETE: they travel in the query."""
    if endpoint.body in (Nothing, Raw):
        return []
    schema = components[endpoint.body.__name__]
    required = schema.get("required", [])
    return [
        {"name": name, "in": "query", "required": name in required, "schema": shape}
        for name, shape in schema.get("properties", {}).items()
    ]


def content(kind: Any, shape_of: dict[str, Any]) -> dict[str, Any]:
    """What travels: JSON of a shape, or bytes."""
    if kind is Raw:
        return {BYTES: {"schema": {"type": "string", "format": "binary"}}}
    return {JSON: {"schema": shape_of.get(str(kind), {})}}


def plain_path(endpoint: Endpoint[Any, Any]) -> str:
    """The path with its names alone: `{version:int}` is ours, others read `{version}`."""
    return KINDED.sub(r"{\1}", endpoint.path)


def permission(endpoint: Endpoint[Any, Any]) -> str:
    """Who may ask, in a sentence."""
    if endpoint.scope == "open":
        return "Open to everybody."
    where = "in the project that the request is about" if endpoint.scope == "project" else "on the platform"
    return f"Needs the permission `{endpoint.needs}` {where}."


def refusal(shape: dict[str, Any]) -> dict[str, Any]:
    return {"description": "A refusal, or a failure", "content": {"application/problem+json": {"schema": shape}}}


def operation_id(endpoint: Endpoint[Any, Any]) -> str:
    """A name for generated clients: the method and the path's steps, `get_projects_by_project`."""
    steps = [f"by_{s[1:-1].partition(':')[0]}" if s.startswith("{") else s for s in endpoint.path.split("/")[1:]]
    return "_".join([endpoint.method.lower(), *(step for step in steps if step != "api")]).replace("-", "_")


def noun_of(endpoint: Endpoint[Any, Any]) -> str:
    return next((step for step in endpoint.path.split("/") if step not in ("", "api")), "platform")


def is_described(kind: Any) -> bool:
    """Whether a body or an answer has a shape of its own to describe."""
    return kind not in (Nothing, Raw) and (isinstance(kind, type) or get_origin(kind) is not None)


def opaque(kind: type) -> dict[str, Any]:
    """What can be said of a type that has no schema: anything."""
    return {"description": kind.__name__}
