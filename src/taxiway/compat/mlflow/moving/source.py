"""What every kind of MLflow store gives: the same things in the same shapes, whatever it keeps them in."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple, Protocol

import msgspec
import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from taxiway.compat.mlflow.told_traces import STATES, own_tags
from taxiway.imports.contract import (
    Counts,
    IncomingExperiment,
    IncomingInput,
    IncomingLogged,
    IncomingMeasure,
    IncomingModel,
    IncomingRemark,
    IncomingTrace,
    Skipped,
)
from taxiway.kernel.errors import TaxiwayError
from taxiway.runs.contract import RunStatus
from taxiway.traces.contract import Span

STATUSES: dict[str, RunStatus] = {
    "RUNNING": "running",
    "SCHEDULED": "scheduled",
    "FINISHED": "finished",
    "FAILED": "failed",
    "KILLED": "stopped",
}
NUMBERED = {1: "RUNNING", 2: "SCHEDULED", 3: "FINISHED", 4: "FAILED", 5: "KILLED"}  # as files write them
LATEST_MS = 253_402_214_400_000


class SourceUnusable(TaxiwayError):
    """An MLflow store that cannot be read."""

    status = 400
    source: str
    cause: str
    next_step: str = "Give sqlite:///FILE, postgresql://…, an mlruns folder or http://HOST:PORT."

    def __str__(self) -> str:
        return f"{self.source} cannot be read: {self.cause}. {self.next_step}"


class Series(Struct, frozen=True):
    """All points of a metric. at: microseconds since 1970."""

    key: str
    steps: NDArray[np.int64]
    at: NDArray[np.int64]
    values: NDArray[np.float64]


class Found(Struct, frozen=True):
    """A run as it stands there, without its points. stamp: differs as soon as anything of it does."""

    id: str
    experiment: str
    name: str
    status: RunStatus
    user: str
    started_at: int
    ended_at: int | None
    is_deleted: bool
    place: str  # where its files are, as the store says it
    params: dict[str, str]
    tags: dict[str, str]
    stamp: str
    inputs: list[IncomingInput] = []

    @property
    def is_live(self) -> bool:
        return self.status in ("running", "scheduled")


class FoundLogged(Struct, frozen=True):
    """A logged model as it stands there, and where its files are."""

    model: IncomingLogged
    place: str
    created_at: int = 0


class FoundTrace(Struct, frozen=True):
    """A trace as it stands there, without its spans. place: of its files.

    spans: how many the store holds of it, None where they stand in a file `traces.json`, and 0 where the store does
    not say.
    """

    trace: IncomingTrace
    place: str
    spans: int | None


class Marks(NamedTuple):
    """What hangs on a trace. runs: those that it was linked to."""

    tags: dict[str, str]
    facts: dict[str, str]
    remarks: list[IncomingRemark]
    runs: list[str]


def found_trace(row: Any, marks: Marks, *, place: str, spans: int | None) -> FoundTrace | Skipped:
    """A trace of what a store says of it. row: with id, experiment_id, state, started_ms and duration_ms."""
    id_, state = str(row["id"]), STATES.get(row["state"] or "STATE_UNSPECIFIED")
    started_ms, duration_ms = row["started_ms"], row["duration_ms"]
    if state is None or type(started_ms) is not int or not 0 <= started_ms <= LATEST_MS:
        return Skipped("trace", id_[:200], f"state {row['state']!r} and start {started_ms!r} cannot be read")
    trace = IncomingTrace(
        id=id_,
        experiment=str(row["experiment_id"]),
        state=state,
        started_ms=started_ms,
        duration_ms=duration_ms if type(duration_ms) is int and duration_ms >= 0 else None,
        client_id=row.get("client_request_id"),
        request=row.get("request_preview"),
        response=row.get("response_preview"),
        tags=own_tags(marks.tags),
        facts=marks.facts,
        remarks=sorted(marks.remarks, key=lambda one: one.remark.id),
        runs=sorted(marks.runs),
    )
    stamp = stamp_of(msgspec.to_builtins(trace), spans)
    return FoundTrace(msgspec.structs.replace(trace, stamp=stamp), place, spans)


def stamped(model: IncomingLogged) -> IncomingLogged:
    """A logged model with what tells its state from another; of what was measured, only what counts here: the newest
    of each run and data set."""
    newest: dict[tuple[str, ...], IncomingMeasure] = {}
    for one in sorted(model.measures, key=lambda one: (one.step, one.at, str(one.value))):
        newest[one.key, one.run, one.dataset, one.dataset_digest] = one
    found = msgspec.structs.replace(model, measures=list(newest.values()))
    return msgspec.structs.replace(found, stamp=stamp_of(msgspec.to_builtins(found)))


class Source(Protocol):
    """A store to read. skipped: what could not be read as it should be; it grows while one reads."""

    origin: str
    skipped: list[Skipped]
    infinities: int  # that stood as the largest numbers there are

    def totals(self) -> Counts:
        """How much there is, counted by the store itself where it can."""

    def count_runs(self) -> int:
        """How many runs there are; 0 where counting would cost as much as reading."""

    def experiments(self) -> list[IncomingExperiment]: ...

    def runs(self, since_ms: int | None) -> Iterator[list[Found]]:
        """Runs in portions; only those that may have changed since a moment where one is given."""

    def series(self, runs: Sequence[Found]) -> Iterator[tuple[str, list[Series]]]:
        """The points of some runs, with the run's id, in the order of the runs."""

    def logged(self) -> list[FoundLogged]: ...

    def traces(self, since_ms: int | None) -> Iterator[list[FoundTrace]]:
        """Traces in portions; only those that may have changed since a moment where one is given."""

    def spans(self, found: Sequence[FoundTrace]) -> Iterator[tuple[str, list[Span] | None]]:
        """The spans of some traces, with the trace's id; None where they stand in a file."""

    def models(self) -> list[IncomingModel]: ...

    def close(self) -> None: ...


def stamp_of(*facts: Any) -> str:
    """A short text that differs as soon as one of the facts does."""
    return hashlib.sha256(msgspec.msgpack.encode(facts, order="sorted")).hexdigest()[:32]


def micros(value: Any, *, most_ms: int = LATEST_MS) -> int | None:
    """A moment that is kept in milliseconds; None for what is none."""
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        return None
    return int(value) * 1000 if 0 <= value <= most_ms else None
