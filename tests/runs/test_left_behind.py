"""What dead processes, refused openings and other versions left in the spool: delivered later, or kept and told."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import msgspec

from taxiway.kernel.settings import Settings
from taxiway.kernel.transport import Transport
from taxiway.runs.client import Runs
from taxiway.runs.sending.records import Head
from taxiway.runs.sending.spool import SpoolFile
from tests.runs.outage import Where, free_port, runs_at
from tests.support.live import Live, running


def steps_of(live: Live, run: str, key: str = "loss") -> list[int]:
    return [point.step for point in live.client.runs.metric(run, key)]


DOOMED = """
import os, sys
import taxiway as tw
run = tw.run("doomed", tags={"a": "b"})
run.params(C=1)
run.log_artifact(b"bytes", "a.bin")
for step in range(5000):
    run.log(step=step, loss=1.0)
    if step == 2000 and os.fork() == 0:
        for n in range(300):
            run.log(step=n, forked=1.0)
        os.kill(os.getpid(), 9)
print(run.id, flush=True)
os.kill(os.getpid(), 9)
"""


def test_what_a_killed_process_logged_while_the_server_was_away_is_delivered_once(tmp_path: Path, folder: Path) -> None:
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    environment = {**os.environ, "TAXIWAY_URL": url, "TAXIWAY_SYSTEM_S": "0"}
    child = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", DOOMED],
        capture_output=True,
        text=True,
        env=environment,
        check=False,
        cwd=folder,
    )
    assert child.returncode == -signal.SIGKILL, child.stderr
    run = child.stdout.strip()
    command = [sys.executable, "-m", "taxiway", "runs", "sync"]
    away = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)

    with running(tmp_path / "home", login=False, port=port) as live:
        time.sleep(0.1)
        done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
        again = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
        shown = live.client.runs.show(run)
        steps = steps_of(live, run)
        forked = steps_of(live, run, "forked")
        files = {artifact.path for artifact in live.client.runs.artifacts(run)}

    assert (away.returncode, "5,301 still wait" in away.stdout) == (1, True), away.stdout + away.stderr
    assert done.returncode == 0, done.stdout + done.stderr
    assert "5,301 items and 1 file were delivered" in done.stdout
    assert "Nothing waits" in again.stdout
    assert (steps, forked) == (list(range(5000)), list(range(300)))
    assert (shown.name, shown.status, shown.params) == ("doomed", "running", {"C": 1})
    assert "a.bin" in files


def test_a_run_that_cannot_be_opened_yet_is_kept_until_it_can(server: Live, where: Where, spool: Path) -> None:
    runs = runs_at(where, spool)
    run = runs.start("early", project="later")
    run.log(step=0, loss=1.0)
    run.finish(wait_s=0.0)
    where.url = server.url

    (refused,) = runs.sync()
    server.client.projects.create("later")
    (taken,) = runs.sync()

    assert (refused.waiting, refused.delivered) == (1, 0)
    assert "later" in refused.problem
    assert (taken.delivered, taken.is_ended, taken.problem) == (1, True, "")
    assert server.client.runs.show(run.id).metrics == {"loss": 1.0}


LAUNCHED = """
import taxiway as tw
with tw.run() as run:
    run.params(C=1)
    for step in range(100):
        run.log(step=step, loss=1.0)
print("trained")
"""


def test_a_script_is_kept_by_taxiway_run_while_the_server_is_away(tmp_path: Path, folder: Path) -> None:
    (folder / "train.py").write_text(LAUNCHED)
    port = free_port()
    environment = {**os.environ, "TAXIWAY_URL": f"http://127.0.0.1:{port}", "TAXIWAY_SYSTEM_S": "0"}
    command = [sys.executable, "-m", "taxiway"]
    done = subprocess.run(
        [*command, "run", "--", sys.executable, "train.py"],
        capture_output=True,
        text=True,
        env=environment,
        check=False,
        stdin=subprocess.DEVNULL,
    )
    assert (done.returncode, done.stdout) == (0, "trained\n"), done.stderr

    with running(tmp_path / "home", login=False, port=port) as live:
        synced = subprocess.run(
            [*command, "runs", "sync"], capture_output=True, text=True, env=environment, check=False
        )
        (run,) = live.client.runs.list()
        steps = steps_of(live, run.id)
        files = {artifact.path for artifact in live.client.runs.artifacts(run.id)}

    assert synced.returncode == 0, synced.stdout + synced.stderr
    assert (run.name, run.status, run.exit_code, run.params) == ("train.py", "finished", 0, {"C": 1})
    assert steps == list(range(100))
    assert {"logs/stdout.txt", "code/sources.json"} <= files


def test_what_another_version_wrote_is_said_and_kept(server: Live, where: Where, spool: Path) -> None:
    run = "0" * 31 + "1"
    file = SpoolFile.create(spool / run, Head(run, "http://a.test", "b" * 32, "s", 0, 1))
    file.append(msgspec.msgpack.encode(["told in a later version", 1]))
    file.close()
    (spool / run / "left.new").write_bytes(b"")
    os.utime(spool / run / "left.new", (0, 0))
    where.url = server.url

    (kept,) = runs_at(where, spool).sync()

    assert "another version" in kept.problem
    assert file.path.exists()


def test_what_is_for_another_server_is_left_alone(server: Live, where: Where, spool: Path) -> None:
    runs_at(where, spool).start().finish(wait_s=0.0)
    where.url = server.url
    other = Runs(Transport(where), Settings(home=spool.parent, url=server.url, spool=spool))

    (left,) = other.sync()

    assert left.problem.startswith("it is for http://a.test")
    assert len(list(spool.iterdir())) == 1


def test_the_next_run_delivers_what_dead_ones_left(server: Live, where: Where, spool: Path) -> None:
    lost = runs_at(where, spool).start()
    lost.log(step=1, loss=1.0)
    lost.finish(wait_s=0.0)
    where.url = server.url
    runs = runs_at(where, spool)

    runs.start().finish()
    assert runs._syncing is not None
    runs._syncing.join(10)

    assert server.client.runs.show(lost.id).metrics == {"loss": 1.0}
