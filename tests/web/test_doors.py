"""Every route of the running application, walked without a credential, with a wrong one and with a stranger's.

The routes are read from the application itself: one that is added tomorrow is walked too.
"""

from __future__ import annotations

import json
from typing import Any, NamedTuple

import msgspec
import pytest
from msgspec import inspect
from starlette.routing import Route

from taxiway.endpoints.gateway.dialects import installed
from taxiway.house import build
from taxiway.kernel.endpoint import PARAMETER, Endpoint, Nothing, Raw
from tests.support.live import Live
from tests.web.browse import Answer, Visitor

OPEN = {"/health", "/sign-in", "/sign-in/{link}", "/sign-out", "/api/openapi.json", "/api/evidence/keys"}
# Forwarded to the gateway, which knows its callers from signed configuration; tests/endpoints hold it to that.
FORWARDED = {"/endpoints/{endpoint}/invocations"} | {a.template for d in installed().values() for a in d.addresses}
VALUES = {"project": "fraud", "user": "ana", "digest": "sha256:" + "0" * 64, "token": "0" * 16, "version": "1"}


class Door(NamedTuple):
    method: str
    path: str

    @property
    def address(self) -> str:
        """The path with its names filled in: the project of ana's, else names that nothing has."""
        return PARAMETER.sub(lambda found: VALUES.get(found[1], "1"), self.path)

    @property
    def endpoint(self) -> Endpoint[Any, Any] | None:
        return Endpoint.declared.get((self.method, self.path))


def doors(live: Live) -> list[Door]:
    """What the application answers, but what is open to everybody, and dialects, whose tests walk their own doors."""
    app = build(live.house)
    elsewhere = OPEN | FORWARDED | {route.path for dialect in app.state.dialects for route in dialect.routes}
    routes = [r for r in app.routes if isinstance(r, Route) and r.path not in elsewhere]
    return [Door(method, r.path) for r in routes for method in sorted(r.methods or ()) if method != "HEAD"]


def knock(live: Live, door: Door, token: str = "") -> Answer:
    """The request that a client would send there, with the least that its body may be."""
    headers = {"Accept": "application/json"} | ({"Authorization": f"Bearer {token}"} if token else {})
    endpoint, address, body = door.endpoint, door.address, b""
    if door.method not in ("GET", "DELETE") and endpoint is not None:
        headers["Content-Type"] = "application/octet-stream" if endpoint.body is Raw else "application/json"
        body = b"x" if endpoint.body is Raw else json.dumps(least_of(endpoint.body)).encode()
    elif endpoint is not None and endpoint.body is not Nothing:
        address = endpoint.url({name: VALUES.get(name, "1") for name in endpoint.parameters})
        address += "?" + "&".join(f"{name}={value}" for name, value in least_of(endpoint.body).items())
    elif door.method != "GET" and endpoint is None:
        headers["Content-Type"] = "application/x-www-form-urlencoded"
    return Visitor(live.url).ask(door.method, address, body=body or None, headers=headers)


def least_of(kind: type) -> dict[str, Any]:
    """The least that a struct may be: its required fields, and the project where it has one."""
    said = inspect.type_info(kind)
    assert isinstance(said, inspect.StructType)
    return {f.encode_name: least(f.type, f.name) for f in said.fields if f.required or f.name == "project"}


PLAIN: dict[type[inspect.Type], Any] = {
    inspect.IntType: 1,
    inspect.FloatType: 1,
    inspect.BoolType: True,
    inspect.DictType: {},
    inspect.DateTimeType: "2026-01-01T00:00:00Z",
}


def least(kind: inspect.Type, name: str) -> Any:
    """The least value of a type."""
    if isinstance(kind, inspect.StructType):
        return least_of(kind.cls)
    if isinstance(kind, inspect.LiteralType):
        return kind.values[0]
    if isinstance(kind, inspect.UnionType):
        return least(next(t for t in kind.types if not isinstance(t, inspect.NoneType)), name)
    if isinstance(kind, (inspect.ListType, inspect.VarTupleType, inspect.SetType)):
        return [least(kind.item_type, name)] * (kind.min_length or 0)
    if isinstance(kind, inspect.StrType) and kind.pattern:
        return VALUES["digest"] if kind.pattern.startswith("^sha256:") else "0" * 32  # or an id
    return PLAIN.get(type(kind), VALUES.get(name, "x"))


