"""An endpoint's traffic over time, in steps of equal length, as figures. Pure."""

from __future__ import annotations

import math
from datetime import datetime, timedelta

from msgspec import Struct

from taxiway.endpoints.contract import Revision
from taxiway.endpoints.store import Minute
from taxiway.web.figures.areas import Area, StackedAreas
from taxiway.web.figures.lines import Event, Line, LineChart


class Span(Struct, frozen=True):
    """How far back a page looks, and how long a step of its figures is."""

    name: str
    back: timedelta
    step_s: int


SPANS = (
    Span("30 minutes", timedelta(minutes=30), 60),
    Span("6 hours", timedelta(hours=6), 300),
    Span("1 day", timedelta(days=1), 900),
    Span("7 days", timedelta(days=7), 7200),
)


class Traffic(Struct, frozen=True):
    """What was answered, step by step. moments: seconds since 1970; percentiles are NaN where nothing was asked.

    p50_ms, p99_ms: the largest that a sample within the step saw.
    """

    step_s: int
    moments: list[float]
    requests: dict[int, list[int]]  # by revision
    errors: list[int]
    p50_ms: list[float]
    p99_ms: list[float]

    @property
    def total(self) -> int:
        return sum(map(sum, self.requests.values()))


def gather(minutes: list[Minute], span: Span, now: datetime) -> Traffic:
    """The minutes put together to steps; the last step is the one that `now` is in."""
    last = now.timestamp() // span.step_s * span.step_s
    count = int(span.back.total_seconds()) // span.step_s
    first = last - (count - 1) * span.step_s
    empty = [0] * count
    found = Traffic(
        span.step_s,
        [first + index * span.step_s for index in range(count)],
        {number: list(empty) for number in sorted({minute.revision for minute in minutes})},
        list(empty),
        [math.nan] * count,
        [math.nan] * count,
    )
    for minute in minutes:
        index = int((minute.minute_at.timestamp() - first) // span.step_s)
        if 0 <= index < count:
            found.requests[minute.revision][index] += minute.requests
            found.errors[index] += minute.errors
            if minute.requests:
                found.p50_ms[index] = larger(found.p50_ms[index], minute.p50_ms)
                found.p99_ms[index] = larger(found.p99_ms[index], minute.p99_ms)
    return found


def larger(before: float, other: float | None) -> float:
    if other is None:
        return before
    return other if math.isnan(before) else max(before, other)


def step_name(step_s: int) -> str:
    """
    >>> step_name(60), step_name(900), step_name(7200)
    ('minute', '15 minutes', '2 hours')
    """
    if step_s == 60:
        return "minute"
    return f"{step_s // 60} minutes" if step_s < 3600 else f"{step_s // 3600} hours"


def draw_requests(traffic: Traffic) -> StackedAreas:
    """Requests stacked by the revision that answered."""
    areas = tuple(Area(f"revision {number}", tuple(map(float, counts))) for number, counts in traffic.requests.items())
    per = f"requests per {step_name(traffic.step_s)}"
    return StackedAreas(title="Requests by revision", moments=tuple(traffic.moments), areas=areas, y_name=per)


def draw_latency(traffic: Traffic, revisions: list[Revision]) -> LineChart:
    """Latency percentiles, with a mark where a revision took over."""
    lines = tuple(
        Line(name=name, points=tuple(zip(traffic.moments, values, strict=True)))
        for name, values in (("p50", traffic.p50_ms), ("p99", traffic.p99_ms))
    )
    return LineChart(
        title="Latency",
        is_time=True,
        y_name="ms",
        lines=lines,
        events=arrivals(traffic, revisions),
        height=220,
        has_dots=True,
    )


def draw_errors(traffic: Traffic) -> LineChart:
    points = tuple(zip(traffic.moments, map(float, traffic.errors), strict=True))
    per = f"errors per {step_name(traffic.step_s)}"
    lines = (Line(name="errors", points=points),)
    return LineChart(title="Errors", is_time=True, y_name=per, lines=lines, height=220, nothing="no errors")


def arrivals(traffic: Traffic, revisions: list[Revision]) -> tuple[Event, ...]:
    """The steps in which a revision answered for the first time: its flag stands at the first dot that it made."""
    first = traffic.moments[0]
    came = [(each.number, each.live_at) for each in reversed(revisions) if each.live_at is not None]
    return tuple(
        Event(
            x=at.timestamp() // traffic.step_s * traffic.step_s,
            name=f"revision {number}",
            kind="deploy",
            url="#revisions",
        )
        for number, at in came
        if at.timestamp() >= first
    )
