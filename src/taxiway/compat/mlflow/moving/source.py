"""What every kind of MLflow store gives: the same things in the same shapes, whatever it keeps them in."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterator, Sequence
from typing import Any, Protocol

import msgspec
import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from taxiway.imports.contract import Counts, IncomingExperiment, IncomingLogged, IncomingModel, Skipped
from taxiway.kernel.errors import TaxiwayError
from taxiway.runs.contract import RunStatus

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

    @property
    def is_live(self) -> bool:
        return self.status in ("running", "scheduled")


class FoundLogged(Struct, frozen=True):
    """A logged model as it stands there, and where its files are."""

    model: IncomingLogged
    place: str
    created_at: int = 0


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
