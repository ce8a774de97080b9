"""Copies of requests for shadows, made after the caller has its answer: who is behind loses copies, nobody waits."""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from msgspec import Raw

from taxiway.endpoints.blocks import size_of
from taxiway.endpoints.gateway.configuration import ServedRevision
from taxiway.endpoints.gateway.crew import Crew
from taxiway.endpoints.gateway.place import Place
from taxiway.endpoints.gateway.status import Copies
from taxiway.endpoints.inferences.record import Line
from taxiway.endpoints.rollout.comparing import agrees
from taxiway.endpoints.rollout.comparisons import Comparisons, Pair
from taxiway.kernel.clock import now
from taxiway.kernel.errors import TaxiwayError

MOST_WAITING = 256
MOST_BYTES = 8 << 20
AT_ONCE = 8  # copies that a shadow works on
PATIENCE_S = 30.0
NOTHING = Raw(b"{}")
log = logging.getLogger("taxiway.gateway")

Keep = Callable[[str, list[Line]], object]


class Answered(NamedTuple):
    """A request that its caller has the answer to."""

    prediction_id: str
    revision: int
    rows: Sequence[bytes]
    outputs: Sequence[bytes]
    latency_ms: float
    event_at: list[datetime] | None = None


class Mirror:
    """One shadow: what waits for it, and what was counted of it."""

    def __init__(self, home: Path, crew: Crew, share: float, keep: Keep) -> None:
        self.crew, self.share, self.keep = crew, share, keep
        self.queue: deque[Answered] = deque()
        self.size = 0
        self.in_work = 0
        self.compared = self.agreed = self.dropped = self.failed = 0
        self.pairs: list[Pair] = []
        self.file = Comparisons(home, crew.served.endpoint, crew.served.number)
        self.tasks: set[asyncio.Task[None]] = set()

    def offer(self, answered: Answered, *, is_busy: bool) -> None:
        """Takes a copy, unless the shadow is not asked for this one, or is behind. is_busy: callers wait."""
        if answered.revision == self.crew.served.number or (self.share < 1 and random.random() >= self.share):  # noqa: S311  no secret
            return
        size = size_of(answered.rows)
        if is_busy or len(self.queue) >= MOST_WAITING or self.size + size > MOST_BYTES:
            self.dropped += 1
            return
        self.queue.append(answered)
        self.size += size
        self.go_on()

    def go_on(self) -> None:
        """Works on what waits, a few at once."""
        while self.queue and self.in_work < AT_ONCE:
            answered = self.queue.popleft()
            self.size -= size_of(answered.rows)
            self.in_work += 1
            task = asyncio.get_running_loop().create_task(self.ask(answered))
            self.tasks.add(task)
            task.add_done_callback(self.tasks.discard)

    async def ask(self, answered: Answered) -> None:
        began = time.perf_counter()
        try:
            async with asyncio.timeout(PATIENCE_S):
                outputs = await self.crew.submit(answered.rows)
            self.crew.requests += 1
            self.crew.rows += len(outputs)
            self.compare(answered, outputs, (time.perf_counter() - began) * 1000)
        except (TaxiwayError, TimeoutError) as refusal:
            self.crew.errors += 1
            self.failed += 1
            self.compare(answered, None, (time.perf_counter() - began) * 1000, type(refusal).__name__)
        finally:
            self.in_work -= 1
            self.go_on()

    def compare(self, answered: Answered, outputs: Sequence[bytes] | None, latency_ms: float, error: str = "") -> None:
        """Counts and keeps each row."""
        self.crew.latencies_ms.append(latency_ms)
        for row, told in enumerate(answered.outputs):
            said = outputs[row] if outputs is not None else b"null"
            is_same = outputs is not None and agrees(told, said)
            if outputs is not None:
                self.compared += 1
                self.agreed += is_same
            self.pairs.append(
                Pair(
                    answered.prediction_id,
                    row,
                    now(),
                    answered.revision,
                    self.crew.served.number,
                    Raw(told),
                    Raw(said),
                    is_same,
                    round(answered.latency_ms, 3),
                    round(latency_ms, 3),
                    error,
                    answered.event_at[row] if answered.event_at else None,
                )
            )

    def write(self) -> None:
        """Records what was answered since the last time, and keeps it beside what callers got."""
        pairs, self.pairs = self.pairs, []
        if pairs:
            self.keep(self.crew.served.endpoint, lines_of(self.crew.served, pairs))
            self.file.append(pairs)

    def end(self) -> None:
        for task in self.tasks:
            task.cancel()
        self.write()
        self.file.close()


