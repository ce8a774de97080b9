"""Revisions that go wrong in a real gateway, without a server: each gives its traffic back, in time, and says why."""

from __future__ import annotations

import contextlib
import signal
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime

import msgspec
import pytest

from taxiway.endpoints.rollout.declared import Rollout
from taxiway.endpoints.rollout.falls import read_falls
from taxiway.endpoints.rollout.guard import Guard
from taxiway.endpoints.rollout.split import Share, divide, whole
from tests.endpoints.conftest import Site, ask, until

IN_TIME_S = 10.0
KINDS = {"raises": "errors", "nan": "missing", "text": "schema", "lags": "latency", "leaks": "memory"}
QUICK = Guard(growth_mb=200)
QUICK_MS = 80.0
MOST_HUNDREDS = 20


class Fallen(msgspec.Struct):
    """What became of a bad revision. took_s: from its first answer, or refusal, to the last one."""

    took_s: float
    statuses: set[int]
    last: int
    after: set[int]


def follow(site: Site, name: str, says: str, guard: Guard = QUICK) -> None:
    """Revision 2 of that habit takes over from revision 1, which stays warm."""
    site.add(says, name)
    rollout = Rollout(2, whole(2), datetime.now(UTC), before=whole(1), guard=guard)
    site.change(name, active=2, rollout=rollout)


def watch(site: Site, name: str) -> Fallen:
    """Asks until revision 1 answers again for a while."""
    first = last = 0.0
    statuses: set[int] = set()
    after: set[int] = set()
    asked_after = 0
    until_s = time.monotonic() + 40
    while time.monotonic() < until_s and asked_after < 40:
        answer = site.ask({"x": 500}, name=name)
        now = time.monotonic()
        is_bad = answer.body.get("revision") == 2 or answer.status >= 500
        if is_bad:
            first, last, asked_after, after = first or now, now, 0, set()
            statuses.add(answer.status)
        elif first:
            asked_after += 1
            after.add(answer.body["revision"])
        time.sleep(0.02)
    return Fallen(last - first, statuses, round(last - first), after)


def poison(site: Site, name: str) -> None:
    """Asks for four seconds what no revision can answer."""
    for _ in range(80):
        site.ask({"x": 1, "mood": "raise"}, name=name)
        time.sleep(0.05)


def ask_until_quick(site: Site, name: str) -> None:
    """Asks revision 1 until its 99th percentile is known, and is low enough for a lag of 0.4 s to be three times it.

    On a machine that is busy with other things the first hundred may be slow.
    """
    with contextlib.closing(site.connection()) as connection:
        for x in range(110 * MOST_HUNDREDS):
            ask(connection, "POST", f"/endpoints/{name}/invocations", msgspec.json.encode({"x": x % 90}))
            if x % 110 == 109 and 0 < (site.revision(1, name).p99_ms or 0) < QUICK_MS:
                return


@pytest.fixture(scope="module")
def gone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Site, dict[str, Fallen]]]:
    """Every habit at an endpoint of its own, all at once."""
    site = Site(tmp_path_factory.mktemp("gone") / "home")
    found: dict[str, Fallen] = {}
    try:
        site.start()
        for habit in KINDS:
            site.deploy("1", name=habit)
        for habit in KINDS:
            site.until_live(name=habit)
        ask_until_quick(site, "lags")
        for habit in KINDS:
            follow(site, habit, habit)
        for name in ("poisoned", "canary"):
            site.deploy("1", name=name)
            site.until_live(name=name)
        follow(site, "poisoned", "2")
        site.until_live(2, "poisoned")
        site.add("raises", "canary")
        split = divide([Share(1, 80), Share(2, 20)], whole(1))
        rollout = Rollout(2, split, datetime.now(UTC), before=whole(1), guard=QUICK)
        site.change("canary", active=1, rollout=rollout)
        site.until_live(2, "canary")
        threads = [
            threading.Thread(target=lambda h=habit: found.update({h: watch(site, h)})) for habit in [*KINDS, "canary"]
        ]
        threads.append(threading.Thread(target=lambda: poison(site, "poisoned")))
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        yield site, found
    finally:
        site.stop()


@pytest.mark.parametrize("habit", KINDS)
def test_a_revision_that_goes_wrong_gives_its_traffic_back_in_time(
    gone: tuple[Site, dict[str, Fallen]], habit: str
) -> None:
    site, found = gone
    fall = next(each for each in read_falls(site.home) if each.endpoint == habit)

    assert found[habit].after == {1}
    assert found[habit].took_s <= IN_TIME_S
    assert fall.cause.kind == KINDS[habit]
    assert (fall.revision, fall.number, fall.to.main) == (2, 2, 1)
    assert fall.cause.bad >= 5 or habit == "leaks"


def test_requests_that_no_revision_can_answer_bring_none_down(gone: tuple[Site, dict[str, Fallen]]) -> None:
    site, _ = gone

    assert site.revision(2, "poisoned").errors == 80
    assert [each for each in read_falls(site.home) if each.endpoint == "poisoned"] == []
    assert site.ask({"x": 1}, name="poisoned").body["revision"] == 2


def test_what_fell_runs_no_more_and_its_last_lines_are_kept(gone: tuple[Site, dict[str, Fallen]]) -> None:
    site, _ = gone
    until(lambda: not site.revision(2, "leaks").pids)
    fall = next(each for each in read_falls(site.home) if each.endpoint == "raises")

    assert any("it does so with all of them" in line for line in fall.log_tail)


def test_a_fall_outlives_the_gateway_until_something_else_is_declared(site: Site) -> None:
    site.deploy("1")
    site.start()
    site.until_live()
    follow(site, "adder", "raises")
    site.until_live(2)
    until(lambda: site.ask({"x": 500}).status == 200)
    site.stop(signal.SIGKILL)
    site.start()
    until(lambda: site.ask({"x": 500}).status == 200)

    assert site.ask({"x": 1}).body["revision"] == 1
    site.change("adder", rollout=Rollout(3, whole(2), datetime.now(UTC), before=whole(1)))
    site.until_live(2)
    assert site.ask({"x": 1}).body["revision"] == 2


def test_a_revision_that_never_listens_or_dies_at_load_costs_nobody_an_answer(shared: Site) -> None:
    for name, says in (("deaf", "deaf"), ("crash", "crash")):
        shared.deploy("1", name=name)
        shared.until_live(name=name)
        follow(shared, name, says, Guard(ready_within_s=3) if name == "deaf" else QUICK)
    shared.until_state("refused", 2, "deaf")
    shared.until_state("failing", 2, "crash")

    deaf, crash = shared.revision(2, "deaf"), shared.revision(2, "crash")
    assert "was not ready within 3 s" in deaf.reason
    assert deaf.log_tail == ["still thinking"]
    assert "about to crash" in crash.log_tail
    assert [shared.ask({"x": 1}, name=name).body["revision"] for name in ("deaf", "crash")] == [1, 1]


def test_a_bad_canary_takes_nobody_else_along(gone: tuple[Site, dict[str, Fallen]]) -> None:
    site, found = gone
    fall = next(each for each in read_falls(site.home) if each.endpoint == "canary")

    assert found["canary"].statuses == {500}
    assert found["canary"].after == {1}
    assert found["canary"].took_s <= IN_TIME_S
    assert fall.to.shares == (Share(1, 100.0),)
    assert site.revision(1, "canary").errors == 0
