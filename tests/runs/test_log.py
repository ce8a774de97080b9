"""Batches: stored once, whole or not at all, whatever order they come in."""

from __future__ import annotations

import http.client
import json
import random
import threading
from typing import Any
from urllib.parse import urlsplit

import pytest

from taxiway.client import Client, connect
from taxiway.kernel.errors import BadField, NotFound, TooLarge
from taxiway.kernel.ids import new_id
from taxiway.kernel.numbers import Number, to_wire
from taxiway.runs import contract
from taxiway.runs.contract import Course, LogBatch, Logged, Point
from taxiway.runs.refusals import BatchReused, ParamFixed, RunEnded
from tests.runs.conftest import AT, MakeRun
from tests.support.live import Live

WRITER = "0" * 31 + "1"


def send(client: Client, run: str, batch: LogBatch) -> Logged:
    return client.transport.call(contract.log_batch, batch, run=run)


def batches(count: int, each: int, writer: str = WRITER) -> list[LogBatch]:
    return [
        LogBatch(
            writer,
            seq=number * each,
            points=[Point("loss", float(step), step, AT) for step in range(number * each, (number + 1) * each)],
        )
        for number in range(count)
    ]


def steps(client: Client, run: str, key: str = "loss") -> list[int]:
    return [point.step for point in client.runs.metric(run, key)]


def test_repeated_and_shuffled_batches_are_stored_once(live: Live, make_run: MakeRun) -> None:
    live.client.projects.create("fraud")
    run = make_run(live.client)
    sent = batches(12, 25)
    shuffled = [*sent, *sent, *sent[:5]]
    random.Random(7).shuffle(shuffled)

    news = [send(live.client, run.id, batch).is_new for batch in shuffled]

    assert sum(news) == len(sent)
    assert steps(live.client, run.id) == list(range(300))
    assert live.client.runs.show(run.id).metrics == {"loss": 299.0}


def test_the_same_number_with_other_points_is_refused(live: Live, make_run: MakeRun) -> None:
    live.client.projects.create("fraud")
    run = make_run(live.client)
    send(live.client, run.id, LogBatch(WRITER, 0, [Point("loss", 1.0, 0, AT)]))

    with pytest.raises(BatchReused):
        send(live.client, run.id, LogBatch(WRITER, 0, [Point("loss", 2.0, 0, AT)]))

    assert [point.value for point in live.client.runs.metric(run.id, "loss")] == [1.0]


def test_a_batch_that_overlaps_another_is_refused_whole(live: Live, make_run: MakeRun) -> None:
    live.client.projects.create("fraud")
    run = make_run(live.client)
    (batch,) = batches(1, 10)
    send(live.client, run.id, batch)

    with pytest.raises(BatchReused):
        send(live.client, run.id, LogBatch(WRITER, 5, batch.points))

    assert steps(live.client, run.id) == list(range(10))


def test_values_that_are_no_numbers_and_honest_duplicates_are_kept(live: Live, make_run: MakeRun) -> None:
    live.client.projects.create("fraud")
    run = make_run(live.client)
    values: list[Number] = ["NaN", "Infinity", "-Infinity", 0.5, 0.5, -0.0, 5e-324, 1.7976931348623157e308, "NaN"]

    send(live.client, run.id, LogBatch(WRITER, 0, [Point("x", value, 3, AT) for value in values]))

    found = live.client.runs.metric(run.id, "x")
    assert [repr(to_wire(float(point.value))) for point in found] == [repr(value) for value in values]
    newest = live.client.runs.show(run.id).metrics
    assert {key: to_wire(float(value)) for key, value in newest.items()} == {"x": "Infinity"}
    assert [found.id for found in live.client.runs.list("metrics.x > 1e308")] == [run.id]


def test_a_zero_keeps_its_sign_among_others_and_as_the_newest(live: Live, make_run: MakeRun) -> None:
    live.client.projects.create("fraud")
    run = make_run(live.client)

    send(live.client, run.id, LogBatch(WRITER, 0, [Point("x", value, 1, AT) for value in (0.0, -0.0)]))
    send(live.client, run.id, LogBatch(WRITER, 2, [Point("y", -0.0, 1, AT)]))

    found = [repr(point.value) for key in "xy" for point in live.client.runs.metric(run.id, key)]
    assert sorted(found) == ["-0.0", "-0.0", "0.0"]
    assert repr(live.client.runs.show(run.id).metrics["y"]) == "-0.0"
    assert [found.id for found in live.client.runs.list("metrics.y = 0")] == [run.id]


