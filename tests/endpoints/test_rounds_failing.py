"""What the rounds do where files cannot be read, or where they end amid work: say it once and go on; break it off."""

from __future__ import annotations

import errno
import logging
import os
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from taxiway.endpoints.inferences.ageing.apart import is_overdue, seen_in
from taxiway.endpoints.inferences.writing import InferenceLog
from taxiway.endpoints.steering import rounds as module
from taxiway.endpoints.steering.publishing import Front
from taxiway.endpoints.steering.rounds import Rounds, Task
from taxiway.house import House
from taxiway.kernel.ids import new_id
from tests.endpoints.inferences.lines import MORTGAGE, START, line


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


def closed(rounds: Rounds, count: int, lines: int = 1) -> Path:
    log = InferenceLog(rounds.home)
    for _ in range(count):
        log.append(MORTGAGE, [line(new_id()) for _ in range(lines)])
        log.close(MORTGAGE)
    log.finish()
    return rounds.home / "inferences" / MORTGAGE


def wait_until(is_so: Callable[[], bool]) -> None:
    until = time.monotonic() + 30
    while not is_so():
        assert time.monotonic() < until
        time.sleep(0.01)


def test_a_server_that_ends_waits_for_no_log_to_be_sealed(rounds: Rounds, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = closed(rounds, 1, lines=20_000)
    (first,) = folder.glob("closed-*")
    for _ in range(29):
        shutil.copy(first, folder / f"closed-{new_id()}.jsonl")
    monkeypatch.setattr(module, "LAST_SEAL_S", 0.2)
    monkeypatch.setattr(rounds, "watch", lambda: None)  # no gateway is needed here
    rounds.tasks = [Task(rounds.seal, 30)]
    rounds.start()
    wait_until(lambda: any(folder.glob("sealed-*.parquet")))
    began = time.monotonic()
    rounds.stop()
    took = time.monotonic() - began

    sealed, left = (len(list(folder.glob(pattern))) for pattern in ("sealed-*.parquet", "closed-*.jsonl"))
    assert took < 3
    assert sealed
    assert left
    assert sealed + left == 30
    assert not any(folder.glob("*.waiting"))


def test_what_is_sealed_apart_is_sealed_once_and_told(
    rounds: Rounds, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = closed(rounds, 3)
    (folder / f"sealed-{new_id()}.parquet").write_bytes(b"PAR1")
    retained: list[int] = []
    monkeypatch.setattr(rounds.logs, "retain", lambda: retained.append(1))

    def is_gathered() -> bool:
        rounds.gather()
        return rounds.apart.process is None

    with caplog.at_level(logging.ERROR):
        for _ in range(3):
            rounds.seal()
            wait_until(is_gathered)

    assert not list(folder.glob("closed-*"))
    assert len(list(folder.glob("sealed-*"))) == 4
    assert len(retained) == 3
    assert rounds.apart.begin(START) is False
    assert sum("cannot be read" in record.getMessage() for record in caplog.records) == 1


def test_sealing_that_was_killed_is_begun_anew(rounds: Rounds) -> None:
    folder = closed(rounds, 2)
    assert rounds.apart.begin(START)
    assert rounds.apart.process is not None
    rounds.apart.process.kill()
    with pytest.raises(ChildProcessError, match="signal 9"):
        wait_until(lambda: rounds.apart.ended() is not None)

    assert rounds.apart.begin(START)
    wait_until(lambda: rounds.apart.ended() is not None)
    assert len(list(folder.glob("sealed-*"))) == 2


def test_what_waited_for_long_is_sealed_whoever_wants_the_cores(rounds: Rounds) -> None:
    (old,) = closed(rounds, 1).glob("closed-*")
    assert not is_overdue(seen_in(rounds.home), time.time())
    os.utime(old, (0, time.time() - 601))

    assert is_overdue(seen_in(rounds.home), time.time())
