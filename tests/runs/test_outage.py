"""What happens to training while its server is away: nothing. What happens to what it logs: it arrives, once."""

from __future__ import annotations

import logging
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from taxiway.client import connect
from taxiway.kernel.errors import NotFound, TaxiwayError
from taxiway.runs.active import ActiveRun
from taxiway.runs.client import Runs
from taxiway.runs.refusals import ParamFixed
from taxiway.runs.sending.delivery import Delivery, NotNow
from taxiway.runs.sending.recorder import AT_WORK_S, PATIENCE_S, opening
from taxiway.runs.sending.records import Head, Open, Points, encode
from taxiway.runs.sending.spool import SpoolFile
from tests.runs.outage import Cut, Losing, Where, answering, runs_at, settings_of, slowest_of
from tests.support.live import Live, running

BROKEN = b"HTTP/1.1 500 Internal Server Error\r\nContent-Length: 4\r\n\r\noops"
STRANGER = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 5\r\n\r\n<html"


def steps_of(live: Live, run: str, key: str = "loss") -> list[int]:
    return [point.step for point in live.client.runs.metric(run, key)]


def test_a_server_that_goes_away_costs_the_training_nothing(
    server: Live, where: Where, spool: Path, caplog: pytest.LogCaptureFixture
) -> None:
    where.url = server.url
    transport = Cut(where)
    run = Runs(transport, settings_of(spool)).start()
    run.log(step=0, loss=0.0)
    assert run.flush()
    transport.is_cut = True

    def log(n: int) -> None:
        run.log(step=n + 1, loss=float(n))

    slowest = slowest_of(log, 3000)
    assert not run.flush(1.0)
    transport.is_cut = False
    assert run.finish().status == "finished"

    assert steps_of(server, run.id) == list(range(3001))
    assert slowest < 0.1
    assert len([r for r in caplog.records if r.levelno >= logging.WARNING]) == 1
    assert list(spool.iterdir()) == []


def test_a_run_begun_and_ended_without_a_server_is_delivered_whole(server: Live, where: Where, spool: Path) -> None:
    runs = runs_at(where, spool)
    before = time.perf_counter()
    run = runs.start("offline", tags={"team": "risk"})
    took = time.perf_counter() - before
    with run:
        run.params(C=0.5, big=2**80)
        for step in range(2500):
            run.log(step=step, loss=1.0, acc=0.5)
        run.log_artifact(b"# Card\n", "reports/card.md")
        run.log_figure('<svg xmlns="http://www.w3.org/2000/svg"/>', "roc")
        run.rename("told later")
        run._capture.finish()
        run.finish(wait_s=0.0)  # nobody will come
    ended = datetime.now(UTC)
    assert (run.run.status, run.outcome is not None and run.outcome.lost) == ("finished", 0)
    where.url = server.url

    (synced,) = runs.sync()

    shown = server.client.runs.show(run.id)
    assert took < 0.5  # with the thread and the file; a tenth of a second of it is waiting
    assert (synced.run, synced.waiting, synced.refused, synced.problem) == (run.id, 0, 0, "")
    assert (synced.delivered, synced.files, synced.is_ended) == (5002, 2, True)
    assert (shown.name, shown.status, shown.tags) == ("told later", "finished", {"team": "risk"})
    assert shown.params == {"C": 0.5, "big": 2**80}
    assert steps_of(server, run.id) == steps_of(server, run.id, "acc") == list(range(2500))
    assert {"reports/card.md", "roc.svg"} <= {a.path for a in server.client.runs.artifacts(run.id)}
    assert shown.environment is not None
    assert shown.ended_at is not None
    assert ended - timedelta(seconds=5) < shown.started_at <= shown.ended_at <= ended
    assert runs.sync() == []
    assert list(spool.iterdir()) == []


