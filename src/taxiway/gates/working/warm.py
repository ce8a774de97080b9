"""A process that has the libraries of checks loaded and waits: each job gets a fork of it, and pays no import.

``python -m taxiway.gates.working.warm DESCRIPTOR`` is started by the server with one end of a socket pair. It never
reads a model itself, so that what one model's file does is gone with the fork that read it. It ends a worker when its
time is over or the server does not wait any more, and tells how each one ended.
"""

from __future__ import annotations

import contextlib
import ctypes
import gc
import os
import select
import signal
import socket
import sys
import time
from importlib import import_module
from pathlib import Path
from typing import NamedTuple

from taxiway.gates.checks.register import CHECKS
from taxiway.gates.working import wire
from taxiway.gates.working.worker import LIBRARIES, versions, work

LOAD, JOB = b"load ", b"job "
LARGEST = 1 << 20
PR_SET_CHILD_SUBREAPER = 36
ROUNDS = 100  # of looking for what a worker left behind: it may fork while it is looked for
FIRST = (
    "numpy",
    "pyarrow",
    "pyarrow.compute",
    "pyarrow.parquet",
    "taxiway.models.bundles.mlmodel",
    "taxiway.models.predicting.flavours",
)


class Worker(NamedTuple):
    """A fork at work. ended: tells of its end. until: the moment by which it must have ended."""

    pid: int
    ended: int
    answers: socket.socket
    until: float


def main() -> None:
    """Serves until the server's end of the socket is gone. Further arguments: folders with modules."""
    control = socket.socket(fileno=int(sys.argv[1]))
    sys.path.extend(sys.argv[2:])
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)  # what workers leave behind comes here
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C in a terminal is the server's to hear
    for name in FIRST:
        import_module(name)
    CHECKS.load_all()
    versions()
    gc.collect()
    gc.freeze()
    serve(control)


def serve(control: socket.socket) -> None:
    """Forks a worker for each job, and sees to all of them until the server is gone."""
    workers: list[Worker] = []
    while True:
        waiting = select.poll()
        waiting.register(control, select.POLLIN)
        for worker in workers:
            waiting.register(worker.ended, select.POLLIN)
            waiting.register(worker.answers, 0)  # tells that the other end is gone
        left = min((worker.until for worker in workers), default=None)
        wait_ms = None if left is None else max(left - time.monotonic(), 0) * 1000 + 1
        told = {descriptor for descriptor, _ in waiting.poll(wait_ms)}
        for worker in list(workers):
            is_late = worker.until <= time.monotonic() and worker.ended not in told
            if is_late or {worker.ended, worker.answers.fileno()} & told:
                workers.remove(worker)
                bury(worker, workers, is_late=is_late)
        if control.fileno() not in told:
            continue
        message, descriptors, _, _ = socket.recv_fds(control, LARGEST, 2)
        if not message:
            break
        if message.startswith(LOAD):
            load(message.removeprefix(LOAD).decode().split())
        elif message.startswith(JOB):
            workers.append(start(control, descriptors, workers, float(message.removeprefix(JOB))))
    for worker in list(workers):
        workers.remove(worker)
        bury(worker, workers, is_late=False)


def load(names: list[str]) -> None:
    """Imports what a job took, for those that come. A model's code may have written the names: only libraries count."""
    for name in names:
        top, *parts = name.split(".")
        if top in LIBRARIES and "__main__" not in parts:
            with contextlib.suppress(Exception, SystemExit):
                import_module(name)
    gc.collect()
    gc.freeze()


def start(control: socket.socket, descriptors: list[int], others: list[Worker], time_s: float) -> Worker:
    """Forks a worker for the job that comes over the first descriptor; the second takes what it prints."""
    answers, errors = socket.socket(fileno=descriptors[0]), descriptors[1]
    pid = os.fork()
    if pid == 0:
        try:
            os.setpgid(0, 0)  # what it forks ends with it
            control.close()
            for other in others:
                other.answers.close()
                os.close(other.ended)
            os.dup2(errors, 1)
            os.dup2(errors, 2)
            os.close(errors)
            work(answers)
        finally:
            os._exit(0)
    os.close(errors)
    return Worker(pid, os.pidfd_open(pid), answers, time.monotonic() + time_s)


def bury(worker: Worker, others: list[Worker], *, is_late: bool) -> None:
    """Ends a worker that did not end itself, with all that it forked, and tells the server how it ended."""
    for kill in (os.killpg, os.kill):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            kill(worker.pid, signal.SIGKILL)
    _, status = os.waitpid(worker.pid, 0)
    os.close(worker.ended)
    end_strays({other.pid for other in others})
    code = os.waitstatus_to_exitcode(status)
    with worker.answers as answers, contextlib.suppress(OSError):
        answers.sendall(wire.frame(wire.Ended(max(code, 0), max(-code, 0), is_late)))


def end_strays(known: set[int]) -> None:
    """Ends what workers left behind in sessions of their own. known: the workers that are at work."""
    for _ in range(ROUNDS):
        strays = children() - known
        if not strays:
            return
        for pid in strays:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)
            with contextlib.suppress(ChildProcessError):
                os.waitpid(pid, 0)


def children() -> set[int]:
    """The processes that are children of this one; none where the host does not say."""
    found: set[int] = set()
    for thread in Path("/proc/self/task").iterdir():
        with contextlib.suppress(OSError):
            found.update(map(int, (thread / "children").read_text(encoding="ascii").split()))
    return found


if __name__ == "__main__":
    main()