def test_the_newest_value_is_that_of_the_highest_step(live: Live, make_run: MakeRun) -> None:
    live.client.projects.create("fraud")
    run = make_run(live.client)

    send(live.client, run.id, LogBatch(WRITER, 10, [Point("x", 2.0, 7, AT), Point("x", 1.0, 3, AT)]))
    send(live.client, run.id, LogBatch(WRITER, 0, [Point("x", 9.0, -(2**63), AT), Point("x", 8.0, 6, AT)]))

    assert live.client.runs.show(run.id).metrics == {"x": 2.0}
    assert steps(live.client, run.id, "x") == [-(2**63), 3, 6, 7]


def test_a_parameter_keeps_its_first_value_and_the_batch_changes_nothing(live: Live, make_run: MakeRun) -> None:
    live.client.projects.create("fraud")
    run = make_run(live.client, params={"C": 0.5, "n": 2**53 + 1, "on": True, "name": "é\n"})
    again = LogBatch(WRITER, 0, [Point("x", 1.0, 0, AT)], params={"new": 1, "C": 0.7}, tags={"t": "x"})

    with pytest.raises(ParamFixed) as refusal:
        send(live.client, run.id, again)

    shown = live.client.runs.show(run.id)
    assert (refusal.value.param, refusal.value.value, refusal.value.given) == ("C", "0.5", "0.7")
    assert shown.params == {"C": 0.5, "n": 2**53 + 1, "name": "é\n", "on": True}
    assert shown.metrics == {}
    assert shown.tags == {}


def test_the_same_parameter_again_is_no_change(live: Live, make_run: MakeRun) -> None:
    live.client.projects.create("fraud")
    run = make_run(live.client, params={"C": 0.5})

    assert send(live.client, run.id, LogBatch(WRITER, 0, params={"C": 0.5})).is_new


