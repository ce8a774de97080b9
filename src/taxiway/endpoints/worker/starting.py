"""How worker processes begin: as forks of a process that is warm, or from a command of their own."""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import os
import socket
import subprocess
import sys
from collections import deque
from collections.abc import Collection

from taxiway.endpoints.worker import warm

PR_SET_CHILD_SUBREAPER = 36
WAIT_S = 20.0  # for a worker's pid: the process may still be loading its libraries


class Warm:
    """The gateway's warm process, started when the first worker is wanted, and again when it is gone."""

    def __init__(self, environment: dict[str, str]) -> None:
        self.environment = environment
        self.process: subprocess.Popen[bytes] | None = None
        self.control: socket.socket | None = None
        self.waiting: deque[asyncio.Future[int]] = deque()
        self.known: set[str] = set()

    def begin(self) -> socket.socket:
        """Raises OSError."""
        if self.control is not None and self.process is not None and self.process.poll() is None:
            return self.control
        self.end()
        ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)  # so that workers become children of ours
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            command = [sys.executable, "-I", "-B", "-u", "-m", warm.__name__, str(theirs.fileno())]
            self.process = subprocess.Popen(
                command, env=self.environment, cwd="/", stdin=subprocess.DEVNULL, pass_fds=[theirs.fileno()]
            )
        ours.settimeout(0)
        asyncio.get_running_loop().add_reader(ours.fileno(), self.hear)
        self.control = ours
        if self.known:
            ours.send(warm.encode(warm.Load(sorted(self.known))))
        return ours

    async def fork(self, arguments: list[str], channel: socket.socket, output: int) -> int:
        """The pid of a new worker, a child of this process. Raises OSError."""
        control = self.begin()
        future: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        wanted = warm.encode(warm.Fork(arguments, os.getpid()))
        socket.send_fds(control, [wanted], [channel.fileno(), output])
        self.waiting.append(future)
        try:
            return await asyncio.wait_for(asyncio.shield(future), WAIT_S)
        except TimeoutError as e:
            self.end()
            raise OSError("the warm process did not answer") from e

    def hear(self) -> None:
        """Takes an answer; the end of the process is one to all who wait."""
        assert self.control is not None, "nobody reads from what is closed"
        try:
            data = self.control.recv(warm.LARGEST)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self.end()
            return
        said = warm.answered.decode(data)
        future = self.waiting.popleft()
        if future.done():
            return
        if said.pid:
            future.set_result(said.pid)
        else:
            future.set_exception(OSError(said.problem))

    def learn(self, modules: Collection[str]) -> None:
        """Has what a worker took ready for those to come."""
        new = sorted(set(modules) - self.known)[:1000]
        self.known.update(new)
        if new and self.control is not None:
            with contextlib.suppress(OSError):
                self.control.send(warm.encode(warm.Load(new)))

    def end(self) -> None:
        """Lets the process go; its workers stay."""
        if self.control is not None:
            asyncio.get_running_loop().remove_reader(self.control.fileno())
            self.control.close()
            self.control = None
        if self.process is not None:
            with contextlib.suppress(OSError):
                self.process.kill()
            self.process.wait()
            self.process = None
        while self.waiting:
            future = self.waiting.popleft()
            if not future.done():
                future.set_exception(OSError("the warm process ended"))
