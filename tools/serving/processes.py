"""Servers as processes: started, rested while others are measured, weighed, ended."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from tools.bench.idle import family

READY_WITHIN_S = 120.0
ENDED_WITHIN_S = 10.0
TICKS = os.sysconf("SC_CLK_TCK")


class Process(NamedTuple):
    """A server's first process, the head of a group of its own."""

    pid: int
    popen: subprocess.Popen[bytes]
    log: Path

    def await_port(self, port: int) -> None:
        """Waits until something listens. Raises RuntimeError with its last words."""
        until = time.monotonic() + READY_WITHIN_S
        while time.monotonic() < until and self.popen.poll() is None:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
                return
            time.sleep(0.1)
        raise RuntimeError(f"it did not listen; it said: {self.log.read_text(errors='replace')[-800:]}")

    def rest(self) -> None:
        """Takes the processor from it and all it started: some poll while they have nothing to do."""
        for pid in family(self.pid):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGSTOP)

    def wake(self) -> None:
        """Gives it back."""
        for pid in family(self.pid):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)


@contextmanager
def started(name: str, command: list[str], folder: Path, environment: dict[str, str]) -> Iterator[Process]:
    """A process for as long as the block runs."""
    log = folder / f"{name}.log"
    with log.open("wb") as out:
        popen = subprocess.Popen(command, stdout=out, stderr=out, cwd=folder, env=environment, start_new_session=True)
    process = Process(popen.pid, popen, log)
    try:
        yield process
    finally:
        process.wake()
        pids = family(popen.pid)
        popen.send_signal(signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            popen.wait(ENDED_WITHIN_S)
        for pid in pids:  # those that outlive it
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        popen.wait()


def resident_mb(pids: list[int]) -> float:
    """The memory of processes with all they started; pages that they share count in parts."""
    total_kb = 0
    for pid in {each for first in pids for each in family(first)}:
        with contextlib.suppress(OSError):
            lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
            total_kb += sum(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
    return total_kb / 1000


def cpu_s(pids: list[int]) -> float:
    """The processor seconds of processes with all they started."""
    total = 0
    for pid in {each for first in pids for each in family(first)}:
        with contextlib.suppress(OSError):
            times = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
            total += int(times[11]) + int(times[12])
    return total / TICKS
