"""Models that are logged while the server is away: kept, said to be without a number, and registered once."""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression

from taxiway.client import connect
from taxiway.kernel.errors import ServerAway
from taxiway.kernel.transport import Transport
from taxiway.models.contract import ModelVersion
from taxiway.models.refusals import ModelElsewhere, StillPending
from taxiway.models.registering.pending import PendingVersion
from tests.faults.killing import Server
from tests.runs.outage import free_port
from tests.support.live import running

ROWS = pd.DataFrame({"income": [1.0, 2.0, 8.0, 9.0] * 10, "debt": [3.0, 2.0, 1.0, 0.5] * 10})
LABELS = [0, 0, 1, 1] * 10

DOOMED = """
import os
import pandas as pd
from sklearn.linear_model import LogisticRegression
import taxiway as tw
rows = pd.DataFrame({"income": [1.0, 2.0, 8.0, 9.0] * 10, "debt": [3.0, 2.0, 1.0, 0.5] * 10})
run = tw.run("doomed")
run.log(loss=1.0)
model = LogisticRegression().fit(rows, [0, 0, 1, 1] * 10)
pinned = run.log_predictions(
    rows.assign(y=[0, 0, 1, 1] * 10, said=model.predict(rows)), label="y", prediction="said"
)
version = run.log_model(model, "churn", example=rows, predictions=pinned)
print(run.id, version.is_pending, version.version, flush=True)
os.kill(os.getpid(), 9)
"""


@pytest.fixture
def port() -> int:
    return free_port()


@pytest.fixture(autouse=True)
def surroundings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, port: int) -> Path:
    """An empty folder, a spool of its own, and the address of a server that is not there yet."""
    work = tmp_path / "work"
    work.mkdir()
    monkeypatch.chdir(work)
    monkeypatch.setenv("TAXIWAY_URL", f"http://127.0.0.1:{port}")
    monkeypatch.setenv("TAXIWAY_SPOOL", str(tmp_path / "spool"))
    monkeypatch.setenv("TAXIWAY_SYSTEM_S", "0")
    return tmp_path


@pytest.fixture
def server(tmp_path: Path, port: int) -> Iterator[Server]:
    victim = Server(tmp_path / "home")
    victim.port = port
    victim.start()
    yield victim
    victim.stop()


def fitted() -> LogisticRegression:
    return LogisticRegression().fit(ROWS, LABELS)


def test_a_model_logged_while_the_server_is_killed_is_registered_when_it_is_back(
    server: Server, tmp_path: Path
) -> None:
    with connect() as client, client.runs.start("outlasts") as run:
        first = run.log_model(fitted(), "churn", example=ROWS)
        server.kill()
        run.log(loss=0.5)
        before = time.monotonic()
        pending = run.log_model(fitted(), "churn", example=ROWS, note="made in the dark")
        took = time.monotonic() - before
        with pytest.raises(StillPending, match="taxiway runs sync"):
            pending.wait(0.1)
        said = str(pending)
        number = pending.version
        server.start()

        version = pending.wait(30.0)

        assert isinstance(first, ModelVersion)
        assert isinstance(pending, PendingVersion)
        assert (first.is_pending, pending.is_pending, number) == (False, True, None)
        assert "not registered yet" in said
        assert took < 5.0  # to fit, to seal and to look whether somebody answers; it was 30 s of waiting
        assert (version.model, version.run, version.note) == ("churn", run.id, "made in the dark")
        assert pending.version == version.version == 2
        assert [one.version for one in client.models.versions("churn")] == [2, 1]
        assert client.models.verify("churn@2").files == len(client.models.manifest("churn@2").files)
    assert not any(tmp_path.joinpath("spool").iterdir())


def test_a_model_of_a_killed_training_is_registered_once_by_sync(tmp_path: Path, port: int) -> None:
    child = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", DOOMED], capture_output=True, text=True, env=os.environ, check=False
    )
    assert child.returncode == -signal.SIGKILL, child.stderr
    run, is_pending, number = child.stdout.split()
    command = [sys.executable, "-m", "taxiway", "runs", "sync"]

    with running(tmp_path / "home", login=False, port=port) as live:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        again = subprocess.run(command, capture_output=True, text=True, check=False)
        versions = live.client.models.versions("churn")
        logged = live.client.runs.show(run)

    assert (is_pending, number) == ("True", "None")
    assert (done.returncode, "model churn is there" in done.stdout) == (0, True), done.stdout + done.stderr
    assert "Nothing waits" in again.stdout
    assert [(one.version, one.run) for one in versions] == [(1, run)]
    assert versions[0].evaluation is not None
    assert logged.metrics == {"loss": 1.0}
    assert not any(tmp_path.joinpath("spool").iterdir())


def test_an_answer_that_is_lost_registers_nothing_twice(
    tmp_path: Path, port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    post = Transport.post
    lost: list[bytes] = []

    def lose_the_first(self: Transport, path: str, data: bytes, *, idempotency_key: str) -> bytes:
        answer = post(self, path, data, idempotency_key=idempotency_key)
        if not lost:
            lost.append(answer)
            raise ServerAway(url="http://a.test", cause="the answer was lost")
        return answer

    monkeypatch.setattr(Transport, "post", lose_the_first)

    with running(tmp_path / "home", login=False, port=port) as live, connect() as client:
        with client.runs.start() as run:
            version = run.log_model(fitted(), "churn", example=ROWS).wait(30.0)
        versions = live.client.models.versions("churn")

    assert len(lost) == 1
    assert versions == [version]


def test_what_the_server_refuses_later_is_raised_by_who_asks(tmp_path: Path, port: int) -> None:
    with connect() as client:
        run = client.runs.start()
        pending = run.log_model(fitted(), "churn", example=ROWS)
        with running(tmp_path / "home", login=False, port=port) as live:
            live.client.projects.create("other")
            live.client.models.create("churn", project="other")

            with pytest.raises(ModelElsewhere):
                pending.wait(30.0)
            with pytest.raises(ModelElsewhere):
                _ = pending.version
            run.finish()


def test_a_model_that_finds_no_room_is_said_to_be_lost(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("TAXIWAY_SPOOL_MB", "0.001")
    with connect() as client:
        run = client.runs.start()
        run.log(loss=1.0)

        lost = run.log_model(fitted(), "churn", example=ROWS)
        run.finish(wait_s=0.0)

    assert "no room" in lost.problem
    assert run.outcome is not None
    assert run.outcome.dropped == 1
    with pytest.raises(StillPending, match="not kept anywhere"):
        lost.wait(0.0)
    assert any(r.levelno == logging.WARNING and "churn is lost" in r.getMessage() for r in caplog.records)
