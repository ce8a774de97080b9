"""When a revision gives its traffic back by itself. Pure: counts in, a cause with its numbers out.

A gateway decides by this alone, without the server. Each condition compares a share of requests with what is allowed:
its limit, and on top of that what the revision before had, so that a fault that both have moves nothing.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from typing import Annotated, Literal

from msgspec import Meta, Struct

Kind = Literal["errors", "missing", "schema", "latency", "memory", "dying", "starting", "canary"]
PerCent = Annotated[float, Meta(ge=0, le=100)]

WINDOWS_S = (10, 60)  # how far back is looked; either is enough
Z = 2.576  # of a 99 % interval's ends
MARGIN_MS = 50.0  # by so much at least it must be slower than the revision before
LEAST_BEFORE = 100  # requests from which on the revision before has a percentile to be compared with


class Guard(Struct, frozen=True, forbid_unknown_fields=True):
    """The conditions of an endpoint. Percentages are of requests, beyond what the revision before has of the kind.

    least: so many bad requests at least, in at least `seconds` different seconds: a few unlucky ones move nothing.
    errors_percent: the model raised, its worker died, or no answer came in time. missing_percent: answers with NaN or
    null where the signature has a value. schema_percent: answers that do not fit the signature in another way.
    slow_percent: requests slower than `latency_factor` times the 99th percentile of the revision before (and than it by
    50 ms), or than `latency_ms`, where given; with 1 that is a bound on the 99th percentile.
    growth_mb: how much memory its processes may take beyond what they had when they became ready.
    warm_s: how long the revision before stays loaded after a change, ready to take over at once.
    ready_within_s: how long a revision may take until it answers its example.
    """

    is_on: bool = True
    least: Annotated[int, Meta(ge=1, le=100_000)] = 5
    seconds: Annotated[int, Meta(ge=1, le=10)] = 3
    errors_percent: PerCent = 5.0
    missing_percent: PerCent = 5.0
    schema_percent: PerCent = 1.0
    slow_percent: PerCent = 5.0
    latency_factor: Annotated[float, Meta(ge=1, le=1000)] = 3.0
    latency_ms: Annotated[float, Meta(gt=0)] | None = None
    growth_mb: Annotated[int, Meta(ge=1)] = 1024
    warm_s: Annotated[int, Meta(ge=0, le=86_400)] = 600
    ready_within_s: Annotated[int, Meta(ge=1, le=3600)] = 60


class Cause(Struct, frozen=True):
    """Why a revision gave its traffic back. For shares: `bad` of `of` requests within `within_s`, and what was allowed.

    least_percent: the lower end of the 99 % interval around the share, which is what exceeded `allowed_percent`.
    """

    kind: Kind
    detail: str
    bad: int = 0
    of: int = 0
    within_s: int = 0
    least_percent: float = 0.0
    allowed_percent: float = 0.0

    def __str__(self) -> str:
        if not self.of:
            return self.detail
        numbers = f"{self.bad} of {self.of} requests in {self.within_s} s"
        return (
            f"{self.detail}: {numbers}, which is at least {self.least_percent:.1f} %, "
            f"and {self.allowed_percent:.1f} % are allowed"
        )


class Second(Struct):
    """What a revision did in one second."""

    at: int
    requests: int = 0
    errors: int = 0
    missing: int = 0
    schema: int = 0
    slow: int = 0


class Tally:
    """The last minute of a revision, second by second. `now` is what is counted into."""

    __slots__ = ("now", "seconds")

    def __init__(self, at: int) -> None:
        self.now = Second(at)
        self.seconds = [self.now]

    def turn(self, at: int) -> None:
        """Begins the second `at`, and forgets those of more than a minute ago."""
        if at != self.now.at:
            self.now = Second(at)
            self.seconds = [*(s for s in self.seconds if s.at > at - WINDOWS_S[-1] and s.requests), self.now]

    def since(self, at: int) -> list[Second]:
        return [second for second in self.seconds if second.at > at]

    def percent(self, kind: Kind) -> float:
        """Of all requests that are remembered."""
        requests = sum(second.requests for second in self.seconds)
        return 100 * sum(count(second, kind) for second in self.seconds) / requests if requests else 0.0


class Before(Struct, frozen=True):
    """What the revision before did, as far as it is compared with. p99_ms: None where it answered too little."""

    revision: int
    p99_ms: float | None = None
    errors: float = 0.0
    missing: float = 0.0
    schema: float = 0.0

    def percent(self, kind: Kind) -> float:
        return {"errors": self.errors, "missing": self.missing, "schema": self.schema}.get(kind, 0.0)


def seen_of(revision: int, tally: Tally, latencies_ms: Sequence[float]) -> Before:
    """What a revision is remembered by when another follows it, or runs beside it."""
    p99 = percentile(latencies_ms) if len(latencies_ms) >= LEAST_BEFORE else None
    return Before(revision, p99, *(tally.percent(kind) for kind in ("errors", "missing", "schema")))


def percentile(values: Sequence[float]) -> float:
    """The 99th: the smallest value that at least 99 % of them do not exceed."""
    return sorted(values)[math.ceil(0.99 * len(values)) - 1]


def bound_ms(guard: Guard, before: Before | None) -> float:
    """The latency past which a request is slow; without a bound and a revision before there is none."""
    bounds = [guard.latency_ms] if guard.latency_ms is not None else []
    if before is not None and before.p99_ms is not None:
        bounds.append(max(before.p99_ms * guard.latency_factor, before.p99_ms + MARGIN_MS))
    return min(bounds, default=math.inf)


def judge(
    guard: Guard, tally: Tally, before: Before | None, *, at: int, waiting_since: Collection[int] = ()
) -> Cause | None:
    """The first condition that a revision breaks, if any.

    waiting_since: for each request that waits past the bound, the second in which it came: it counts as slow already.
    """
    for window_s in WINDOWS_S:
        found = tally.since(at - window_s)
        for kind, limit in allowances(guard, before):
            late = waiting_since if kind == "latency" else ()
            bad = sum(count(second, kind) for second in found) + len(late)
            of = sum(second.requests for second in found) + len(late)
            in_seconds = {second.at for second in found if count(second, kind)} | set(late)
            least = 100 * lower(bad, of)
            if bad >= guard.least and len(in_seconds) >= guard.seconds and least > limit:
                return Cause(kind, words(kind, guard, before), bad, of, window_s, round(least, 2), round(limit, 2))
    return None


def allowances(guard: Guard, before: Before | None) -> list[tuple[Kind, float]]:
    """Each kind of bad request with the percentage that is allowed of it."""
    limits: list[tuple[Kind, float]] = [
        ("errors", guard.errors_percent),
        ("missing", guard.missing_percent),
        ("schema", guard.schema_percent),
    ]
    known = [(kind, limit + (before.percent(kind) if before else 0.0)) for kind, limit in limits]
    return [*known, ("latency", guard.slow_percent)]


def words(kind: Kind, guard: Guard, before: Before | None) -> str:
    """What is wrong, without its numbers."""
    match kind:
        case "errors":
            return "it gives no answer"
        case "missing":
            return "its answers have NaN or nothing where a value should be"
        case "schema":
            return "its answers do not fit its signature"
        case _:
            bound = f"slower than {bound_ms(guard, before):.0f} ms"
            if before is None or before.p99_ms is None:
                return bound
            return f"{bound} (revision {before.revision}'s 99th percentile is {before.p99_ms:.1f} ms)"


def count(second: Second, kind: Kind) -> int:
    match kind:
        case "errors":
            return second.errors
        case "missing":
            return second.missing
        case "schema":
            return second.schema
        case "latency":
            return second.slow
        case _:
            return 0


def lower(bad: int, of: int, z: float = Z) -> float:
    """The lower end of Wilson's score interval around a share (Wilson, 1927).

    >>> round(lower(3, 3), 2), round(lower(5, 5), 2), round(lower(5, 100), 3)
    (0.31, 0.43, 0.017)
    """
    return interval(bad, of, z)[0]


def interval(bad: int, of: int, z: float = 1.96) -> tuple[float, float]:
    """Both ends of it; 0 to 1 where nothing was asked.

    >>> [round(end, 3) for end in interval(95, 100)]
    [0.888, 0.978]
    """
    if not of:
        return 0.0, 1.0
    share, square = bad / of, z * z
    middle = share + square / (2 * of)
    half = z * math.sqrt(share * (1 - share) / of + square / (4 * of * of))
    return max(0.0, (middle - half) / (1 + square / of)), min(1.0, (middle + half) / (1 + square / of))
