"""Serving a home: `taxiway server` in a process of its own, or inside a process that works on the home."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import hashlib
import http.client
import json
import os
import signal
import socket
import tempfile
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import anyio.to_thread
import uvicorn
import uvloop
from msgspec import Struct
from starlette.types import ASGIApp

from taxiway.access.provider.port import Configured
from taxiway.adapters.identity import Asked, configure
from taxiway.endpoints.steering.publishing import Front
from taxiway.endpoints.steering.rounds import Rounds
from taxiway.gates.reviews.watching import Reminders
from taxiway.hooks.delivering import Couriers
from taxiway.house import House, build
from taxiway.kernel.errors import BadField, TaxiwayError
from taxiway.kernel.settings import read_settings
from taxiway.monitors.watching import Watch
from taxiway.notices.mailing import MailServer
from taxiway.notices.posting import Postman
from taxiway.storage.home import HomeTaken
from taxiway.web import health
from taxiway.web.descriptors import LoopFailures, raise_file_limit
from taxiway.web.edge import Edge
from taxiway.web.heap import keep_memory
from taxiway.web.protocol import GuardedProtocol
from taxiway.witnesses.places import read_places
from taxiway.witnesses.service import Keeping

LOOPBACK = ("127.0.0.1", "::1", "localhost")
LONGEST_SOCKET_PATH = 100  # the kernel's limit is 108 bytes
GRACE_S = 5
DATE_EVERY_S = 1.0
HANDLER_THREADS = 64
BACKLOG = 256  # the loop accepts as many at once, before any of them can be refused
GATEWAY_WAIT_S = 20.0
MOST_HEALTH_BYTES = 4096
LOGIN = "login"  # a file in the home: it was served with login, so it asks for it until --no-login is said


class PortTaken(TaxiwayError):
    """The server's port is in use."""

    status = 409
    host: str
    port: int
    cause: str
    used_by: str = ""
    is_ours: bool = True  # the address is one of this machine

    def __str__(self) -> str:
        by = f"; {self.used_by} answers there" if self.used_by else ""
        if not self.is_ours:
            return f"{self.host} cannot be listened on: {self.cause}. Give an address of this machine with --host."
        return (
            f"Port {self.port} on {self.host} cannot be used: {self.cause}{by}. "
            f"Give another with --port, or stop what uses it."
        )


class LoginNeeded(TaxiwayError):
    """A bind that others can reach, without login."""

    status = 400
    host: str

    def __str__(self) -> str:
        return f"{self.host} can be reached from other machines, so the server needs login: leave out --no-login."


class Options(Struct, frozen=True):
    """How `taxiway server` was asked to serve.

    login: None means where the bind is not loopback, and where the home was served with login before.
    """

    home: Path
    host: str = "127.0.0.1"
    port: int = 5500
    login: bool | None = None
    database_url: str | None = None
    blobs_url: str | None = None
    allow_hosts: tuple[str, ...] = ()
    hook_hosts: tuple[str, ...] = ()
    witnesses: tuple[str, ...] = ()
    otlp: str = ""
    mail: MailServer | None = None
    public_url: str = ""
    provider: Asked | None = None

    @property
    def is_login_on(self) -> bool:
        is_loopback = self.host in LOOPBACK
        if self.provider is not None:
            if self.login is False:
                raise BadField(field="--no-login", value="an OpenID provider is configured", expected="one of the two")
            return True
        if self.login is False and not is_loopback:
            raise LoginNeeded(host=self.host)
        return self.login if self.login is not None else not is_loopback or (self.home / LOGIN).exists()


class QuietServer(uvicorn.Server):
    """uvicorn without its own signal handling and waits: several of them run in one loop and end at once."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.ending = asyncio.Event()
        self.loop: asyncio.AbstractEventLoop | None = None

    def end(self) -> None:
        """Has the server answer what is under way and then return; from any thread."""
        self.should_exit = True
        if self.loop is not None:
            with contextlib.suppress(RuntimeError):  # it has returned, and its loop is closed
                self.loop.call_soon_threadsafe(self.ending.set)

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Starts to listen, on a loop with room for handlers that wait and with few words about what fails often."""
        anyio.to_thread.current_default_thread_limiter().total_tokens = HANDLER_THREADS
        self.loop = asyncio.get_running_loop()
        self.loop.set_exception_handler(LoopFailures())
        await super().startup(sockets)

    async def main_loop(self) -> None:
        """Keeps the date of answers right until `end` is called; uvicorn's own looks ten times a second."""
        while not await self.on_tick(0):
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self.ending.wait(), DATE_EVERY_S)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Ends at once where all connections are idle; uvicorn's own waits a while in any case."""
        for listening in self.servers:
            listening.close()
        for connection in list(self.server_state.connections):
            connection.shutdown()
        await asyncio.sleep(0)  # where an idle one is told that it is lost
        if self.server_state.connections or self.server_state.tasks:
            await super().shutdown(sockets)