def test_eight_writers_at_once_lose_and_double_nothing(live: Live, make_run: MakeRun) -> None:
    live.client.projects.create("fraud")
    run = make_run(live.client)
    live.as_person("ana", "contributor", project="fraud")
    token = live.client.access.make_token("ana").token
    failures: list[BaseException] = []

    def write(number: int) -> None:
        with connect(live.url, token=token) as client:
            try:
                for batch in batches(10, 20, writer=f"{number:032x}"):
                    send(client, run.id, batch)
                    send(client, run.id, batch)
            except BaseException as e:  # noqa: BLE001 - told by the assertion below
                failures.append(e)
            finally:
                client.transport.close()

    threads = [threading.Thread(target=write, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert failures == []
    assert sorted(steps(live.client, run.id)) == sorted(list(range(200)) * 8)


def test_an_ended_run_takes_nothing_new_but_knows_what_it_has(live: Live, make_run: MakeRun) -> None:
    live.client.projects.create("fraud")
    run = make_run(live.client)
    first, second = batches(2, 5)
    send(live.client, run.id, first)
    ended = live.client.runs.finish(run.id)

    again = send(live.client, run.id, first)
    with pytest.raises(RunEnded):
        send(live.client, run.id, second)

    assert not again.is_new
    assert live.client.runs.show(run.id).sealed == ended.sealed


def test_the_end_seals_the_points_in_the_audit_log(live: Live, make_run: MakeRun) -> None:
    live.client.projects.create("fraud")
    run = make_run(live.client, metrics={"x": 1.0})
    for batch in batches(3, 10):
        send(live.client, run.id, batch)
    before = live.client.audit.head().size

    ended = live.client.runs.finish(run.id)

    entry = live.client.audit.entries(limit=1).items[0]
    assert entry.verb == "runs.finish"
    assert entry.facts["sealed"] == ended.sealed
    assert entry.facts["points"] == 31
    assert live.client.audit.head().size == before + 1


@pytest.mark.parametrize(
    ("point", "field"),
    [
        ({"value": "x"}, "points[1].value"),
        ({"value": True}, "points[1].value"),
        ({"value": None}, "points[1].value"),
        ({"step": 2**63}, "points[1].step"),
        ({"step": 1.5}, "points[1].step"),
        ({"step": "1"}, "points[1].step"),
        ({"at": "yesterday"}, "points[1].at"),
        ({"at": "2026-01-01T00:00:00"}, "points[1].at"),
        ({"at": "1969-12-31T23:59:59Z"}, "points[1].at"),
        ({"key": ""}, "points[1].key"),
        ({"key": "a\nb"}, "points[1].key"),
        ({"key": "k" * 251}, "points[1].key"),
        ({"unit": "s"}, "points[1]"),
    ],
)
def test_a_wrong_value_is_named_and_the_batch_changes_nothing(
    open_live: Live, make_run: MakeRun, point: dict[str, object], field: str
) -> None:
    open_live.client.projects.create("fraud")
    run = make_run(open_live.client)
    good = {"key": "x", "value": 1.0, "step": 0, "at": "2026-01-01T00:00:00Z"}
    body = json.dumps({"writer": WRITER, "seq": 0, "points": [good, {**good, **point}]})

    status, fault = post(open_live.url, f"/api/runs/{run.id}/batches", body)

    assert (status, fault["error"], fault["facts"]["field"]) == (400, "BadField", field)
    assert open_live.client.runs.show(run.id).metrics == {}


@pytest.mark.parametrize("body", ['{"writer": NaN}', "{", "[]", '{"writer": "x", "seq": 0}', '{"seq": 0}'])
def test_a_broken_body_is_refused(open_live: Live, make_run: MakeRun, body: str) -> None:
    open_live.client.projects.create("fraud")
    run = make_run(open_live.client)

    status, fault = post(open_live.url, f"/api/runs/{run.id}/batches", body)

    assert (status, fault["error"]) == (400, "BadField")


def test_a_batch_has_a_limit(open_live: Live, make_run: MakeRun) -> None:
    open_live.client.projects.create("fraud")
    run = make_run(open_live.client)

    with pytest.raises(TooLarge):
        send(open_live.client, run.id, LogBatch(WRITER, 0, [Point("x", 1.0, 0, AT)] * 20_001))


def test_points_may_come_in_columns(live: Live, make_run: MakeRun) -> None:
    live.client.projects.create("fraud")
    run = make_run(live.client)
    values: list[Number] = [0.5, "NaN", "-Infinity"]
    courses = [Course("x", [2, 1, 2], [7, 9, 5], values), Course("y", [*range(1000)], [3] * 1000, [0.25] * 1000)]
    batch = LogBatch(WRITER, 0, [Point("x", 1.0, 0, AT)], courses)

    answers = [send(live.client, run.id, batch) for _ in range(2)]

    assert answers == [Logged(1004, is_new=True), Logged(1004, is_new=False)]
    found = live.client.runs.metric(run.id, "x")
    assert [(p.step, to_wire(float(p.value))) for p in found] == [(0, 1.0), (1, "NaN"), (2, "-Infinity"), (2, 0.5)]
    assert len(steps(live.client, run.id, "y")) == 1000


@pytest.mark.parametrize(
    ("course", "field"),
    [
        (Course("x", [1], [], [1.0]), "courses[0].at"),
        (Course("x", [1], [1], []), "courses[0].values"),
        (Course("x", [1], [2**63 - 1], [1.0]), "courses[0].at"),
        (Course("a\nb", [1], [1], [1.0]), "courses[0].key"),
    ],
)
def test_columns_that_do_not_go_together_are_refused(
    open_live: Live, make_run: MakeRun, course: Course, field: str
) -> None:
    run = make_run(open_live.client, project="default")

    with pytest.raises(BadField) as refusal:
        send(open_live.client, run.id, LogBatch(WRITER, 0, courses=[course]))

    assert refusal.value.field == field


def test_an_unknown_run_is_not_found(open_live: Live) -> None:
    with pytest.raises(NotFound, match="taxiway runs list"):
        send(open_live.client, new_id(), LogBatch(WRITER, 0))


def test_a_page_of_points_goes_on_where_the_last_one_ended(open_live: Live, make_run: MakeRun) -> None:
    open_live.client.projects.create("fraud")
    run = make_run(open_live.client)
    same = [Point("x", float(i), i // 4, AT) for i in range(30)]
    send(open_live.client, run.id, LogBatch(WRITER, 0, same))
    found: list[Number] = []
    after: str | None = ""

    while after is not None:
        ask = contract.ReadMetric("x", limit=7, after=after)
        page = open_live.client.transport.call(contract.read_metric, ask, run=run.id)
        found += [point.value for point in page.items]
        after = page.next

    assert found == [float(i) for i in range(30)]


@pytest.mark.parametrize(("limit", "after"), [(0, ""), (-1, ""), (10**9, ""), (5, "zz"), (5, "ff00")])
def test_a_strange_page_is_refused(open_live: Live, make_run: MakeRun, limit: int, after: str) -> None:
    open_live.client.projects.create("fraud")
    run = make_run(open_live.client)

    with pytest.raises(BadField):
        open_live.client.transport.call(contract.read_metric, contract.ReadMetric("x", limit, after), run=run.id)


def post(url: str, path: str, body: str) -> tuple[int, dict[str, Any]]:
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=10)
    try:
        connection.request("POST", path, body, {"Content-Type": "application/json"})
        reply = connection.getresponse()
        return reply.status, json.loads(reply.read())
    finally:
        connection.close()
