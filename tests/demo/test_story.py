"""`taxiway demo` as a process: told twice in one home, stopped, cut short, and held to what it promises."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from taxiway.demo.serving import DemoRunning, record_of, serving

TAXIWAY = [sys.executable, "-m", "taxiway"]
LONGEST_S = 300  # on a machine that does other things; alone it is a tenth of that

ACT_ONE = (
    "The code it came from is kept: ",
    "gdlin must be one of 0, 1: 2 rows break this (row 880: 666, row 1,228: 666)",
    "▲ inconclusive  0.77 [0.70, 0.83]",
    "neither proven fair nor unfair at this size",
    "taxiway models promote mortgage@1 production exit code 1",
    "POST /api/models/mortgage/versions/1/stage 409 application/problem+json",
    "That is the answer at all 4 doors, the same word for word.",
    "The price: 2.8 points of accuracy",
    "It reads race at decision time: race is among its inputs; shuffled alone, it changes",
    "By the number alone it would pass: 0.9",
    "taxiway models promote mortgage@3 staging exit code 1",
    "All 4 doors refuse it for reading race at decision time",
    "`taxiway gates answer mortgage@2 impact-on-people --set …` says: Every question has its answer. They make it high",
    "● ethics: ana answered all that ethics@1 asks",
    "- findings, before production: fail. 1 finding that blocks is not closed.",
    "ana cannot close the finding",
    "● Vera closed it after 4 steps",
    "(four eyes). Ask vera.",
    "model.skops is not the file that was approved",
    "1 approval",
    "$ python -I verify.py mortgage-2.dossier.zip --key ",
    "It holds: model:mortgage@2, ",
    "is not the file that was sealed",
    "9 of 10 gates are open by what is signed",
    "`taxiway gates verify mortgage@2` ends with exit code 0",
    "requests  of        p50 ms  p99 ms",
    "vera approved it",
)
ACT_TWO = (
    "16,719 flights: every 5th of each month",
    "16,719 labels stored, 0 were known",
    "The whole interval is worse than that",
    "/monitors/flights?window=2013-04-01",
)


def demo(home: Path, *options: str, program: tuple[str, ...] = ()) -> subprocess.CompletedProcess[str]:
    command = [*(program or TAXIWAY), "demo", "--home", str(home), "--exit", *options]
    return subprocess.run(command, capture_output=True, text=True, env=surroundings(), timeout=LONGEST_S, check=False)


def surroundings() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith("TAXIWAY_")}


def processes_of(home: Path) -> list[str]:
    """The command lines of running processes that name the home."""
    found = []
    for file in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = file.read_bytes().decode(errors="replace").split("\0")
        except OSError:
            continue  # it ended meanwhile
        if any(str(home) in word for word in words) and str(os.getpid()) != file.parent.name:
            found.append(" ".join(words))
    return found


@pytest.mark.slow
def test_it_ends_as_the_story_says(tmp_path: Path) -> None:
    home = tmp_path / "home"

    done = demo(home, "--port", "0")

    assert (done.returncode, done.stderr) == (0, "")
    told = " ".join(done.stdout.split())
    assert [words for words in (*ACT_ONE, *ACT_TWO) if " ".join(words.split()) not in told] == []
    assert processes_of(home) == []


@pytest.mark.judge
def test_it_is_told_a_second_time_in_the_same_home(tmp_path: Path) -> None:
    home = tmp_path / "home"

    first, second = demo(home, "--port", "0"), demo(home, "--port", "0")

    assert (first.returncode, first.stderr) == (0, "")
    assert (second.returncode, second.stderr) == (0, "")
    assert "An earlier demo left flights@1, mortgage@3 in this home" in second.stdout
    assert "0 labels stored, 16,719 were known" in second.stdout
    assert "mortgage@5 in production" in " ".join(second.stdout.replace("moved mortgage@5 to", "mortgage@5 in").split())
    assert processes_of(home) == []


@pytest.mark.slow
def test_a_step_that_ends_otherwise_is_named_and_exits_with_1(tmp_path: Path) -> None:
    expects_a_fail = (
        "import sys\n"
        "from taxiway.demo import act_one\n"
        "act_one.NOT_MITIGATED['fairness'] = 'fail'\n"
        "from taxiway.cli import main\n"
        "sys.exit(main(sys.argv[1:]))\n"
    )

    differs = demo(tmp_path / "home", "--port", "0", program=(sys.executable, "-c", expects_a_fail))

    assert differs.returncode == 1
    assert "Step 1.3 ended in another way than the story says" in differs.stderr
    assert "'fairness': 'inconclusive'" in differs.stderr
    assert processes_of(tmp_path / "home") == []


def test_a_port_in_use_is_said_and_nothing_is_left_running(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        refused = demo(tmp_path / "home", "--port", port)

    assert refused.returncode == 1
    assert f"Port {port}" in refused.stderr
    assert "--port" in refused.stderr
    assert processes_of(tmp_path / "home") == []


def test_a_home_that_cannot_be_made_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")

    refused = demo(tmp_path / "file" / "home", "--port", "0")

    assert refused.returncode == 1
    assert "cannot be used" in refused.stderr


def test_the_server_of_a_demo_that_was_killed_makes_way_for_the_next(tmp_path: Path) -> None:
    home = tmp_path / "home"
    holds = (
        "import sys, time\n"
        "from pathlib import Path\n"
        "from taxiway.demo.serving import serving\n"
        "with serving(Path(sys.argv[1]), 0) as server:\n"
        "    print(server.url, flush=True)\n"
        "    time.sleep(600)\n"
    )
    killed = subprocess.Popen(
        [sys.executable, "-c", holds, str(home)], stdout=subprocess.PIPE, text=True, env=surroundings()
    )
    assert killed.stdout is not None
    with killed.stdout:
        assert killed.stdout.readline().startswith("http")
        with pytest.raises(DemoRunning), serving(home, 0):
            pass
        killed.kill()
        killed.wait()
    left = processes_of(home)

    with serving(home, 0) as server:
        assert server.is_running

    assert any("taxiway server" in line for line in left)
    assert processes_of(home) == []
    assert not record_of(home).exists()


def test_ctrl_c_ends_every_process_it_started(tmp_path: Path) -> None:
    home = tmp_path / "home"
    process = subprocess.Popen(
        [*TAXIWAY, "demo", "--home", str(home), "--port", "0"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=surroundings(),
        start_new_session=True,
    )
    assert process.stdout is not None
    try:
        first = process.stdout.readline()
        os.killpg(process.pid, signal.SIGINT)
        process.communicate(timeout=60)
    finally:
        process.kill()

    assert "Taxiway serves" in first
    assert process.returncode == 130
    until = time.monotonic() + 10
    while processes_of(home) and time.monotonic() < until:
        time.sleep(0.05)
    assert processes_of(home) == []
