"""One gateway follows another without a refused request: the listening socket goes from hand to hand.

On SIGUSR2 a gateway starts its successor with the same command, and gives it the socket and the home's lock. The
successor starts workers of its own; once they answer it takes connections from the same queue, and says so. Only then
does the old one stop accepting: it answers what it has, asks each caller to come back on a new connection, and ends.
A successor that does not become ready changes nothing.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import socket
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, TextIO

from msgspec import Struct

from taxiway.endpoints.gateway.application import Gateway, Receive
from taxiway.endpoints.gateway.sending import Send
from taxiway.endpoints.inferences.writing import close_left_open

READY_WITHIN_S = 30.0  # of a successor's workers; after that it takes over all the same, as after a start
SUCCESSOR_WITHIN_S = 45.0
LEAVE_WITHIN_S = 5.0  # for callers to be asked to come again; who asks nothing for so long is not waited for
LOOK_S = 0.05
OPTION = "--inherit"
log = logging.getLogger("taxiway.gateway")


class Inherited(Struct, frozen=True):
    """Descriptors from the gateway before: its listening socket, the home's lock, where to say that one is ready."""

    listener: int
    lock: int
    ready: int

    @classmethod
    def parse(cls, text: str) -> Inherited:
        return cls(*map(int, text.split(",")))

    def __str__(self) -> str:
        return f"{self.listener},{self.lock},{self.ready}"


class Front:
    """The gateway's application as the socket sees it, also while one gateway follows another."""

    def __init__(self, gateway: Gateway, inherited: Inherited | None = None) -> None:
        self.gateway, self.inherited = gateway, inherited
        self.is_leaving = False
        gateway.is_in_charge = inherited is None

    async def __call__(self, scope: Any, receive: Receive, send: Send) -> None:
        if self.is_leaving and scope["type"] == "http":
            send = asking_to_leave(send)
        elif self.inherited is not None and scope["type"] == "lifespan":
            send = self.once_ready(send)
        await self.gateway(scope, receive, send)

    def once_ready(self, send: Send) -> Send:
        """Says that the start is over when the workers answer, too."""

        async def wait_and_send(message: MutableMapping[str, Any]) -> None:
            if message["type"] == "lifespan.startup.complete":
                last = time.monotonic() + READY_WITHIN_S
                while not self.gateway.fleet.is_ready() and time.monotonic() < last:  # noqa: ASYNC110  ends in time
                    await asyncio.sleep(LOOK_S)
            await send(message)

        return wait_and_send

    def take_over(self) -> None:
        """Tells the gateway before that connections are answered here from now on."""
        self.gateway.is_in_charge = True
        if self.inherited is not None:
            os.write(self.inherited.ready, b"1")
            # It closes when that one has ended; whatever way it ended, its log is complete then.
            asyncio.get_running_loop().add_reader(self.inherited.ready, self.bury, self.inherited.ready)

    def bury(self, descriptor: int) -> None:
        asyncio.get_running_loop().remove_reader(descriptor)
        os.close(descriptor)
        close_left_open(self.gateway.home)


def asking_to_leave(send: Send) -> Send:
    """Has an answer end its connection: the caller's next request comes on a new one, to the successor."""

    async def send_last(message: MutableMapping[str, Any]) -> None:
        if message["type"] == "http.response.start":
            message["headers"] = [*message["headers"], (b"connection", b"close")]
        await send(message)

    return send_last


async def find_successor(listener: socket.socket, lock: TextIO) -> bool:
    """Starts the next gateway and waits until it takes connections; False where it does not come."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.settimeout(0)
        given = Inherited(listener.fileno(), lock.fileno(), theirs.fileno())
        started = subprocess.Popen(  # noqa: ASYNC220 - a moment, once in a gateway's life
            [*own_command(), OPTION, str(given)],
            stdin=subprocess.DEVNULL,
            pass_fds=[given.listener, given.lock, given.ready],
            start_new_session=True,
        )
        theirs.close()
        try:
            said = await asyncio.wait_for(asyncio.get_running_loop().sock_recv(ours, 1), SUCCESSOR_WITHIN_S)
        except (TimeoutError, OSError):
            said = b""
        if said:
            ours.detach()  # stays open until this process ends, which is what tells the successor
            return True
        with contextlib.suppress(OSError):
            started.kill()
        started.wait()
        log.error("The next gateway did not become ready; this one goes on.")
        return False


def own_command() -> list[str]:
    """How this process was started, less what it inherited then."""
    words = [sys.executable, *sys.orig_argv[1:]]
    if OPTION in words:
        at = words.index(OPTION)
        del words[at : at + 2]
    return words


async def see_off(connections: Callable[[], int], sleep: Callable[[float], Awaitable[None]] = asyncio.sleep) -> None:
    """Waits until no caller is connected any more, within bounds."""
    last = time.monotonic() + LEAVE_WITHIN_S
    while connections() and time.monotonic() < last:
        await sleep(LOOK_S)


def lock_of(inherited: Inherited) -> TextIO:
    """The home's lock, held already."""
    return os.fdopen(inherited.lock, "w")
