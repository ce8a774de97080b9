"""The real thing for tests: a server on a real port over a real database, and clients that speak to it."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from taxiway.access.provider.port import Configured
from taxiway.client import Client, connect
from taxiway.house import House, build
from taxiway.kernel.clock import Clock, now
from taxiway.server import LOOPBACK, listen, open_socket, quiet, stop
from taxiway.web.edge import Edge
from tests.support.pair import Pair, chosen_pair
from tests.support.tables import furnish


class Live:
    """A running platform. `client` acts as the home's owner; `as_person` gives a client of somebody else."""

    def __init__(self, house: House, url: str) -> None:
        self.house = house
        self.url = url
        self.client = connect(home=house.home)
        self.people: dict[str, Client] = {}
        self.tokens: dict[str, str] = {}

    def as_person(self, name: str, *roles: str, project: str = "", is_admin: bool = False) -> Client:
        """A client signed in as `name`, who is added and given the roles in the project at first use."""
        if name not in self.people:
            if name not in self.tokens:
                self.client.access.add_user(name, is_admin=is_admin)
                self.tokens[name] = self.client.access.make_token(name).token
            self.people[name] = connect(self.url, token=self.tokens[name])
        for role in roles:
            self.client.access.grant(name, role, project=project)  # type: ignore[arg-type]
        return self.people[name]

    def sign_in_link(self, name: str) -> str:
        """A fresh link that signs `name` in on the pages."""
        return self.url + self.client.access.make_link(name).path

    def last_verb(self) -> str:
        """What the newest entry of the audit log says was done."""
        return self.client.audit.entries(limit=1).items[0].verb


@contextmanager
def running(
    home: Path,
    *,
    database_url: str | None = None,
    blobs_url: str | None = None,
    login: bool = True,
    clock: Clock = now,
    port: int = 0,
    hook_hosts: Sequence[str] = (),
    provider: Configured | None = None,
) -> Iterator[Live]:
    """A server of `home` on loopback, on a free port unless one is given, until the block ends."""
    with chosen_pair(home, Pair(database_url, blobs_url)) as (rows, files):
        if rows is None:
            furnish(home)
        house = House(home, database_url=rows, blobs_url=files, login=login, clock=clock, hook_hosts=hook_hosts)
        if provider is not None:
            house.sign_in_with(provider)
        with served(house, port) as live:
            yield live


@contextmanager
def served(house: House, port: int) -> Iterator[Live]:
    listener: socket.socket = listen("127.0.0.1", port)
    url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    app = build(house)
    hosts = frozenset(LOOPBACK)
    outside = quiet(Edge(app, hosts=hosts, is_socket=False))
    inside = quiet(Edge(app, hosts=hosts, is_socket=True))

    async def both(unix: socket.socket) -> None:
        await asyncio.gather(outside.serve([listener]), inside.serve([unix]))

    def serve() -> None:
        with open_socket(house.home, url) as unix:
            asyncio.run(both(unix))

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    while thread.is_alive() and not (outside.started and inside.started):
        thread.join(0.005)
    live = Live(house, url)
    try:
        yield live
    finally:
        live.client.close()
        for client in live.people.values():
            client.close()
        stop(outside, inside)
        thread.join(10)
        house.close()
