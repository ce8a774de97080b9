"""A gateway is followed by another while callers keep asking: nobody is refused, and no record is lost."""

from __future__ import annotations

import os
import signal
import socket
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from taxiway.endpoints.gateway import handing_over
from taxiway.endpoints.gateway.handing_over import Inherited, own_command
from taxiway.endpoints.steering.supervision import restart_gateway
from tests.endpoints.conftest import Site, is_running, until, with_adder
from tests.endpoints.load import under_load
from tests.support.loops import awaited


@pytest.fixture
def standing(site: Site) -> Iterator[Site]:
    """A served home, whose gateway at the end is another than the one that was started."""
    with_adder(site)
    yield site
    last = site.address.pid
    if is_running(last):
        os.kill(last, signal.SIGTERM)
    until(lambda: not is_running(last))


def followed(site: Site) -> int:
    """The pid of the gateway that follows the one of now, once that one has ended."""
    assert site.gateway is not None
    before = site.address.pid
    found = restart_gateway(site.home)
    until(lambda: not is_running(before), 15)
    return found.pid


def records(home: Path) -> list[str]:
    """The prediction ids in the log, whoever wrote them."""
    lines = [line for file in (home / "inferences").glob("*/*.jsonl") for line in file.read_bytes().splitlines()]
    return sorted(msgspec.json.decode(line)["prediction_id"] for line in lines)


def test_callers_notice_nothing_of_two_restarts(standing: Site) -> None:
    port = standing.address.port
    with under_load(standing) as load:
        time.sleep(0.3)
        first = followed(standing)
        second = followed(standing)
        time.sleep(0.3)

    assert (load.failed, load.broken) == ([], [])
    assert first != second
    assert standing.address.port == port
    assert records(standing.home) == sorted(answer.body["prediction_id"] for answer in load.answers)
    assert len(list((standing.home / "inferences").glob("*/open-*"))) == 1


def test_a_successor_that_does_not_start_changes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(handing_over, "own_command", lambda: [sys.executable, "-c", "raise SystemExit(1)"])

    with socket.create_server(("127.0.0.1", 0)) as listener, (tmp_path / "lock").open("w") as lock:
        assert not awaited(handing_over.find_successor(listener, lock))
        socket.create_connection(listener.getsockname(), 1).close()


def test_what_is_inherited_is_said_in_one_word() -> None:
    assert Inherited.parse(str(Inherited(3, 4, 5))) == Inherited(3, 4, 5)


def test_a_successor_does_not_inherit_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.orig_argv", ["python", "-m", "it", "--inherit", "1,2,3", "--port", "0"])

    assert own_command()[1:] == ["-m", "it", "--port", "0"]
