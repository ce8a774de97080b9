"""Minutes put together to steps, and counters that may begin anew."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from taxiway.endpoints.contract import Revision
from taxiway.endpoints.showing.traffic import SPANS, Span, arrivals, draw_errors, draw_latency, draw_requests, gather
from taxiway.endpoints.steering.counters import Counters
from taxiway.endpoints.store import Minute

NOW = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)
counters = st.builds(
    Counters, st.integers(0, 99), st.integers(0, 99), st.integers(0, 99), st.integers(0, 99).map(float)
)


@pytest.mark.parametrize("span", SPANS, ids=lambda span: span.name)
def test_every_request_within_the_span_is_in_one_step(span: Span) -> None:
    start = NOW.replace(second=0)
    minutes = [Minute(1 + i % 2, start - timedelta(minutes=i), 3, 1, 2.0, float(i)) for i in range(25)]

    traffic = gather(minutes, span, NOW)

    assert traffic.total == 75
    assert sum(traffic.errors) == 25
    assert sorted(traffic.requests) == [1, 2]
    assert traffic.moments[-1] <= NOW.timestamp() < traffic.moments[-1] + span.step_s


def test_a_step_without_requests_has_no_percentile() -> None:
    traffic = gather([Minute(1, NOW.replace(second=0), 3, 0, 2.0, 9.0)], SPANS[0], NOW)

    assert traffic.p99_ms[-1] == 9.0
    assert all(math.isnan(value) for value in traffic.p99_ms[:-1])


def test_what_is_older_than_the_span_is_left_out() -> None:
    assert gather([Minute(1, NOW - timedelta(days=30), 3, 0, 2.0, 9.0)], SPANS[0], NOW).total == 0


def test_the_figures_draw_at_a_phones_width() -> None:
    traffic = gather([Minute(1, NOW.replace(second=0), 3, 1, 2.0, 9.0)], SPANS[0], NOW)

    for figure in (draw_requests(traffic), draw_latency(traffic, []), draw_errors(traffic)):
        assert figure.draw(358).startswith("<svg")


@given(st.lists(counters))
def test_what_a_running_gateway_counts_adds_up(steps: list[Counters]) -> None:
    truth, total, seen = Counters(), Counters(), Counters()
    for more in steps:
        truth = truth.plus(more)
        total, seen = total.plus(truth.since(seen)), truth

    assert total == truth


@given(counters, counters)
def test_a_counter_that_fell_counts_whole(before: Counters, now: Counters) -> None:
    grown = now.since(before)

    assert grown.requests == (now.requests - before.requests if now.requests >= before.requests else now.requests)
    assert grown.cpu_s >= 0


def test_a_revision_is_flagged_at_the_first_dot_that_it_made() -> None:
    minute = NOW.replace(second=0)
    arrived = Revision(
        endpoint="e",
        number=1,
        model="m",
        version=1,
        bundle="sha256:0",
        state="live",
        created_by="olu",
        created_at=NOW,
        live_at=NOW,
    )
    traffic = gather([Minute(1, minute, 3, 0, 2.0, 9.0)], SPANS[0], NOW)

    assert [event.x for event in arrivals(traffic, [arrived])] == [minute.timestamp()]


def test_a_time_without_errors_says_so_in_place_of_an_axis() -> None:
    minute = NOW.replace(second=0)

    quiet, loud = (draw_errors(gather([Minute(1, minute, 3, n, 2.0, 9.0)], SPANS[0], NOW)).draw(358) for n in (0, 2))

    assert "no errors" in quiet
    assert "no errors" not in loud
