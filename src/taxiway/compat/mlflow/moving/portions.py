"""Runs cut into parts that a server takes at once: many small runs together, a large one piece by piece."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec
from msgspec import Struct

from taxiway.compat.mlflow.moving.source import Found, Series
from taxiway.imports.contract import IncomingRun, IncomingSeries

POINTS_AT_ONCE = 50_000
RUNS_AT_ONCE = 200
BYTES_AT_ONCE = 4 << 20  # of parameters and tags


class Part(Struct):
    """Runs on their way. A run that is not whole yet carries no stamp."""

    runs: list[IncomingRun] = []
    points: int = 0
    size_bytes: int = 0

    @property
    def is_full(self) -> bool:
        return self.points >= POINTS_AT_ONCE or len(self.runs) >= RUNS_AT_ONCE or self.size_bytes >= BYTES_AT_ONCE


class Packing:
    """Puts runs together; `add` gives each part that became full."""

    def __init__(self) -> None:
        self.part = Part([])

    def add(self, run: Found, series: list[Series]) -> Iterator[Part]:
        head = incoming(run)
        size = sum(len(name) + len(text) for pairs in (run.params, run.tags) for name, text in pairs.items())
        size += sum(len(one.schema) + len(one.profile) + len(one.source) for one in run.inputs)
        self.part.size_bytes += size
        pending: list[IncomingSeries] = []
        for one in series:
            start = 0
            while start < len(one.steps):
                room = POINTS_AT_ONCE - self.part.points
                pending.append(cut(one, start, start + room))
                taken = min(room, len(one.steps) - start)
                start += taken
                self.part.points += taken
                if self.part.points >= POINTS_AT_ONCE:
                    self.part.runs.append(msgspec.structs.replace(head, series=pending))
                    yield self.take()
                    head, pending = msgspec.structs.replace(head, params={}, tags={}, inputs=[]), []
        self.part.runs.append(msgspec.structs.replace(head, series=pending, stamp=run.stamp))
        if self.part.is_full:
            yield self.take()

    def take(self) -> Part:
        """What was put together so far; the next part is empty."""
        part, self.part = self.part, Part([])
        return part


def incoming(run: Found) -> IncomingRun:
    return IncomingRun(
        id=run.id,
        experiment=run.experiment,
        name=run.name,
        status=run.status,
        user=run.user,
        started_at=run.started_at,
        ended_at=run.ended_at,
        is_deleted=run.is_deleted,
        params=run.params,
        tags=run.tags,
        inputs=run.inputs,
    )


def cut(series: Series, start: int, end: int) -> IncomingSeries:
    columns = (series.steps[start:end], series.at[start:end], series.values[start:end])
    steps, at, values = (column.astype(column.dtype.newbyteorder("<")).tobytes() for column in columns)
    return IncomingSeries(series.key, steps, at, values, before=start)