class Mirrors:
    """Every shadow of every endpoint."""

    def __init__(self, home: Path, known: Mapping[tuple[str, int], Copies], keep: Keep) -> None:
        """known: what was counted before, by endpoint and revision. keep: appends to an endpoint's inference log."""
        self.home, self.keep = home, keep
        self.of: dict[str, dict[int, Mirror]] = {}
        self.counted = dict(known)

    def settle(self, places: Mapping[str, Place]) -> None:
        """Brings the shadows to what is declared and ready."""
        for name in [*self.of]:
            wanted = places[name].shadows() if name in places else {}
            for number, mirror in [*self.of[name].items()]:
                if number not in wanted or places[name].crews.get(number) is not mirror.crew:
                    self.counted[(name, number)] = counts(mirror)
                    self.try_to(self.of[name].pop(number).end)
        for name, place in places.items():
            mirrors = self.of.setdefault(name, {})
            for number, share in place.shadows().items():
                crew = place.crews.get(number)
                if crew is None:
                    continue
                if number not in mirrors:
                    mirrors[number] = Mirror(self.home, crew, share, self.keep)
                    known = self.counted.pop((name, number), Copies())
                    mirrors[number].compared, mirrors[number].agreed = known.compared, known.agreed
                    mirrors[number].dropped, mirrors[number].failed = known.dropped, known.failed
                mirrors[number].share = share

    def offer(self, crew: Crew, answered: Answered) -> None:
        """A copy for each shadow of the endpoint."""
        for mirror in self.of.get(crew.served.endpoint, {}).values():
            mirror.offer(answered, is_busy=bool(crew.waiting))

    def copies(self, endpoint: str, number: int) -> Copies | None:
        """What became of a shadow's copies; None of what is no shadow."""
        mirror = self.of.get(endpoint, {}).get(number)
        return counts(mirror) if mirror is not None else None

    def tick(self) -> None:
        for mirrors in self.of.values():
            for mirror in mirrors.values():
                self.try_to(mirror.write)

    def try_to(self, act: Callable[[], object]) -> None:
        """A full disk costs comparisons and nothing else."""
        try:
            act()
        except OSError as e:
            log.error("What a shadow answered is not kept: %s", e)  # noqa: TRY400  the cause is in the sentence

    def stop(self) -> None:
        for mirrors in self.of.values():
            for mirror in mirrors.values():
                self.try_to(mirror.end)
        self.of.clear()


def counts(mirror: Mirror) -> Copies:
    return Copies(mirror.compared, mirror.agreed, mirror.dropped, mirror.failed)


def lines_of(served: ServedRevision, pairs: Sequence[Pair]) -> list[Line]:
    """Rows that a shadow answered as records of the log. What was asked is in the record of the caller's answer."""
    model = f"{served.model}@{served.version}"
    return [
        Line(
            each.prediction_id,
            each.row,
            each.at,
            each.event_at or each.at,
            served.endpoint,
            served.number,
            model,
            served.bundle_digest,
            NOTHING,
            each.shadow_outputs,
            each.shadow_latency_ms,
            "failed" if each.error else "answered",
            each.error or None,
            shadow=True,
        )
        for each in pairs
    ]
