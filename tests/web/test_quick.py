"""The table of addresses says what the patterns would, and what it does not know is left to them."""

from __future__ import annotations

import contextlib
from pathlib import Path

import pytest
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Match, Route

from taxiway.house import House, build
from taxiway.web.quick import ID, QuickRouter
from tests.support.loops import awaited

RUN = "0198c0de" * 4


async def answer(request: Request) -> Response:
    return Response()


def first(routes: list[BaseRoute], method: str, path: str) -> tuple[BaseRoute, dict[str, object]] | None:
    for route in routes:
        match, inner = route.matches({"type": "http", "method": method, "path": path, "root_path": ""})
        if match is Match.FULL:
            return route, inner["path_params"]
    return None


def test_every_address_in_the_table_is_answered_as_the_patterns_say(tmp_path: Path) -> None:
    house = House(tmp_path / "home")
    with contextlib.closing(house):
        router = build(house).router
    assert isinstance(router, QuickRouter)
    addresses = [(method, path.replace(ID, RUN)) for method, path in router.table]

    wrong = [(m, p) for m, p in addresses if router.find(m, p) != first(router.routes, m, p)]

    assert wrong == []
    assert ("POST", f"/api/runs/{RUN}/batches") in addresses
    assert ("POST", "/api/2.0/mlflow/runs/log-metric") in addresses


@pytest.mark.parametrize(
    ("method", "path", "found"),
    [
        ("GET", "/things", {}),
        ("GET", f"/things/{RUN}", {"thing": RUN}),
        ("GET", f"/things/{RUN}/parts", {"thing": RUN}),
        ("GET", f"/things/{'list' * 8}/parts", {"thing": "list" * 8}),
        ("GET", "/things/short/parts", None),
        ("POST", "/things", None),
        ("GET", "/things/", None),
        ("GET", f"/things/{RUN}/parts/", None),
        ("GET", f"/numbers/{RUN}", None),
        ("GET", f"/{RUN}", None),
        ("GET", "", None),
    ],
)
def test_an_address_is_found_with_its_parameters(method: str, path: str, found: dict[str, str] | None) -> None:
    router = QuickRouter(
        [
            Route("/things", answer),
            Route("/things/{thing}", answer),
            Route("/things/{thing}/parts", answer),
            Route("/numbers/{number:int}", answer),
            Route("/files/{path:path}", answer),
        ]
    )

    known = router.find(method, path)

    assert (known and known[1]) == found


def test_a_fixed_address_keeps_its_route_though_a_pattern_would_fit_it(tmp_path: Path) -> None:
    fixed, open_ = Route(f"/things/{RUN}", answer), Route("/things/{thing}", answer)

    before = QuickRouter([fixed, open_]).find("GET", f"/things/{RUN}")
    after = QuickRouter([open_, fixed]).find("GET", f"/things/{RUN}")

    assert before == (fixed, {})
    assert after is not None
    assert after[0] is open_


def test_what_the_table_does_not_know_the_patterns_answer() -> None:
    router = QuickRouter([Route("/files/{path:path}", answer)])
    sent: list[int] = []

    async def send(message: dict[str, int]) -> None:
        sent.append(message.get("status", 0))

    scope = {"type": "http", "method": "GET", "path": "/files/a/b", "root_path": "", "headers": []}
    awaited(router(scope, None, send))  # type: ignore[arg-type]

    assert sent[0] == 200
