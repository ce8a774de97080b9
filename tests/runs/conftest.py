"""What tests of runs share: a folder of their own to capture, and runs made without a thread."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

import pytest

from taxiway.client import Client
from taxiway.kernel.ids import new_id
from taxiway.kernel.numbers import to_wire
from taxiway.runs import contract
from taxiway.runs.compare import Scalar
from taxiway.runs.contract import LogBatch, Point, Run, StartRun
from tests.runs.outage import Where
from tests.support.live import Live, running

AT = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)


class MakeRun(Protocol):
    def __call__(
        self,
        client: Client,
        name: str = "",
        *,
        project: str = "fraud",
        params: dict[str, Scalar] | None = None,
        metrics: dict[str, float] | None = None,
        tags: dict[str, str] | None = None,
    ) -> Run: ...


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working directory: what a run captures is small and known."""
    work = tmp_path / "work"
    work.mkdir()
    monkeypatch.chdir(work)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    for name in ("TAXIWAY_RUN", "TAXIWAY_URL", "TAXIWAY_HOME", "TAXIWAY_TOKEN", "TAXIWAY_PROJECT"):
        monkeypatch.delenv(name, raising=False)
    return work


@pytest.fixture
def make_run() -> MakeRun:
    """Opens a run through the API alone, with what it logs in one batch."""

    def make(
        client: Client,
        name: str = "",
        *,
        project: str = "fraud",
        params: dict[str, Scalar] | None = None,
        metrics: dict[str, float] | None = None,
        tags: dict[str, str] | None = None,
    ) -> Run:
        run = client.transport.call(contract.start_run, StartRun(project=project, name=name, tags=tags or {}))
        points = [Point(key, to_wire(value), 0, AT) for key, value in (metrics or {}).items()]
        batch = LogBatch(new_id(), 0, points, params=params or {})
        client.transport.call(contract.log_batch, batch, run=run.id)
        return run

    return make


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    """One server for all tests of this file: each has runs of its own."""
    with running(tmp_path_factory.mktemp("server") / "home", login=False) as live:
        yield live


@pytest.fixture
def where() -> Where:
    return Where()


@pytest.fixture
def spool(tmp_path: Path) -> Path:
    return tmp_path / "spool"
