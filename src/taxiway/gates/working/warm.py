"""A process that has the libraries of checks loaded and waits: each job gets a fork of it, and pays no import.

``python -m taxiway.gates.working.warm DESCRIPTOR`` is started by the server with one end of a socket pair. It never
reads a model itself, so that what one model's file does is gone with the fork that read it. A job's fork is a nurse,
which forks the worker, ends it when its time is over or the server does not wait any more, and tells how it ended.
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
from importlib import import_module
from typing import NoReturn

from taxiway.gates.checks.register import CHECKS
from taxiway.gates.working import wire
from taxiway.gates.working.confine import PR_SET_PDEATHSIG
from taxiway.gates.working.worker import work

LOAD, JOB = b"load ", b"job "
LARGEST = 1 << 20
FIRST = ("numpy", "pyarrow", "pyarrow.compute", "pyarrow.parquet", "taxiway.models.mlmodel", "taxiway.models.flavours")


def main() -> None:
    """Serves until the server's end of the socket is gone. Further arguments: folders with modules."""
    control = socket.socket(fileno=int(sys.argv[1]))
    sys.path.extend(sys.argv[2:])
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C in a terminal is the server's to hear
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nurses are not waited for
    for name in FIRST:
        import_module(name)
    CHECKS.load_all()
    gc.collect()
    gc.freeze()
    while True:
        message, descriptors, _, _ = socket.recv_fds(control, LARGEST, 2)
        if not message:
            return
        if message.startswith(LOAD):
            load(message.removeprefix(LOAD).decode().split())
        elif message.startswith(JOB):
            serve(control, descriptors, float(message.removeprefix(JOB)))


def load(names: list[str]) -> None:
    """Imports what a job took, for those that come."""
    for name in names:
        with contextlib.suppress(Exception):
            import_module(name)
    gc.collect()
    gc.freeze()


def serve(control: socket.socket, descriptors: list[int], time_s: float) -> None:
    """Forks the nurse of a job."""
    if os.fork() == 0:
        try:
            control.close()
            answers, errors = descriptors
            nurse(socket.socket(fileno=answers), errors, time_s)
        finally:
            os._exit(1)
    for descriptor in descriptors:
        os.close(descriptor)


def nurse(answers: socket.socket, errors: int, time_s: float) -> NoReturn:
    """Sees to a worker until its end."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    pid = os.fork()
    if pid == 0:
        try:
            os.setpgid(0, 0)  # what it forks ends with it
            os.dup2(errors, 1)
            os.dup2(errors, 2)
            work(answers)
        finally:
            os._exit(0)
    os.close(errors)
    is_late = not ends_in_time(pid, answers, time_s)
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)
    _, status = os.waitpid(pid, 0)
    code = os.waitstatus_to_exitcode(status)
    with contextlib.suppress(OSError):
        answers.sendall(wire.frame(wire.Ended(max(code, 0), max(-code, 0), is_late)))
    os._exit(0)


def ends_in_time(pid: int, answers: socket.socket, time_s: float) -> bool:
    """Waits for a worker; False where its time is over, or the server is gone."""
    ended = os.pidfd_open(pid)
    waiting = select.poll()
    waiting.register(ended, select.POLLIN)
    waiting.register(answers, 0)  # tells that the other end is gone
    found = waiting.poll(time_s * 1000)
    os.close(ended)
    return any(descriptor == ended for descriptor, _ in found)


if __name__ == "__main__":
    main()
