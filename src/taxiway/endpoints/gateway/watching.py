"""Whom a gateway watches while traffic changes, and what it finds: the law is in `rollout.guard`."""

from __future__ import annotations

import time

from taxiway.endpoints.gateway.crew import Crew
from taxiway.endpoints.gateway.place import Place
from taxiway.endpoints.gateway.status import rss_bytes
from taxiway.endpoints.refusals import WorkersStreaming
from taxiway.endpoints.rollout.guard import Before, Cause, bound_ms, judge, seen_of

MB = 1 << 20


def send_away(crew: Crew) -> None:
    """Refuses who waits behind streams that hold every worker: those may take minutes."""
    if crew.waiting and crew.workers and all(worker.streams for worker in crew.workers):
        last = time.monotonic() - crew.limits.behind_streams_s
        while crew.waiting and crew.waiting[0].since < last:
            crew.waiting.popleft().refuse(WorkersStreaming(endpoint=crew.served.endpoint))


def watched(place: Place) -> list[int]:
    """The revisions that the last change gave more to than they had: those may give it back.

    What answered before that change is known; it falls for nothing that a newcomer beside it could do better.
    """
    declared, before, now = place.rollout.split, place.rollout.before, place.split
    if now is None or before is None:
        return []
    return [
        number
        for number in now.revisions
        if number in place.crews
        and (declared.percent(number) > before.percent(number) or number not in before.revisions)
    ]


def witness(place: Place, crew: Crew) -> Crew | None:
    """Whom to ask whether a request is to blame rather than a watched revision: who would answer in its place."""
    number, before = crew.served.number, place.rollout.before
    if number not in watched(place) or before is None:
        return None
    for other in (place.split.main if place.split else number, before.main):
        if other != number and other in place.crews:
            return place.crews[other]
    return None


def beside(place: Place, number: int) -> Before | None:
    """What a revision is compared with: the one that answers most beside it, else the one before it."""
    if place.split is not None and place.split.main != number:
        main = place.crews.get(place.split.main)
        if main is not None:
            return seen_of(main.served.number, main.tally, main.latencies_ms)
    others = [share for share in place.split.shares if share.revision != number] if place.split else []
    known = place.before
    if known is not None and known.revision != number:
        return known
    largest = max(others, key=lambda share: share.percent, default=None)
    crew = place.crews.get(largest.revision) if largest is not None else None
    return seen_of(crew.served.number, crew.tally, crew.latencies_ms) if crew is not None else None


def cause_of(place: Place, crew: Crew, second: int) -> Cause | None:
    """Why a revision must give its traffic back now, if it must."""
    guard = place.rollout.guard
    if crew.state in ("failing", "refused"):
        return Cause("dying", f"it cannot answer: {crew.reason}")
    if crew.judged_at != second:  # once a second is enough for what costs more
        crew.judged_at = second
        before = beside(place, crew.served.number)
        crew.compared_with = before
        crew.slow_ms = bound_ms(guard, before)
        grown = (sum(map(rss_bytes, crew.pids())) - crew.settled_bytes) // MB
        if crew.settled_bytes and grown > guard.growth_mb:
            detail = (
                f"its processes take {grown:,} MB more than when they became ready, and {guard.growth_mb:,} are allowed"
            )
            return Cause("memory", detail)
    late = time.monotonic() - crew.slow_ms / 1000
    waiting = [int(job.since) for job in crew.jobs() if job.since < late]
    return judge(guard, crew.tally, crew.compared_with, at=second, waiting_since=waiting)
