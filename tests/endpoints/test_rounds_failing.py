"""What the rounds do where files cannot be read: say it once, and go on."""

from __future__ import annotations

import errno
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from taxiway.endpoints.steering import rounds as module
from taxiway.endpoints.steering.publishing import Front
from taxiway.endpoints.steering.rounds import Rounds
from taxiway.house import House


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
