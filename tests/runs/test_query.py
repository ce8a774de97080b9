"""Finding runs: filters, orders and pages, on both databases."""

from __future__ import annotations

import math

import pytest

from taxiway.kernel.errors import BadField
from taxiway.runs.contract import ListRuns
from tests.runs.conftest import MakeRun
from tests.support.live import Live


def test_a_filter_lets_through_what_it_says(live: Live, make_run: MakeRun) -> None:
    live.client.projects.create("fraud")
    make_run(live.client, "one", params={"model": "logistic", "C": 0.5, "on": True}, metrics={"auc": 0.91, "val/x": 1})
    make_run(live.client, "two", params={"model": "boosted trees", "C": 2}, metrics={"auc": 0.95}, tags={"team": "a'b"})
    make_run(live.client, "100% three", params={"C": "0.5"}, metrics={"auc": math.nan}, tags={"team": "x" * 100})

    def names(filter_: str) -> set[str]:
        return {run.name for run in live.client.runs.list(filter_)}

    ordered = live.client.runs.list("metrics.auc > 0.9 and params.C > 0", order="metrics.auc desc")
    assert [run.name for run in ordered] == ["two", "one"]
    assert len(live.client.runs.list("params.C > 0 and params.C < 1", order="params.C")) == 2
    assert names("not name like 't%' and not id like ''") == {"one", "100% three"}
    assert [run.name for run in live.client.runs.list(order="artifact_uri, name desc")] == ["one", "two", "100% three"]
    assert names('"THREE 100" or "two"') == {"two", "100% three"}
    assert names("name ~ '^[a-z]+$' and not tags.team is null") == {"two"}
    assert names("metrics.auc > 0.9") == {"one", "two"}
    assert names('metrics.auc > 0.9 and params.model = "logistic"') == {"one"}
    assert names("metrics.`val/x` >= 1") == {"one"}
    assert names("params.C = 0.5") == {"one", "100% three"}
    assert names("params.C in (0.5, 7)") == {"one", "100% three"}
    assert names('params.C = "0.5"') == {"one", "100% three"}
    assert names("params.C != 0.5") == {"two"}
    assert names("params.on = true") == {"one"}
    assert names('params.model contains "TREES"') == {"two"}
    assert names('name contains "0% t"') == {"100% three"}
    assert names('name contains "%"') == {"100% three"}
    assert names('tags.team = "a\'b"') == {"two"}
    assert names(f'tags.team = "{"x" * 100}"') == {"100% three"}
    assert names(f'tags.team = "{"x" * 99}y"') == set()
    assert names('metrics.nothing < 1 and status = "running"') == set()
    assert names('project = "fraud" and experiment = "default" and created_by = "local"') == {
        "one",
        "two",
        "100% three",
    }


@pytest.mark.parametrize(
    "order", ["metrics.auc", "metrics.auc desc", "params.C desc", "name", "started_at", "duration_s"]
)
def test_pages_in_any_order_hold_every_run_once(live: Live, make_run: MakeRun, order: str) -> None:
    live.client.projects.create("fraud")
    values = [0.5, 0.9, 0.5, math.nan, math.inf, -math.inf, None, 0.1]
    for number, value in enumerate(values):
        metrics = {} if value is None else {"auc": value}
        run = make_run(live.client, f"r{number}", params={"C": number % 3} if number % 2 else {}, metrics=metrics)
        if number % 3 == 0:
            live.client.runs.finish(run.id)
    paged: list[str] = []
    after: str | None = ""

    while after is not None:
        page = live.client.runs.page(ListRuns(order=order, limit=3, after=after))
        paged += [run.name for run in page.items]
        after = page.next

    whole = [run.name for run in live.client.runs.list(order=order, limit=100)]
    assert paged == whole
    assert sorted(paged) == [f"r{number}" for number in range(len(values))]


def test_runs_without_a_value_come_last_either_way(live: Live, make_run: MakeRun) -> None:
    live.client.projects.create("fraud")
    for name, value in [("low", 0.1), ("nan", math.nan), ("high", 0.9), ("inf", math.inf)]:
        make_run(live.client, name, metrics={"auc": value})
    make_run(live.client, "none")

    rising = [run.name for run in live.client.runs.list(order="metrics.auc")]
    falling = [run.name for run in live.client.runs.list(order="metrics.auc desc")]

    assert rising == ["low", "high", "inf", "nan", "none"]
    assert falling == ["inf", "high", "low", "nan", "none"]


@pytest.mark.parametrize("limit", [0, -1, 10**9])
def test_a_strange_page_size_is_refused(open_live: Live, limit: int) -> None:
    with pytest.raises(BadField) as refusal:
        open_live.client.runs.page(ListRuns(limit=limit))

    assert refusal.value.field == "limit"
