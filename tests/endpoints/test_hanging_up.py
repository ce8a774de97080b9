"""Callers who go away, streams that take too long, and a disk that is full at a stream's end, over a real gateway."""

from __future__ import annotations

import contextlib
import resource
import time
from collections.abc import Iterator
from datetime import UTC, datetime

import msgspec
import pytest

from taxiway.endpoints.commands import DEPLOY
from taxiway.endpoints.inferences.policy import LogPolicy
from taxiway.endpoints.rollout.declared import Rollout
from taxiway.endpoints.rollout.falls import read_falls
from taxiway.endpoints.rollout.guard import Guard
from taxiway.endpoints.rollout.split import whole
from taxiway.endpoints.setup import Setup
from tests.endpoints.conftest import Site, until
from tests.endpoints.test_streaming import events, stream

ROUNDS, TIMES, SLEEP_S = 3, 4, 0.2


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """`adder`, whose revision 2 took over and is watched; revision 1 is warm."""
    site = Site(tmp_path_factory.mktemp("hanging-up") / "home")
    try:
        site.deploy("1")
        brief = site.add("2")
        site.revisions[-1] = msgspec.structs.replace(brief, workers=2, setup=Setup(max_stream_s=1.0))
        site.start()
        site.until_live()
        guard = Guard(growth_mb=500)
        site.change("adder", active=2, rollout=Rollout(2, whole(2), datetime.now(UTC), before=whole(1), guard=guard))
        site.until_live(2)
        yield site
    finally:
        site.stop()


def hang_up(site: Site) -> None:
    """Asks what takes a while, and goes away."""
    with contextlib.closing(site.connection()) as connection:
        body, headers = msgspec.json.encode({"x": SLEEP_S, "mood": "sleep"}), {"content-type": "application/json"}
        connection.request("POST", "/endpoints/adder/invocations", body, headers)
        time.sleep(0.02)


def test_who_hangs_up_is_abandoned_and_brings_no_revision_down(watched: Site) -> None:
    for number in range(1, ROUNDS + 1):  # in as many seconds as the guard asks for before it moves anything
        began = time.monotonic()
        for _ in range(TIMES):
            hang_up(watched)
            with stream(watched, 40) as response:
                assert next(events(response))[0] == "piece"
        until(lambda n=number: watched.revision(2).abandoned == 2 * TIMES * n)  # type: ignore[misc]
        until(lambda: watched.revision(2).in_flight == 0)
        time.sleep(max(0.0, 1.05 - (time.monotonic() - began)))

    found = watched.revision(2)
    assert (found.requests, found.errors, found.refused, found.is_live) == (0, 0, 0, True)
    assert read_falls(watched.home) == []
    with contextlib.closing(watched.connection()) as connection:
        connection.request("GET", "/metrics")
        lines = connection.getresponse().read().decode().splitlines()
    [line] = [each for each in lines if each.startswith("taxiway_requests_abandoned_total") and 'revision="2"' in each]
    assert line.endswith(f" {2 * TIMES * ROUNDS}")


def test_a_stream_takes_no_longer_than_its_revision_says(watched: Site) -> None:
    with stream(watched, 200) as response:
        began = time.monotonic()
        *pieces, (last, told) = events(response)

    assert (last, told["error"]) == ("error", "StreamCut")
    assert "longer than it may" in told["detail"]
    assert 1 < len(pieces) < 100
    assert time.monotonic() - began < 2.0


def test_the_time_of_a_stream_has_bounds_and_is_said_as_other_times_are() -> None:
    for seconds in (0, 0.5, 86_401):
        with pytest.raises(msgspec.ValidationError, match="max_stream_s"):
            msgspec.convert({"max_stream_s": seconds}, Setup)
    [argument] = [each for each in DEPLOY.arguments if each.name == "--max-stream"]
    assert (argument.kind("30m"), argument.default) == (1800.0, Setup().max_stream_s)


@pytest.mark.parametrize(("when_full", "last"), [("refuse", "error"), ("go-on", "end")])
def test_a_disk_that_is_full_at_a_streams_end_does_what_the_policy_says(
    watched: Site, when_full: str, last: str
) -> None:
    """No file of the gateway may grow, which takes no root: a write fails as on a full disk."""
    policy = LogPolicy("acknowledged", when_full=when_full)  # type: ignore[arg-type]
    watched.change("adder", log=policy)
    until(lambda: watched.status().logs[0].when_full == when_full)
    pid, unlimited = watched.address.pid, (resource.RLIM_INFINITY, resource.RLIM_INFINITY)
    try:
        with stream(watched, 10) as response:
            found = events(response)
            next(found)
            resource.prlimit(pid, resource.RLIMIT_FSIZE, (0, resource.RLIM_INFINITY))
            *_, (name, told) = found
        said = watched.status().logs[0]
    finally:
        resource.prlimit(pid, resource.RLIMIT_FSIZE, unlimited)

    assert name == last
    assert told.get("error", "AnswerNotRecorded") == "AnswerNotRecorded"
    assert (said.refused, said.unrecorded) == ((1, 0) if when_full == "refuse" else (1, 1))
    with stream(watched, 3) as response:
        assert [each for each, _ in events(response)] == ["piece"] * 3 + ["end"]
