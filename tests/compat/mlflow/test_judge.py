"""The same scripts against a real MLflow server and against ours: where they differ, that is said here."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.compat.mlflow import programs, scripts
from tests.compat.mlflow.conftest import Tracking
from tests.compat.mlflow.odd_requests import ON_PURPOSE, REQUESTS
from tests.compat.mlflow.real import RealClient, real_server

pytestmark = pytest.mark.judge


@pytest.fixture(scope="module")
def peer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a real `mlflow server`."""
    with real_server(tmp_path_factory.mktemp("peer")) as url:
        yield url


def test_every_filter_and_order_finds_the_same_runs(tracking: Tracking, real_client: RealClient, peer: str) -> None:
    orders = [order.split(", ") if order else [] for order in scripts.ORDERS]
    ask: dict[str, Any] = {"filters": [*scripts.FILTERS, *scripts.REFUSED], "orders": orders}
    theirs = real_client.run(scripts.make_searched_runs, peer, name="judged")
    ours = tracking.run(scripts.make_searched_runs, name="judged")

    expected = real_client.run(scripts.search_all_ways, peer, number=theirs, **ask)

    assert tracking.run(scripts.search_all_ways, number=ours, **ask) == expected


@pytest.mark.parametrize("script", [*scripts.ALIKE, *programs.ALL], ids=lambda script: script.__name__)
def test_a_script_is_told_the_same(
    tracking: Tracking, real_client: RealClient, peer: str, script: scripts.Script
) -> None:
    expected = real_client.run(script, peer)

    assert tracking.run(script) == expected


def test_every_odd_request_gets_the_same_status_and_code(
    tracking: Tracking, real_client: RealClient, peer: str
) -> None:
    expected = real_client.run(scripts.ask_oddly, peer, requests=REQUESTS)
    found = tracking.run(scripts.ask_oddly, requests=REQUESTS)

    differing = {
        name: (found[name], expected[name])
        for name in expected
        if found[name] != expected[name] and name not in ON_PURPOSE
    }
    assert differing == {}
