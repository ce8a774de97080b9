"""The gateway as a process, one per home: its socket, its address file, its end on SIGTERM.

``python -m taxiway.endpoints.gateway.process --home DIR --port P``
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import fcntl
import gc
import ipaddress
import logging
import os
import signal
import socket
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

import uvicorn

from taxiway.endpoints.gateway.address import FILE, Address, write_address
from taxiway.endpoints.gateway.application import Gateway
from taxiway.endpoints.gateway.connections import BoundedConnection, make_room
from taxiway.endpoints.gateway.handing_over import OPTION, Front, Inherited, find_successor, lock_of, see_off
from taxiway.endpoints.gateway.status import start_ticks
from taxiway.endpoints.gateway.streaming import end_streams
from taxiway.endpoints.worker.held import Command, Limits, worker_command
from taxiway.kernel.clock import now

GRACE_S = 5
STREAMS_GRACE_S = 2.5  # for streams to end by themselves; then they are told that they are cut
TICKS_PER_LOOK = 20  # of uvicorn's ticks, ten a second


class Server(uvicorn.Server):
    """uvicorn that leaves signals to us, so that SIGTERM ends in a clean exit, and says when it listens."""

    def __init__(self, config: uvicorn.Config, front: Front, listener: socket.socket, lock: TextIO) -> None:
        super().__init__(config)
        self.front, self.home, self.listener, self.lock = front, front.gateway.home, listener, lock
        self.handing_over: asyncio.Task[None] | None = None

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self.leave)
        loop.add_signal_handler(signal.SIGUSR2, self.hand_over)
        yield

    def leave(self) -> None:
        self.should_exit = True
        asyncio.get_running_loop().call_later(STREAMS_GRACE_S, end_streams, self.front.gateway)

    def hand_over(self) -> None:
        """Lets another gateway follow, unless one is on its way already."""
        if self.handing_over is None or self.handing_over.done():
            self.handing_over = asyncio.get_running_loop().create_task(self.make_way())

    async def make_way(self) -> None:
        if not await find_successor(self.listener, self.lock):
            return
        self.front.is_leaving, self.front.gateway.is_in_charge = True, False
        for server in self.servers:
            server.close()
        await see_off(lambda: len(self.server_state.connections))
        self.leave()

    async def on_tick(self, counter: int) -> bool:
        """Also ends a gateway whose home was deleted: the next one could not know of it."""
        is_over = counter % TICKS_PER_LOOK == 0 and not holds(self.lock, self.home)
        return await super().on_tick(counter) or is_over

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        pid = os.getpid()
        host, port = self.listener.getsockname()[:2]
        write_address(self.home, Address(pid, start_ticks(pid) or 0, host, port, now()))
        self.front.take_over()
        # What was imported so far stays for good: the collector need not walk it again.
        gc.collect()
        gc.freeze()


def main(arguments: list[str] | None = None, command: Command = worker_command) -> None:
    """Runs the gateway of a home until SIGTERM. Exits with 1 when another one runs or the port is taken."""
    parser = argparse.ArgumentParser(prog="python -m taxiway.endpoints.gateway.process", description=main.__doc__)
    parser.add_argument("--home", type=Path, required=True)
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one; see HOME/gateway/address.json")
    parser.add_argument("--host", default="127.0.0.1", help="any address but loopback makes every call need a token")
    parser.add_argument("--deadline-s", type=float, default=30.0, help="how long a request may take")
    parser.add_argument(OPTION, type=Inherited.parse, help="descriptors from the gateway before, which made this one")
    chosen = parser.parse_args(arguments)
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(message)s")
    home: Path = chosen.home.resolve()
    os.chdir("/")  # wherever it was started, that folder may go
    (home / "gateway").mkdir(parents=True, exist_ok=True)
    inherited: Inherited | None = chosen.inherit
    with only_one(home) if inherited is None else lock_of(inherited) as lock:
        listener = listen(chosen.host, chosen.port) if inherited is None else socket.socket(fileno=inherited.listener)
        is_public = not ipaddress.ip_address(chosen.host).is_loopback
        limits = Limits(deadline_s=chosen.deadline_s)
        gateway = Gateway(home, os.getpid(), is_public=is_public, limits=limits, command=command)
        run(gateway, listener, lock, inherited)


def run(gateway: Gateway, listener: socket.socket, lock: TextIO, inherited: Inherited | None = None) -> None:
    """Answers at the socket until SIGTERM."""
    front = Front(gateway, inherited)
    BoundedConnection.most = make_room()
    config = uvicorn.Config(
        front,
        http=BoundedConnection,
        ws="none",
        loop="uvloop",
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=75,
        timeout_graceful_shutdown=GRACE_S,
        backlog=512,
    )
    Server(config, front, listener, lock).run(sockets=[listener])
    if holds(lock, gateway.home) and not front.is_leaving:
        (gateway.home / "gateway" / FILE).unlink(missing_ok=True)


def listen(host: str, port: int) -> socket.socket:
    """A bound socket; it may take over the port of a gateway that just died."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    try:
        listener.bind((host, port))
    except OSError as e:
        listener.close()
        sys.exit(f"The gateway cannot listen on {host}:{port}: {e.strerror}. Choose another port with --port.")
    return listener


@contextlib.contextmanager
def only_one(home: Path) -> Iterator[TextIO]:
    """Holds the home's gateway lock; the kernel lets go of it whatever way the process ends."""
    with (home / "gateway" / "lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            sys.exit(f"Another gateway runs for {home}; its address is in {home / 'gateway' / FILE}.")
        yield file


def holds(lock: TextIO, home: Path) -> bool:
    """Whether the lock is still the home's own, which is another one once the home was deleted."""
    try:
        return os.path.samestat(os.fstat(lock.fileno()), (home / "gateway" / "lock").stat())
    except OSError:
        return False


if __name__ == "__main__":
    main()
