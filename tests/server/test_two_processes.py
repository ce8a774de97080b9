"""Two processes on one home: the first owns it, the second reaches it, and goes on when the first ends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from taxiway.client import connect

WORKER = """
import json, sys, time
from pathlib import Path
import taxiway as tw
home = Path(sys.argv[1])
with tw.connect(home=home) as client:
    run = client.runs.start(sys.argv[2])
    steps = 0
    print(run.id, json.loads((home / "server.json").read_text())["pid"], flush=True)
    for line in sys.stdin:
        for _ in range(500):
            run.log(step=steps, loss=1.0)
            steps += 1
        print(run.flush(20), json.loads((home / "server.json").read_text())["pid"], flush=True)
    run.finish()
"""


class Worker:
    """A training process that logs 500 points each time it is told to."""

    def __init__(self, child: subprocess.Popen[str]) -> None:
        self.child = child
        self.run, self.owner = self.heard()

    def heard(self) -> tuple[str, int]:
        """The worker's word, and whose home it is by then."""
        assert self.child.stdout is not None
        word, owner = self.child.stdout.readline().split()
        return word, int(owner)

    def log(self) -> tuple[str, int]:
        assert self.child.stdin is not None
        print(file=self.child.stdin, flush=True)
        return self.heard()

    def end(self) -> None:
        assert self.child.stdin is not None
        self.child.stdin.close()
        self.child.wait(30)


@contextmanager
def working(home: Path, name: str) -> Iterator[Worker]:
    environment = {**os.environ, "TAXIWAY_SYSTEM_S": "0"}
    child = subprocess.Popen(
        [sys.executable, "-c", WORKER, str(home), name],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=environment,
        cwd=home.parent,
    )
    with child:
        try:
            yield Worker(child)
        finally:
            child.kill()


@pytest.mark.parametrize("is_killed", [False, True], ids=["ends", "is killed"])
def test_the_second_goes_on_when_the_first(tmp_path: Path, is_killed: bool) -> None:
    home = tmp_path / "home"
    with working(home, "first") as first, working(home, "second") as second:
        both = (first.owner, second.owner)
        assert (first.log()[0], second.log()[0]) == ("True", "True")
        if is_killed:
            first.child.send_signal(signal.SIGKILL)
            first.child.wait(10)
        else:
            first.end()
        said, owner = second.log()
        pids = (first.child.pid, second.child.pid)
        runs = (first.run, second.run)
        second.end()

    with connect(home=home) as client:
        steps = [[point.step for point in client.runs.metric(run, "loss")] for run in runs]
        statuses = [client.runs.show(run).status for run in runs]
    assert both == (pids[0], pids[0])
    assert (said, owner) == ("True", pids[1])
    assert steps == [list(range(500)), list(range(1000))]
    assert statuses == ["running" if is_killed else "finished", "finished"]
    assert not list((home / "spool").iterdir()) or is_killed
