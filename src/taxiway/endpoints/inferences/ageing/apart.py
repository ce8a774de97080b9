"""Sealing in a process of its own: it takes the cores that nobody else wants, and no request or round waits for it.

``python -m taxiway.endpoints.inferences.ageing.apart HOME TIME [--idle]`` seals once and says on its output what it
could not. It ends with the process that started it; whatever was half made is made anew by the next one.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import time
from datetime import datetime
from pathlib import Path
from types import FrameType

import msgspec
from msgspec import Struct

from taxiway.endpoints.inferences import damage
from taxiway.endpoints.inferences.ageing.sealing import Halted, seal_and_merge

PR_SET_PDEATHSIG = 1
LAST_NICE = 19
PATIENCE_S = 600.0  # closed segments that are older are sealed whatever else the cores do, or the disk would fill
STOP_S = 1.0
MOST_TOLD = 50  # problems of a kind in a report, so that it fits into a pipe that nobody reads yet
Seen = frozenset[tuple[str, int, int]]


class Report(Struct, frozen=True):
    """What a round could not seal, and the files that it could not read."""

    problems: tuple[str, ...]
    damaged: tuple[tuple[str, str], ...]


class Apart:
    """The process that seals the logs of a home, where one runs."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.process: subprocess.Popen[bytes] | None = None
        self.begun_with: Seen = frozenset()
        self.done_with: Seen | None = None  # the files as they were when the last whole round began

    def begin(self, at: datetime) -> bool:
        """Starts a round unless one runs, or no file changed since the last one began. Says whether one runs now."""
        if self.process is not None:
            return True
        self.begun_with = found = seen_in(self.home)
        if found == self.done_with:
            return False
        words = [sys.executable, "-I", "-m", __name__, str(self.home), at.isoformat()]
        if not is_overdue(found, time.time()):
            words.append("--idle")
        self.process = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
        return True

    def ended(self) -> Report | None:
        """What a round said that ended since this was asked last; the files that it could not read are told.

        Raises ChildProcessError for one that failed.
        """
        if self.process is None or self.process.poll() is None:
            return None
        said, code = self.process.communicate()[0], self.process.returncode
        self.process = None
        if code:
            raise ChildProcessError(f"sealing ended with {'signal ' + str(-code) if code < 0 else 'code ' + str(code)}")
        report = msgspec.json.decode(said, type=Report)
        for path, why in report.damaged:
            damage.tell(damage.Damaged(Path(path), why))
        self.done_with = None if report.problems else self.begun_with
        return report

    def stop(self) -> None:
        """Has a round break off."""
        if self.process is None:
            return
        self.process.terminate()
        try:
            self.process.communicate(timeout=STOP_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.communicate()
        self.process = None


def seen_in(home: Path) -> Seen:
    """Every file of the logs but those that are written to: path, bytes and nanoseconds of its last change."""
    found = set()
    for path in (home / "inferences").glob("*/*"):
        if not path.name.startswith("open-"):
            with contextlib.suppress(OSError):  # it was sealed meanwhile
                is_ = path.stat()
                found.add((str(path), is_.st_size, is_.st_mtime_ns))
    return frozenset(found)


def is_overdue(seen: Seen, now_s: float) -> bool:
    """Whether a closed segment waited for long."""
    oldest = min((changed for path, _, changed in seen if Path(path).name.startswith("closed-")), default=None)
    return oldest is not None and now_s - oldest / 1e9 > PATIENCE_S


# --- the process ---


def main() -> None:
    """Seals the logs of a home once."""
    home, at = Path(sys.argv[1]), datetime.fromisoformat(sys.argv[2])
    parent = os.getppid()
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if "--idle" in sys.argv:
        come_last()
    is_over = False

    def stop(_: int, __: FrameType | None) -> None:
        nonlocal is_over
        is_over = True

    def look() -> None:
        if is_over or os.getppid() != parent:  # it may have ended before the kernel was told to end this one, too
            raise Halted

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C in a terminal is the server's to hear
    with contextlib.suppress(Halted):
        look()
        problems = [str(each) for each in seal_and_merge(home, at, look)][:MOST_TOLD]
        told = [(str(path), why) for path, why in damage.told.items()][:MOST_TOLD]
        sys.stdout.buffer.write(msgspec.json.encode(Report(tuple(problems), tuple(told))))
        return
    sys.stdout.buffer.write(msgspec.json.encode(Report((), ())))


def come_last() -> None:
    """Leaves the cores to everybody else, as far as the system allows."""
    with contextlib.suppress(OSError):
        os.nice(LAST_NICE)
    with contextlib.suppress(OSError):
        os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))


if __name__ == "__main__":
    main()
