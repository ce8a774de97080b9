"""The server's side of the workers: one warm process for all, started when the first check is asked."""

from __future__ import annotations

import atexit
import contextlib
import os
import selectors
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from threading import BoundedSemaphore, Lock
from typing import Any

import msgspec
from msgspec import Struct

from taxiway.gates.working import wire
from taxiway.kernel.errors import TaxiwayError

# A worker sees nothing of the server's environment, which may hold secrets; threads of BLAS and OpenMP would fight over
# cores, and would not outlive a fork.
ENVIRONMENT = {
    "PATH": "/usr/bin:/bin",
    "LANG": "C.UTF-8",
    "JOBLIB_MULTIPROCESSING": "0",
    "ARROW_DEFAULT_MEMORY_POOL": "system",  # the others reserve more addresses than a worker may have
    **dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS"), "1"),
}
GRACE_S = 5.0  # beyond a job's time, for its nurse to tell that it is over
LAST_WORDS = 2_000  # bytes of what a worker printed last
LOADED = "load "


class Limits(Struct, frozen=True):
    """What a job may take. at_once: how many run at a time on one server."""

    time_s: float = 90.0
    memory_bytes: int = 6 << 30
    at_once: int = 2


class WorkersGone(TaxiwayError):
    """The process that checks are forked from cannot be started."""

    status = 503
    cause: str

    def __str__(self) -> str:
        return f"Checks cannot be asked: their process cannot be started ({self.cause}). Look at the server's log."


class Workers:
    """Asks checks in processes of their own. path: further folders in which the workers find modules."""

    def __init__(self, limits: Limits | None = None, path: Sequence[str] = ()) -> None:
        self.limits = limits or Limits()
        self.path = [*path]
        self.process: subprocess.Popen[bytes] | None = None
        self.control: socket.socket | None = None
        self.loaded: set[str] = set()
        self._lock = Lock()
        self._room = BoundedSemaphore(self.limits.at_once)

    def ask(self, job: wire.Job) -> wire.Answered | wire.Failed:
        """What became of a job: its answer, or why there is none. Raises WorkersGone."""
        job = msgspec.structs.replace(job, memory_bytes=self.limits.memory_bytes)
        with self._room:
            answers, words = self._start(job)
            found = self._outcome(answers, words)
        if isinstance(found, wire.Answered):
            self._load_ahead(found.loaded)
        return found

    def close(self) -> None:
        """Ends the warm process."""
        with self._lock:
            control, process = self.control, self.process
            self.control = self.process = None
            self.loaded.clear()
        if control is not None:
            control.close()
        if process is not None:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(GRACE_S)
            process.kill()
            process.wait()

    def _start(self, job: wire.Job) -> tuple[list[Any], bytes]:
        """Runs a job to its end: what was said of it, and the last it printed."""
        ours, theirs = socket.socketpair()
        reads, writes = os.pipe()
        try:
            with theirs:
                try:
                    self._send(b"job %.3f" % self.limits.time_s, [theirs.fileno(), writes])
                finally:
                    os.close(writes)
            with contextlib.suppress(ConnectionError):  # told by how it ended
                ours.sendall(wire.frame(job))
            return self._listen(ours, reads)
        finally:
            ours.close()
            os.close(reads)

    def _listen(self, ours: socket.socket, reads: int) -> tuple[list[Any], bytes]:
        """Until the worker and its nurse are gone, or far too late."""
        until = time.monotonic() + self.limits.time_s + GRACE_S
        said, words = bytearray(), b""
        with selectors.DefaultSelector() as waiting:
            waiting.register(ours, selectors.EVENT_READ)
            waiting.register(reads, selectors.EVENT_READ)
            while waiting.get_map().get(ours) is not None and (left := until - time.monotonic()) > 0:
                for key, _ in waiting.select(left):
                    data = received(ours) if key.fileobj is ours else os.read(reads, 1 << 16)
                    if not data:
                        waiting.unregister(key.fileobj)
                    elif key.fileobj is ours:
                        said += data
                        if len(said) > wire.LARGEST_ANSWER:
                            return [wire.Failed(f"it said more than {wire.LARGEST_ANSWER} bytes")], words
                    else:
                        words = (words + data)[-LAST_WORDS:]
        return messages(bytes(said)), words

    def _outcome(self, said: list[Any], words: bytes) -> wire.Answered | wire.Failed:
        answer = next((each for each in said if isinstance(each, wire.Answered | wire.Failed)), None)
        if answer is not None:
            return answer
        ended = next((each for each in said if isinstance(each, wire.Ended)), None)
        last = words.decode(errors="replace").strip().rpartition("\n")[2][:300]
        tail = f"; the last it printed: {last}" if last else ""
        if ended is None or ended.is_late:
            return wire.Failed(f"it took longer than {self.limits.time_s:g} s{tail}")
        how = f"signal {ended.signal}" if ended.signal else f"code {ended.code}"
        return wire.Failed(f"its process ended with {how}{tail}")

    def _send(self, message: bytes, descriptors: list[int]) -> None:
        cause = ""
        with self._lock:
            for _ in range(2):  # the warm process may have been killed since
                if self.control is None:
                    self._start_warm()
                assert self.control is not None
                try:
                    socket.send_fds(self.control, [message], descriptors)
                except OSError as e:
                    cause = str(e)
                    self.control.close()
                    self.control = None
                else:
                    return
            raise WorkersGone(cause=cause)

    def _start_warm(self) -> None:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        if self.process is not None:
            self.process.kill()
            self.process.wait()
        # -I: no module of the working folder or the user's; -B: no files written.
        command = [sys.executable, "-I", "-B", "-m", "taxiway.gates.working.warm", str(theirs.fileno()), *self.path]
        with theirs:
            try:
                self.process = subprocess.Popen(
                    command,
                    env=ENVIRONMENT,
                    cwd="/",
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,
                    pass_fds=[theirs.fileno()],
                )
            except OSError as e:
                ours.close()
                raise WorkersGone(cause=str(e)) from e
        self.control = ours
        self.loaded.clear()

    def _load_ahead(self, names: list[str]) -> None:
        """Has the libraries that a job took loaded before the next one; nobody waits for it."""
        with self._lock:
            new = [name for name in names if name not in self.loaded]
            if new and self.control is not None:
                self.loaded.update(new)
                with contextlib.suppress(OSError):
                    self.control.send((LOADED + " ".join(new)).encode())


def received(source: socket.socket) -> bytes:
    """What came; nothing where the other side is gone."""
    try:
        return source.recv(1 << 20)
    except ConnectionError:
        return b""


def messages(said: bytes) -> list[Any]:
    """The messages in all that came. What is no message counts as nothing: a model's file may have written it."""
    found, start = [], 0
    while len(said) - start >= wire.HEAD.size:
        (size,) = wire.HEAD.unpack_from(said, start)
        start += wire.HEAD.size
        try:
            found.append(wire.to_server.decode(bytes(said[start : start + size])))
        except (ValueError, RecursionError):  # no message, no text, or nested without end
            break
        start += size
    return found


WORKERS = Workers()  # one for all that this process serves: the warm process keeps nothing of any home
atexit.register(WORKERS.close)
