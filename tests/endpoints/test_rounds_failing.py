"""What the rounds do where files cannot be read, or where they end amid work: say it once and go on; break it off."""

from __future__ import annotations

import errno
import logging
import time
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pytest

from taxiway.endpoints.inferences.ageing import sealing
from taxiway.endpoints.inferences.record import Line, to_table
from taxiway.endpoints.inferences.writing import InferenceLog
from taxiway.endpoints.steering import rounds as module
from taxiway.endpoints.steering.publishing import Front
from taxiway.endpoints.steering.rounds import Rounds, Task
from taxiway.house import House
from taxiway.kernel.ids import new_id
from tests.endpoints.inferences.lines import MORTGAGE, line


@pytest.fixture
def rounds(tmp_path: Path) -> Iterator[Rounds]:
    house = House(tmp_path / "home")
    yield Rounds(house.endpoints, host="127.0.0.1", port=0, front=Front(False, ()), is_on_duty=lambda: True)
    house.close()


def no_files(*_: object) -> None:
    raise OSError(errno.EMFILE, "Too many open files")


def test_an_address_that_cannot_be_read_is_no_gateway(rounds: Rounds, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "read_address", no_files)
    rounds.is_met.set()

    assert rounds.meet(0) is None
    assert "Too many open files" in rounds.problem


def test_a_failure_that_lasts_is_said_once(
    rounds: Rounds, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(module, "read_address", no_files)
    with caplog.at_level(logging.ERROR):
        for _ in range(5):
            rounds._try(rounds.watch)

    assert len(caplog.records) == 1


def test_a_server_that_ends_waits_for_no_log_to_be_sealed(rounds: Rounds, monkeypatch: pytest.MonkeyPatch) -> None:
    log = InferenceLog(rounds.home)
    for _ in range(40):
        log.append(MORTGAGE, [line(new_id())])
        log.close(MORTGAGE)
    log.finish()

    def slowly(lines: list[Line]) -> pa.Table:
        time.sleep(0.1)
        return to_table(lines)

    monkeypatch.setattr(sealing, "to_table", slowly)
    monkeypatch.setattr(module, "LAST_SEAL_S", 0.2)
    monkeypatch.setattr(rounds, "watch", lambda: None)  # no gateway is needed here
    rounds.tasks = [Task(rounds.seal, 30)]
    rounds.start()
    folder = rounds.home / "inferences" / MORTGAGE
    until = time.monotonic() + 10
    while not any(folder.glob("sealed-*")) and time.monotonic() < until:
        time.sleep(0.01)
    began = time.monotonic()
    rounds.stop()
    took = time.monotonic() - began

    sealed, closed = (len(list(folder.glob(pattern))) for pattern in ("sealed-*.parquet", "closed-*.jsonl"))
    assert took < 2
    assert sealed
    assert closed > 20
    assert sealed + closed == 40
    assert not any(folder.glob("*.waiting"))