@pytest.mark.parametrize("answer", [None, BROKEN, STRANGER], ids=["hangs", "fails", "is somebody else"])
def test_a_server_that_only_seems_to_be_there_costs_nothing_either(
    where: Where,
    spool: Path,
    answer: bytes | None,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("taxiway.runs.sending.recorder.PATIENCE_S", PATIENCE_S)
    monkeypatch.setattr("taxiway.runs.sending.recorder.AT_WORK_S", AT_WORK_S)
    with answering(answer) as where.url:
        runs = runs_at(where, spool)
        before = time.perf_counter()
        run = runs.start()
        took = time.perf_counter() - before
        slowest = slowest_of(lambda n: run.log(step=n, loss=1.0), 500)
        slowest = max(slowest, slowest_of(lambda n: run.log_artifact(b"x", f"{n}.txt"), 5))
        run.finish(wait_s=0.5)

    assert took < 0.5
    assert slowest < 0.1
    assert len([r for r in caplog.records if r.levelno >= logging.WARNING and run.id in r.getMessage()]) <= 1
    assert run.outcome is not None
    assert (run.outcome.waiting, run.outcome.lost) == (500, 0)


def test_answers_that_are_lost_double_nothing(server: Live, where: Where, spool: Path) -> None:
    where.url = server.url
    transport = Losing(where)
    runs = Runs(transport, settings_of(spool))

    with runs.start() as run:
        for step in range(4000):
            run.log(step=step, loss=1.0)
            if step % 1000 == 0:
                run.params(**{f"p{step}": step})
                time.sleep(0.05)

    assert transport.lost > 1
    assert steps_of(server, run.id) == list(range(4000))
    assert len(server.client.runs.show(run.id).params) == 4


def test_a_batch_whose_answer_was_never_heard_is_sent_again_as_the_same_one(server: Live, spool: Path) -> None:
    body = opening(project="default", experiment="default", name="", tags={})
    folder = spool / str(body.id)
    file = SpoolFile.create(folder, Head(str(body.id), "http://a.test", "a" * 32, "s", 0, 1))
    file.append(encode(Open(body)))
    for step in range(3):
        file.append(encode(Points(step, [("loss", step, 1.0)])))
    where = Where()
    where.url = server.url
    transport = Losing(where)
    delivery = Delivery(transport, str(body.id), folder)
    delivery.next(file)
    with pytest.raises(NotNow):
        delivery.next(file)  # stored, but nobody heard of it
    for step in range(3, 8):
        file.append(encode(Points(step, [("loss", step, 1.0)])))
    file.close()  # the process is killed
    transport.close()

    (synced,) = runs_at(where, spool).sync()

    assert (synced.delivered, synced.refused, synced.is_ended) == (8, 0, False)
    assert steps_of(server, str(body.id)) == list(range(8))
    assert server.client.runs.show(str(body.id)).status == "running"


def test_a_refused_parameter_takes_no_other_along(server: Live, where: Where, spool: Path) -> None:
    where.url = server.url
    first = runs_at(where, spool).start()
    first.params(C=1)
    assert first.flush()
    attached = runs_at(where, spool, run=first.id).start()

    attached.params(a=1, b=2, C=2, d=3)
    attached.log(loss=1.0)
    with pytest.raises(ParamFixed):
        attached.finish()
    first.finish()

    shown = server.client.runs.show(first.id)
    assert shown.params == {"C": 1, "a": 1, "b": 2, "d": 3}
    assert shown.metrics == {"loss": 1.0}


def test_a_run_ended_twice_ends_once(server: Live, where: Where, spool: Path) -> None:
    where.url = server.url
    runs = runs_at(where, spool)
    run = runs.start()
    run.log(loss=1.0)

    first = run.finish()
    again = run.finish("failed")

    assert first == again
    assert runs.finish(run.id).status == "finished"
    assert server.client.runs.show(run.id).ended_at == first.ended_at
    runs.transport.close()


def test_a_project_that_is_not_there_is_refused_at_once_and_leaves_nothing(
    server: Live, where: Where, spool: Path
) -> None:
    where.url = server.url

    with pytest.raises(NotFound):
        runs_at(where, spool).start(project="nowhere")

    assert list(spool.iterdir()) == []


def test_without_disk_and_without_server_the_loss_is_counted(
    where: Where, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "spool").write_text("a file in the way")
    run = runs_at(where, tmp_path / "spool").start()
    run._capture.finish()

    slowest = slowest_of(lambda n: run.log(step=n, loss=1.0), 1234)
    run.params(C=1)
    run.finish(wait_s=0.1)

    assert slowest < 0.1
    assert run.outcome is not None
    assert (run.outcome.lost, run.outcome.waiting) == (1235, 1235)
    assert any("1235" in r.message for r in caplog.records)


def test_without_disk_a_server_gets_everything_from_memory(server: Live, where: Where, tmp_path: Path) -> None:
    (tmp_path / "spool").write_text("a file in the way")
    where.url = server.url

    with runs_at(where, tmp_path / "spool").start() as run:
        for step in range(2000):
            run.log(step=step, loss=1.0)
        run.log_artifact(b"some bytes", "a.bin")

    assert steps_of(server, run.id) == list(range(2000))
    assert run.outcome is not None
    assert run.outcome.lost == 0
    assert "a.bin" in {artifact.path for artifact in server.client.runs.artifacts(run.id)}


def test_a_clock_that_goes_backwards_changes_no_order(
    server: Live, where: Where, spool: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    where.url = server.url
    run = runs_at(where, spool).start()
    clock = iter(range(10**18, 0, -(10**13)))
    monkeypatch.setattr("taxiway.runs.active.time.time_ns", lambda: next(clock))

    for step in range(50):
        run.log(step=step, loss=float(step))
    monkeypatch.undo()
    ended = run.finish()

    assert steps_of(server, run.id) == list(range(50))
    assert ended.metrics == {"loss": 49.0}
    assert ended.ended_at is not None
    assert ended.ended_at >= ended.started_at


def test_many_threads_log_to_one_run_and_every_point_arrives_once(server: Live, where: Where, spool: Path) -> None:
    where.url = server.url

    with runs_at(where, spool).start() as run:
        threads = [threading.Thread(target=log_all, args=(run, n)) for n in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    found = [steps_of(server, run.id, f"loss {n}") for n in range(6)]
    assert found == [list(range(2000))] * 6


def log_all(run: ActiveRun, n: int) -> None:
    for step in range(2000):
        run.log(step=step, **{f"loss {n}": 1.0})


def test_what_nobody_foresaw_is_tried_again(
    server: Live, where: Where, spool: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    where.url = server.url
    run = runs_at(where, spool).start()
    monkeypatch.setattr(run._recorder.stream, "oldest", lambda: 1 / 0)
    run.log(loss=1.0)
    assert not run.flush(0.7)
    monkeypatch.undo()

    run.finish()

    assert server.client.runs.show(run.id).metrics == {"loss": 1.0}
    assert any("division by zero" in r.getMessage() for r in caplog.records)


def test_a_token_that_is_not_valid_is_refused_at_once(
    tmp_path: Path, spool: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TAXIWAY_SPOOL", str(spool))

    with (
        running(tmp_path / "home") as live,
        connect(live.url, token="tw_user_wrong") as client,
        pytest.raises(TaxiwayError, match="token"),
    ):
        client.runs.start()

    assert list(spool.iterdir()) == []
