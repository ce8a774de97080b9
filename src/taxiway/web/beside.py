"""A process beside the server's own: it turns bytes into bytes on another core, while there is much to turn."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import subprocess
import sys
from collections import deque
from collections.abc import Callable
from typing import cast

HEAD_BYTES = 4  # before each piece: how long it is
WINDOW_S = 1.0
BUSY = 50  # pieces within the window, from which on the process is worth its memory
MOST_WAITING = 32  # pieces under way; more are turned by the server itself
WITHIN_S = 5.0
IDLE_S = 30.0  # without a piece, after which the process ends
AGAIN_S = 60.0  # after one that failed


class Line(asyncio.Protocol):
    """The server's end of the socket between the two. Answers come in the order of what was sent."""

    def __init__(self) -> None:
        self.waiting: deque[asyncio.Future[bytes]] = deque()
        self.heard = bytearray()
        self.transport: asyncio.Transport | None = None
        self.is_ready = False
        self.lost = asyncio.Event()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)  # uvloop's is one, but not of that class

    def send(self, data: bytes) -> asyncio.Future[bytes]:
        assert self.transport is not None
        answer: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        self.waiting.append(answer)
        self.transport.writelines([len(data).to_bytes(HEAD_BYTES), data])
        return answer

    def data_received(self, data: bytes) -> None:
        self.heard += data
        while len(self.heard) >= HEAD_BYTES:
            end = HEAD_BYTES + int.from_bytes(self.heard[:HEAD_BYTES])
            if len(self.heard) < end:
                return
            piece = bytes(self.heard[HEAD_BYTES:end])
            del self.heard[:end]
            if self.is_ready:
                settle(self.waiting.popleft(), piece)
            self.is_ready = True  # the first, which is empty, says that the process is there

    def connection_lost(self, exc: Exception | None) -> None:
        self.is_ready = False
        self.lost.set()
        while self.waiting:
            settle(self.waiting.popleft(), b"")


def settle(answer: asyncio.Future[bytes], piece: bytes) -> None:
    if not answer.done():  # whoever asked may have gone away
        answer.set_result(piece)


async def hold(line: Line, ours: socket.socket) -> None:
    """Keeps the socket open until the other end is gone, or the event loop ends, which cancels this."""
    transport, _ = await asyncio.get_running_loop().create_connection(lambda: line, sock=ours)
    try:
        await line.lost.wait()
    finally:
        transport.close()


class Beside:
    """The process, which there is only while many pieces come. module: what runs there, by `work`."""

    def __init__(self, module: str) -> None:
        self.module = module
        self.process: subprocess.Popen[bytes] | None = None
        self.line: Line | None = None
        self.holding: asyncio.Task[None] | None = None
        self.window_at = self.asked_at = float("-inf")
        self.not_before = float("-inf")
        self.in_window = 0
        self.is_closed = len(os.sched_getaffinity(0)) < 2  # with one core it would only take it from the server

    async def turn(self, data: bytes) -> bytes:
        """What the process makes of the data; empty where that is nothing, or there is no process that could."""
        self._count()
        line = self.line
        if line is None or not line.is_ready or len(line.waiting) >= MOST_WAITING:
            return b""
        try:
            async with asyncio.timeout(WITHIN_S):
                return await line.send(data)
        except TimeoutError:
            self._end()
            return b""

    def _count(self) -> None:
        """Notes that a piece came, and starts the process where many did."""
        now = self.asked_at = asyncio.get_running_loop().time()
        if now - self.window_at > WINDOW_S:
            self.window_at, self.in_window = now, 0
        self.in_window += 1
        if self.line is not None and self.line.lost.is_set():
            self._end()
        if self.in_window >= BUSY and self.process is None and now >= self.not_before and not self.is_closed:
            self._start()

    def _start(self) -> None:
        loop = asyncio.get_running_loop()
        self.not_before = loop.time() + AGAIN_S
        ours, theirs = socket.socketpair()
        with theirs:
            command = [sys.executable, "-I", "-m", self.module, str(theirs.fileno())]
            try:
                self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, pass_fds=[theirs.fileno()])
            except OSError:  # no more processes or memory: the server turns everything itself
                ours.close()
                return
        self.line = line = Line()
        ours.setblocking(False)  # noqa: FBT003 - its only parameter
        self.holding = loop.create_task(hold(line, ours))
        loop.call_later(IDLE_S, self._look, line)

    def _look(self, line: Line) -> None:
        """Ends the process where it is not asked any more, or is gone."""
        if self.line is not line or self.process is None:
            return
        loop = asyncio.get_running_loop()
        if loop.time() - self.asked_at >= IDLE_S or self.process.poll() is not None:
            self._end()
        else:
            loop.call_later(IDLE_S, self._look, line)

    def _end(self) -> None:
        process, self.process = self.process, None
        line, self.line = self.line, None
        if line is not None and line.transport is not None:
            line.transport.close()
        if process is not None:
            process.kill()  # it keeps nothing
            asyncio.get_running_loop().run_in_executor(None, process.wait)

    def close(self) -> None:
        """Ends the process; from any thread."""
        self.is_closed = True
        process = self.process
        if process is not None:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            process.wait()


def work(turn: Callable[[bytes], bytes]) -> None:
    """The other end: turns one piece after the other until the server is gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C in a terminal is the server's to hear
    with socket.socket(fileno=int(sys.argv[1])) as line, contextlib.suppress(ConnectionError):
        line.sendall(bytes(HEAD_BYTES))
        while head := line.recv(HEAD_BYTES, socket.MSG_WAITALL):
            size = int.from_bytes(head)
            data = line.recv(size, socket.MSG_WAITALL)
            if len(data) < size:
                return
            answer = turn(data)
            line.sendall(len(answer).to_bytes(HEAD_BYTES) + answer)
