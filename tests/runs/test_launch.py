"""`taxiway run`: any program as a run, in a folder where nothing was set up."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from taxiway.client import connect
from taxiway.runs.contract import Run
from taxiway.runs.launch import reap

COMMAND = [sys.executable, "-m", "taxiway"]
TRAIN = """
import sys
print("told", sys.argv[1:])
print("password = 'hush'")
print("careful", file=sys.stderr)
import taxiway as tw
with tw.run("mine") as run:
    run.params(alpha=0.5)
    for step in range(10):
        run.log(loss=1 / (step + 1))
with tw.run("second") as other:
    other.log(loss=2.0)
"""


def taxiway(*words: str, check: bool = True) -> subprocess.CompletedProcess[str]:
    given = [*COMMAND, *words]
    return subprocess.run(given, capture_output=True, text=True, check=check, stdin=subprocess.DEVNULL)


def runs(folder: Path) -> list[Run]:
    with connect(home=folder / ".taxiway") as client:
        return client.runs.list()


def test_a_script_is_kept_without_a_line_of_configuration(folder: Path) -> None:
    (folder / "train.py").write_text(TRAIN)

    done = taxiway("run", "--", sys.executable, "train.py", "--alpha", "0.5", "--token", "hush", "--", "--json")

    other, run = runs(folder)
    with connect(home=folder / ".taxiway") as client:
        artifacts = {artifact.path for artifact in client.runs.artifacts(run.id)}
        kept = client.runs.download(run.id, "logs/stdout.txt", folder).read_text()
    assert "told ['--alpha', '0.5', '--token', 'hush', '--', '--json']" in done.stdout
    assert "careful" in done.stderr
    assert run.id in done.stderr
    assert (run.name, run.status, run.exit_code, run.project) == ("mine", "finished", 0, "default")
    assert run.params == {"alpha": 0.5}
    assert run.metrics == {"loss": 0.1}
    assert run.command[1:] == ["train.py", "--alpha", "0.5", "--token", "[redacted]", "--", "--json"]
    assert run.code is not None
    assert run.code.files == 1
    assert run.environment is not None
    assert run.environment.packages > 5
    assert run.cpu_s
    assert artifacts == {"code/sources.json", "logs/stderr.txt", "logs/stdout.txt", "requirements.lock"}
    assert (other.name, other.metrics) == ("second", {"loss": 2.0})
    assert "password = '[redacted]'" in kept


def test_the_run_goes_to_the_experiment_that_the_script_names(folder: Path) -> None:
    script = 'import taxiway as tw\nwith tw.run("mine", experiment="repro", tags={"a": "b"}): pass\n'
    (folder / "train.py").write_text(script)

    untold = taxiway("run", "--", sys.executable, "train.py")
    told = taxiway("run", "--experiment", "nightly", "--", sys.executable, "train.py")

    kept, moved = runs(folder)
    assert (moved.experiment, moved.name, moved.tags) == ("repro", "mine", {"a": "b"})
    assert (kept.experiment, kept.name) == ("nightly", "mine")
    assert "stays in" not in untold.stderr
    assert told.stderr.count("stays in the experiment 'nightly'") == 1
    assert "--experiment repro" in told.stderr


def test_the_program_s_exit_code_is_ours(folder: Path) -> None:
    done = taxiway("run", "--name", "broken", "--", "sh", "-c", "echo oops >&2; exit 3", check=False)

    (run,) = runs(folder)
    assert done.returncode == 3
    assert (run.name, run.status, run.exit_code, run.failure) == ("broken", "failed", 3, "oops")


def test_a_run_goes_by_its_script_and_keeps_no_secret_variable(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STORE_PASSWORD", "hunter2-Zq")
    (folder / "fit.py").write_text("import os\nprint(os.environ['STORE_PASSWORD'])\n")

    taxiway("run", "--", sys.executable, "fit.py")

    (run,) = runs(folder)
    with connect(home=folder / ".taxiway") as client:
        kept = client.runs.download(run.id, "logs/stdout.txt", folder).read_text()
    assert (run.name, kept) == ("fit.py", "[redacted]\n")


def test_a_traceback_s_last_line_is_the_failure(folder: Path) -> None:
    done = taxiway("run", "--", sys.executable, "-c", "raise ValueError('no such column: race')", check=False)

    (run,) = runs(folder)
    assert done.returncode == 1
    assert run.failure == "ValueError: no such column: race"


def test_a_program_that_is_not_there_opens_nothing(folder: Path) -> None:
    done = taxiway("run", "--", "no-such-program", check=False)

    assert done.returncode == 127
    assert "no-such-program" in done.stderr
    assert taxiway("run", check=False).returncode == 2
    assert runs(folder) == []


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_ends_the_program_and_its_end_is_recorded(folder: Path, number: int, code: int) -> None:
    words = ["run", "--", "sh", "-c", "echo ready; exec sleep 60"]
    with subprocess.Popen([*COMMAND, *words], stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == "ready\n"  # it comes at once, not at the end
        child.send_signal(number)

    (run,) = runs(folder)
    assert child.returncode == code
    assert (run.status, run.exit_code) == ("stopped", code)


def test_a_signal_that_interrupts_no_wait_is_heard_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    wait = os.wait4
    with subprocess.Popen(["sleep", "30"]) as child:

        def signalled(pid: int, options: int) -> tuple[int, int, Any]:
            signal.pthread_kill(threading.get_ident(), signal.SIGUSR1)  # this thread alone gets it
            return wait(pid, options)

        monkeypatch.setattr(os, "wait4", signalled)
        before = signal.signal(signal.SIGUSR1, lambda *_: os.kill(child.pid, signal.SIGTERM))
        try:
            status, _ = reap(child.pid)
        finally:
            signal.signal(signal.SIGUSR1, before)
        child.returncode = os.waitstatus_to_exitcode(status)

    assert child.returncode == -signal.SIGTERM


def test_a_killed_launcher_leaves_a_home_that_works(folder: Path) -> None:
    words = ["run", "--", "sh", "-c", "echo $$; exec sleep 60"]
    with subprocess.Popen([*COMMAND, *words], stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True) as child:
        assert child.stdout is not None
        orphan = int(child.stdout.readline())
        child.send_signal(signal.SIGKILL)
        child.wait()
        os.kill(orphan, signal.SIGTERM)

    (run,) = runs(folder)
    assert run.status == "running"  # and lost, once it was silent for five minutes


def test_what_something_left_running_prints_does_not_hold_us(folder: Path) -> None:
    before = time.monotonic()

    done = taxiway("run", "--", "sh", "-c", "sleep 30 & echo $!")

    os.kill(int(done.stdout), signal.SIGTERM)
    assert time.monotonic() - before < 25
    assert runs(folder)[0].status == "finished"