@pytest.fixture
def walked(live: Live) -> list[Door]:
    live.as_person("ana").projects.create("fraud")
    found = doors(live)
    assert len(found) > 40
    return found


def test_without_a_credential_every_door_stays_shut(live: Live, walked: list[Door]) -> None:
    answers = {door: knock(live, door) for door in walked}

    under_api = {door: answer.status for door, answer in answers.items() if door.path.startswith("/api/")}
    assert {door: status for door, status in under_api.items() if status != 401} == {}
    pages = {door: answer for door, answer in answers.items() if door not in under_api}
    assert [door for door, answer in pages.items() if not is_shut(answer)] == []


def is_shut(answer: Answer) -> bool:
    """Whether a page sends to the sign-in, or refuses: a form without a page's token is refused as that."""
    return answer.to.startswith("/sign-in") if answer.status == 303 else answer.status in (401, 403)


def test_a_wrong_token_is_refused_at_every_door(live: Live, walked: list[Door]) -> None:
    answers = {door: knock(live, door, "tw_token_wrong").status for door in walked}

    # So many guesses one after the other are told to wait.
    under_api = {door: status for door, status in answers.items() if door.path.startswith("/api/")}
    assert {door: status for door, status in under_api.items() if status not in (401, 429)} == {}
    assert {door: status for door, status in answers.items() if status not in (303, 401, 403, 429)} == {}


def test_a_strangers_token_opens_nothing_of_the_project(live: Live, walked: list[Door]) -> None:
    live.as_person("eve").projects.create("hers")
    token = live.client.access.make_token("eve").token
    of_projects = [door for door in walked if door.endpoint is not None and door.endpoint.scope == "project"]

    answers = {door: knock(live, door, token) for door in of_projects}

    assert {door: a.status for door, a in answers.items() if a.status not in (403, 404)} == {}
    refused = {json.loads(answer.text)["error"] for answer in answers.values()}
    assert refused <= {"NotAllowed", "NotFound"}
    assert [p.project.name for p in live.client.projects.list()] == ["fraud", "hers"]


def test_lists_of_the_platform_show_a_stranger_nothing_of_the_project(live: Live, walked: list[Door]) -> None:
    live.as_person("eve")
    token = live.client.access.make_token("eve").token
    lists = [d for d in walked if d.endpoint is not None and d.endpoint.scope == "platform" and d.method == "GET"]

    answers = {door: knock(live, door, token) for door in lists}

    assert {door: a.status for door, a in answers.items() if a.status >= 500} == {}
    assert [door for door, a in answers.items() if "fraud" in a.text] == []


def test_every_endpoint_of_the_platform_that_strangers_may_use_is_known(live: Live, walked: list[Door]) -> None:
    """What somebody without any role may change. A new line here is a decision, not an accident."""
    live.as_person("eve")
    token = live.client.access.make_token("eve").token
    changing = [d for d in walked if d.endpoint is not None and d.endpoint.scope == "platform" and d.method != "GET"]

    allowed = {door.path for door in changing if knock(live, door, token).status != 403}

    assert allowed <= {
        "/api/access/me/tokens",
        "/api/access/me/tokens/{token}",
        "/api/audit/verifications",
        "/api/blobs/{digest}",
        "/api/discussions",  # about what they may read, and none of it is told to them otherwise
        "/api/discussions/{discussion}/comments",
        "/api/discussions/{discussion}/comments/{number:int}",
        "/api/discussions/{discussion}/comments/{number:int}/withdrawal",
        "/api/discussions/{discussion}/state",
        "/api/evidence/verifications",
        "/api/gates/plan",  # writes nothing, and looks at what they may see
        "/api/gates/proposals",  # which somebody else decides
        "/api/gates/proposals/{proposal}/withdrawal",  # of their own
        "/api/gates/verifications",  # writes nothing, and looks at what they may see
        "/api/notices/marks",  # of their own
        "/api/notices/preferences",
        "/api/projects",
    }


def test_the_least_body_is_one_that_the_endpoint_reads() -> None:
    bodies = {e.body for e in Endpoint.declared.values() if e.body not in (Nothing, Raw)}

    read = [msgspec.convert(least_of(body), body, strict=False) for body in bodies]

    assert {type(body) for body in read} == bodies