class Ready(Struct, frozen=True):
    """A server that answers. gateway: where predictions are answered without it; empty, with why, if nowhere."""

    url: str
    gateway: str
    problem: str = ""
    login: bool = False
    provider: str = ""


def serve(options: Options, ready: Callable[[Ready], None]) -> None:
    """Serves until SIGTERM or SIGINT, and then ends its gateway; calls `ready` once requests are answered.

    A gateway that an earlier server left running is taken over.
    Raises PortTaken, HomeTaken, HomeUnusable, LoginNeeded, NewerDatabase.
    """
    login = options.is_login_on
    raise_file_limit()
    keep_memory()
    places = read_places(options.witnesses)
    listener = listen(options.host, options.port)
    port = listener.getsockname()[1]
    url = f"http://{options.host if ':' not in options.host else f'[{options.host}]'}:{port}"
    provider = provider_of(options, url)
    house = House(
        options.home,
        database_url=options.database_url,
        blobs_url=options.blobs_url,
        login=login,
        hook_hosts=options.hook_hosts,
    )
    try:
        if provider is not None:
            house.sign_in_with(provider)
        if login:
            (house.home / LOGIN).touch(mode=0o600)
        house.witnesses.call(places)
        app = build(house)
        public = (urlsplit(options.public_url).hostname or options.host).lower()
        hosts = frozenset((*LOOPBACK, options.host.lower(), public, *(h.lower() for h in options.allow_hosts)))
        rounds, watch = rounds_of(house, options, listener), Watch(house.monitors, is_on_duty=house.is_on_duty)
        couriers, keeping = Couriers(house.hooks), Keeping(house.witnesses)
        reminders = Reminders(house.gates.reviews, also=house.gates.waivers.tell_ended)
        home = options.public_url or url
        postman = Postman(house.notices, options.mail, home=home, is_on_duty=house.is_on_duty)
        for thread in (rounds, watch, couriers, keeping, reminders, postman):
            thread.start()
        try:
            with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
                serving = run(house, app, url=url, listener=listener, hosts=hosts, ready=tell_of(rounds, house, ready))
                runner.run(serving)
        finally:
            postman.stop()
            reminders.stop()
            couriers.stop()
            keeping.stop()
            watch.stop()
            rounds.stop()
    finally:
        house.close()


def rounds_of(house: House, options: Options, listener: socket.socket) -> Rounds:
    """What looks after the gateway, which listens next to the server: one port further, or on any free one."""
    host, port = listener.getsockname()[:2]
    names = () if options.host in LOOPBACK else (options.host.lower(),)
    front = Front(house.login, (*names, *(name.lower() for name in options.allow_hosts)), options.otlp)
    return Rounds(house.endpoints, host=host, port=port + 1, front=front, is_on_duty=house.is_on_duty)


def provider_of(options: Options, url: str) -> Configured | None:
    """The identity provider that was asked for. url: where the server listens. Raises BadField, FileUnusable,
    YamlBroken, OidcMissing."""
    if options.provider is None:
        return None
    if not options.public_url and options.host not in LOOPBACK:
        expected = "the address that people open, where the provider sends them back to"
        raise BadField(field="--public-url (TAXIWAY_PUBLIC_URL)", value="''", expected=expected)
    return configure(options.provider, options.public_url or url)


def tell_of(rounds: Rounds, house: House, ready: Callable[[Ready], None]) -> Callable[[str], None]:
    """Says that the server is ready once its gateway is, too, or cannot be."""

    def tell(url: str) -> None:
        gateway = rounds.meet(GATEWAY_WAIT_S)
        provider = house.provider.mapping.provider if house.provider else ""
        ready(Ready(url, gateway.url if gateway else "", rounds.problem, house.login, provider))

    return tell


async def run(
    house: House,
    app: ASGIApp,
    *,
    url: str,
    listener: socket.socket,
    hosts: frozenset[str],
    ready: Callable[[str], None],
) -> None:
    """Both listeners of a server, the port and the home's socket, until a signal ends them."""
    outside = quiet(Edge(app, hosts=hosts, is_socket=False))
    inside = quiet(Edge(app, hosts=hosts, is_socket=True))
    with open_socket(house.home, url) as unix:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, stop, outside, inside)
        serving = asyncio.gather(outside.serve([listener]), inside.serve([unix]))
        while not serving.done() and not (outside.started and inside.started):  # noqa: ASYNC110 - only a flag tells
            await asyncio.sleep(0.01)
        if not serving.done():
            await loop.run_in_executor(None, ready, url)
        await serving


