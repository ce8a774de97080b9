"""A client whose server is away for long, whose process is killed, or whose spool has no room: at full size.

Each test prints the figures that docs/benchmarks.md tells; `tests/runs/test_outage.py` holds the short versions.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from tests.runs.outage import free_port
from tests.support.live import Live, running

pytestmark = [pytest.mark.fault, pytest.mark.slow]

OUTAGE_S = float(os.environ.get("OUTAGE_S", "60"))
MOST_SLOWED = 0.05  # of a training step's time

KILLED = """
import os
import taxiway as tw
run = tw.run("killed")
print(run.id, flush=True)
for step in range(50_000):
    run.log(step=step, loss=1.0)
os.kill(os.getpid(), 9)
"""

RESTARTED = """
import json, statistics, time
import taxiway as tw

STEPS = 4_000

def work():
    return sum(range(60_000))

def beside():
    return time.process_time() - time.thread_time()

# Processor time, and the cost itself rather than the difference of two long times: what other programs take of the
# machine is not the client's doing. What its threads take beside a step counts as if the step had waited for it.
run = tw.run("restarted")
run._capture.finish()
for step in range(500):  # what a run does once, at its beginning, is no step's
    work()
    run.log(step=step, loss=1.0, accuracy=0.5)
time.sleep(1.0)
plain = cost = 0.0
began = beside()
for step in range(STEPS):
    first = time.thread_time()
    work()
    second = time.thread_time()
    run.log(step=step, loss=1.0, accuracy=0.5)
    plain, cost = plain + second - first, cost + time.thread_time() - second
time.sleep(1.0)  # until the threads beside have done what this left them
grown = (cost + beside() - began) / plain
plain /= STEPS
took = []
for step in range(50_000):
    before = time.perf_counter()
    run.log(step=step, points=1.0)
    took.append(time.perf_counter() - before)
slowest = sorted(took)[-3]  # a busy machine stops anyone now and then
run.finish()
print(json.dumps({
    "run": run.id, "plain_s": plain, "grown": grown,
    "call_us": statistics.median(took) * 1e6, "slowest_ms": slowest * 1e3,
}))
"""


def python(script: str, environment: dict[str, str], **options: Any) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-W", "ignore", "-c", script]
    return subprocess.run(command, capture_output=True, text=True, env=environment, check=False, **options)


def steps_of(live: Live, run: str, key: str) -> list[int]:
    return [point.step for point in live.client.runs.metric(run, key)]


def test_nothing_is_lost_or_doubled_over_a_long_outage_and_a_kill(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    port = free_port()
    environment = {
        **os.environ,
        "TAXIWAY_URL": f"http://127.0.0.1:{port}",
        "XDG_STATE_HOME": str(tmp_path / "state"),
        "TAXIWAY_SYSTEM_S": "0",
    }
    began = time.monotonic()
    killed = python(KILLED, environment, cwd=tmp_path)
    restarted = python(RESTARTED, environment, cwd=tmp_path)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    assert restarted.returncode == 0, restarted.stderr
    figures = json.loads(restarted.stdout)
    time.sleep(max(OUTAGE_S - (time.monotonic() - began), 0.0))

    with running(tmp_path / "home", login=False, port=port) as live:
        before = time.perf_counter()
        command = [sys.executable, "-m", "taxiway", "runs", "sync", "--json"]
        synced = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
        catch_up_s = time.perf_counter() - before
        found = json.loads(synced.stdout)
        first = steps_of(live, killed.stdout.strip(), "loss")
        second = steps_of(live, figures["run"], "points")
        statuses = [live.client.runs.show(run).status for run in (killed.stdout.strip(), figures["run"])]

    delivered = sum(one["delivered"] for one in found)
    slowed = figures["grown"]
    with capsys.disabled():
        print(
            f"\nrun.log {figures['call_us']:.1f} µs median, slowest {figures['slowest_ms']:.1f} ms; "
            f"a training step of {figures['plain_s'] * 1e3:.1f} ms grew by {slowed:.1%}; "
            f"{delivered / catch_up_s:,.0f} points a second after the outage"
        )
    assert synced.returncode == 0, synced.stdout + synced.stderr
    assert (first, second) == (list(range(50_000)), list(range(50_000)))
    assert statuses == ["running", "finished"]
    assert not list((tmp_path / "state" / "taxiway" / "spool").iterdir())
    assert slowed <= MOST_SLOWED
    assert figures["call_us"] <= 20
    assert figures["slowest_ms"] <= 100


CRAMPED = """
import json, sys
import taxiway as tw
from taxiway.runs.sending import stream
stream.MOST_IN_MEMORY = 30_000
slowest = 0.0
import time
run = tw.run("cramped")
for step in range(100_000):
    before = time.perf_counter()
    run.log(step=step, loss=1.0)
    slowest = max(slowest, time.perf_counter() - before)
print("logged", flush=True)
sys.stdin.readline()
run.finish()
print(json.dumps({"run": run.id, "lost": run.outcome.lost, "dropped": run.outcome.dropped, "slowest_s": slowest}))
"""


@pytest.mark.skipif(os.geteuid() != 0 or shutil.which("unshare") is None, reason="mounts need root")
@pytest.mark.parametrize("options", ["size=512k", "ro"], ids=["full", "read-only"])
def test_a_spool_without_room_costs_what_it_says_and_nothing_else(tmp_path: Path, options: str) -> None:
    port = free_port()
    spool = tmp_path / "spool"
    spool.mkdir()
    (tmp_path / "cramped.py").write_text(CRAMPED)
    environment = {
        **os.environ,
        "TAXIWAY_URL": f"http://127.0.0.1:{port}",
        "TAXIWAY_SPOOL": str(spool),
        "TAXIWAY_SYSTEM_S": "0",
    }
    script = f"mount -t tmpfs -o {options} none {spool} && exec {sys.executable} -W ignore cramped.py"
    child = subprocess.Popen(
        ["unshare", "-m", "sh", "-c", script],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment,
        cwd=tmp_path,
    )
    assert child.stdout is not None
    assert child.stdout.readline() == "logged\n"

    with running(tmp_path / "home", login=False, port=port) as live:
        said, warned = child.communicate("\n", timeout=120)
        figures = json.loads(said)
        kept = steps_of(live, figures["run"], "loss")

    assert child.returncode == 0
    assert figures["slowest_s"] < 0.1
    assert figures["dropped"] == figures["lost"] == 100_000 - len(kept)
    assert 30_000 <= len(kept) < 100_000
    assert kept == list(range(len(kept)))
    assert warned.count("cannot be written") == 1
    assert f"{figures['dropped']} points" in warned or f"{figures['lost']} points" in warned