def stop(*servers: QuietServer) -> None:
    for server in servers:
        server.end()


def quiet(app: ASGIApp) -> QuietServer:
    config = uvicorn.Config(
        app,
        log_level="warning",
        access_log=False,
        server_header=False,
        proxy_headers=False,
        lifespan="off",
        timeout_graceful_shutdown=GRACE_S,
        http=GuardedProtocol,
        backlog=BACKLOG,
    )
    return QuietServer(config)


def listen(host: str, port: int) -> socket.socket:
    """A listening socket. Raises PortTaken."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    # Connections inherit it. Without, an answer's second packet waits 40 ms for the caller's acknowledgement.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    try:
        listener.bind((host, port))
        listener.listen(BACKLOG)
    except OSError as e:
        listener.close()
        cause = e.strerror or str(e)
        if isinstance(e, socket.gaierror) or e.errno == errno.EADDRNOTAVAIL:
            raise PortTaken(host=host, port=port, cause=cause, is_ours=False) from e
        raise PortTaken(host=host, port=port, cause=cause, used_by=who_listens(host, port)) from e
    return listener


def who_listens(host: str, port: int) -> str:
    """Which of our own answers at a port; empty where it is somebody else's."""
    asking = http.client.HTTPConnection(host, port, timeout=1.0)
    try:
        asking.request("GET", "/health")
        reply = asking.getresponse()
        if reply.headers.get(health.HEADER) == "ready":
            return "a Taxiway server"
        said = json.loads(reply.read(MOST_HEALTH_BYTES))
        return f"a Taxiway gateway (process {int(said['pid'])})" if "serial" in said else ""
    except (OSError, http.client.HTTPException, ValueError, KeyError, TypeError):
        return ""
    finally:
        asking.close()


@contextlib.contextmanager
def open_socket(home: Path, url: str) -> Iterator[socket.socket]:
    """The home's own listening socket; while it is open, ``HOME/server.json`` says where it is."""
    path = socket_path(home)
    path.unlink(missing_ok=True)
    unix = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    unix.bind(str(path))
    path.chmod(0o600)
    unix.listen(BACKLOG)
    said = home / "server.json"
    beside = home / f"server.json.{os.getpid()}"
    beside.write_text(json.dumps({"pid": os.getpid(), "socket": str(path), "url": url}))
    beside.rename(said)
    try:
        yield unix
    finally:
        unix.close()
        said.unlink(missing_ok=True)
        path.unlink(missing_ok=True)


def socket_path(home: Path) -> Path:
    """In the home, or where its path is too long for the kernel, in a folder of ours among the temporary ones."""
    path = home / "taxiway.sock"
    if len(str(path).encode()) <= LONGEST_SOCKET_PATH:
        return path
    folder = Path(tempfile.gettempdir()) / f"taxiway-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    if folder.stat().st_uid != os.getuid() or folder.stat().st_mode & 0o077:
        raise PermissionError(f"{folder} is not ours alone: remove it, or use a home with a shorter path")
    return folder / f"{hashlib.sha256(str(home).encode()).hexdigest()[:16]}.sock"


class EmbeddedServer:
    """A home served by a thread of this process, for this process and whoever else works on the home."""

    def __init__(self, house: House) -> None:
        self.house = house
        self.server = quiet(Edge(build(house), hosts=frozenset(LOOPBACK), is_socket=True))
        self.thread = threading.Thread(target=self._serve, name="taxiway-server", daemon=True)
        self.is_closed = False
        self.thread.start()
        while self.thread.is_alive() and not self.server.started:
            self.thread.join(0.005)

    def _serve(self) -> None:
        with open_socket(self.house.home, "home") as unix:
            asyncio.run(self.server.serve([unix]))

    def close(self) -> None:
        """Answers what is under way, then lets the home go."""
        if self.is_closed:
            return
        self.is_closed = True
        self.server.end()
        self.thread.join(GRACE_S + 5)
        self.house.close()


def embed(home: Path) -> EmbeddedServer | None:
    """Serves a home inside this process; None where another process has it open."""
    try:
        settings = read_settings()
        return EmbeddedServer(House(home, blobs_url=settings.blobs, hook_hosts=settings.hook_hosts))
    except HomeTaken:
        return None
