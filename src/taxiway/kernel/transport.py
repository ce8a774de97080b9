"""The SDK's side of an endpoint: JSON over HTTP, to a server's address or to the socket of an embedded home."""

from __future__ import annotations

import http.client
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, TypeVar
from urllib.parse import urlsplit

import msgspec
from msgspec import Struct

from taxiway.kernel.endpoint import Endpoint
from taxiway.kernel.errors import ServerAway, TaxiwayError, Unexpected, revive
from taxiway.kernel.ids import new_id

B = TypeVar("B")
A = TypeVar("A")

TRIES = 3
TIMEOUT_S = 120.0
JSON = {"Content-Type": "application/json"}


class Address(Struct, frozen=True):
    """Where a server listens: a URL, or a Unix socket."""

    url: str
    socket: Path | None = None


class Fault(Struct):
    """A refusal on the wire (RFC 9457, problem+json), as far as the client reads it."""

    error: str
    facts: dict[str, Any]
    detail: str = ""
    request_id: str = ""


class SocketConnection(http.client.HTTPConnection):
    """HTTP over a Unix socket."""

    def __init__(self, path: Path, timeout: float) -> None:
        super().__init__("localhost", timeout=timeout)
        self.path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(str(self.path))


class Transport:
    """Calls endpoints. Safe for use from several threads; each keeps a connection of its own.

    find: gives the address; asked again when nobody answers there, so that an embedded home whose owner went
    away is taken over. learn: called when a refusal comes whose class is not known yet; it imports them.
    Changes carry an idempotency key, so that a retry is applied once.
    """

    def __init__(
        self,
        find: Callable[[], Address],
        token: str | None = None,
        door: str = "sdk",
        learn: Callable[[], None] = lambda: None,
        *,
        timeout_s: float = TIMEOUT_S,
        tries: int = TRIES,
    ) -> None:
        self.find = find
        self.learn = learn
        self.token = token
        self.door = door
        self.timeout_s = timeout_s
        self.tries = tries
        self.local = threading.local()

    def hasty(self, *, timeout_s: float) -> Transport:
        """The same, for who tries again by itself: no pause between tries, and not so long a wait."""
        return Transport(self.find, self.token, self.door, self.learn, timeout_s=timeout_s, tries=2)

    def call(self, endpoint: Endpoint[B, A], body: B | None = None, /, *, idempotency_key: str = "", **path: Any) -> A:
        """Sends `body` and gives the answer. Raises what the service raised, or ServerAway.

        idempotency_key: of a request that may be made again later, even by another process.
        """
        sends_json = endpoint.method not in ("GET", "DELETE")
        data = msgspec.json.encode(body) if sends_json and body is not None else None
        key = {"Idempotency-Key": idempotency_key} if idempotency_key else {}
        with self._answer(endpoint.method, endpoint.url(path, body), data, {**JSON, **key}) as reply:
            return msgspec.json.decode(reply.read(), type=endpoint.answer)

    def post(self, path: str, data: bytes, *, idempotency_key: str) -> bytes:
        """Sends JSON that was written before, even by another process, and gives the answer as it came."""
        with self._answer("POST", path, data, {**JSON, "Idempotency-Key": idempotency_key}) as reply:
            return reply.read()

    def upload(self, endpoint: Endpoint[Any, A], source: bytes | IO[bytes], size_bytes: int, /, **path: Any) -> A:
        """Sends raw bytes. A file is rewound before each try."""
        kind = {"Content-Type": "application/octet-stream", "Content-Length": str(size_bytes)}
        with self._answer(endpoint.method, endpoint.url(path), source, kind) as reply:
            return msgspec.json.decode(reply.read(), type=endpoint.answer)

    def download(self, endpoint: Endpoint[B, Any], target: IO[bytes], body: B | None = None, /, **path: Any) -> int:
        """Writes a raw answer to `target` and gives its size in bytes."""
        size = 0
        with self._answer(endpoint.method, endpoint.url(path, body), None, JSON) as reply:
            while chunk := reply.read(1 << 20):
                size += target.write(chunk)
        return size

    def stream(self, endpoint: Endpoint[B, Any], body: B, /, *, accept: str, **path: Any) -> Iterator[bytes]:
        """The lines of an answer as they come. Who stops reading hangs up. Raises as `call`, and ServerAway."""
        headers = {"Accept": accept, "Taxiway-Door": self.door, **JSON}
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        reply = self._send(endpoint.method, endpoint.url(path, body), msgspec.json.encode(body), headers)
        if reply.status >= 400:
            raise self._refusal(reply.status, reply.read())
        try:
            yield from reply
        except (OSError, http.client.HTTPException) as e:
            raise ServerAway(url=self._address().url, cause=str(e) or type(e).__name__) from e
        finally:
            if not reply.isclosed():
                self.close()

    def revived(self, fault: Fault) -> TaxiwayError:
        """An error that came within an answer, of the class that it was raised as."""
        return self._refusal(500, msgspec.json.encode(fault))

    def greet(self, connected: Callable[[float], None]) -> None:
        """Asks whether a server answers. connected: told how long it took to connect, before anything is asked.

        Raises OSError, HTTPException, and what `find` raises.
        """
        address = self.find()
        connection = self._connection(address)
        before = time.monotonic()
        try:
            connection.connect()
            connected(time.monotonic() - before)
            connection.request("GET", base_path(address) + "/health")
            connection.getresponse().read()
        except (OSError, http.client.HTTPException):
            self.close()
            raise

    @contextmanager
    def _answer(
        self, method: str, url: str, data: bytes | IO[bytes] | None, further: dict[str, str]
    ) -> Iterator[http.client.HTTPResponse]:
        headers = {"Accept": "application/json", "Taxiway-Door": self.door, **further}
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        if method != "GET":
            headers.setdefault("Idempotency-Key", new_id())
        reply = self._send(method, url, data, headers)
        try:
            if reply.status >= 400:
                raise self._refusal(reply.status, reply.read())
            yield reply
        finally:
            reply.read()  # what is left, so that the connection can be used again

    def _send(
        self, method: str, url: str, data: bytes | IO[bytes] | None, headers: dict[str, str]
    ) -> http.client.HTTPResponse:
        cause = ""
        for attempt in range(self.tries):
            address = self._address()
            try:
                connection = self._connection(address)
                if data is not None and not isinstance(data, bytes):
                    data.seek(0)
                connection.request(method, base_path(address) + url, body=data, headers=headers)
                return connection.getresponse()
            except (OSError, http.client.HTTPException) as e:
                cause = str(e) or type(e).__name__
                self.close()
                if attempt and attempt + 1 < self.tries:  # at first, a kept connection may just have gone stale
                    time.sleep(0.05 * 4**attempt)
        raise ServerAway(url=self._address().url, cause=cause)

    def _address(self) -> Address:
        """The address of this thread's open connection, or the one to open now."""
        kept = getattr(self.local, "kept", None)
        return kept[0] if kept else self.find()

    def _connection(self, address: Address) -> http.client.HTTPConnection:
        kept: tuple[Address, http.client.HTTPConnection] | None = getattr(self.local, "kept", None)
        if kept and kept[0] == address:
            return kept[1]
        self.close()
        connection = open_connection(address, self.timeout_s)
        self.local.kept = (address, connection)
        return connection

    def _refusal(self, status: int, data: bytes) -> TaxiwayError:
        """The error that an answer carries, of the class that the service raised."""
        try:
            fault = msgspec.json.decode(data, type=Fault)
        except msgspec.MsgspecError:
            text = data[:200].decode("utf-8", "replace")
            detail = f"The server answered {status} with something that is no Taxiway answer: {text!r}."
            return Unexpected(detail=detail)
        if fault.error not in TaxiwayError.known:
            self.learn()
        if fault.error not in TaxiwayError.known:
            return Unexpected(detail=fault.detail, request_id=fault.request_id)
        return revive(fault.error, fault.facts)

    def close(self) -> None:
        """Closes this thread's connection."""
        kept = getattr(self.local, "kept", None)
        if kept:
            kept[1].close()
        self.local.kept = None


def open_connection(address: Address, timeout_s: float = TIMEOUT_S) -> http.client.HTTPConnection:
    """A connection to the address; it connects at the first request."""
    if address.socket is not None:
        return SocketConnection(address.socket, timeout_s)
    parts = urlsplit(address.url)
    if parts.scheme == "https":
        context = ssl.create_default_context()
        return http.client.HTTPSConnection(parts.netloc, timeout=timeout_s, context=context)
    return http.client.HTTPConnection(parts.netloc, timeout=timeout_s)


def is_answering(address: Address, timeout_s: float = 2.0) -> bool:
    """Whether somebody accepts connections there."""
    if address.socket is None:
        return True
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
            probe.settimeout(timeout_s)
            probe.connect(str(address.socket))
            return True
    except OSError:
        return False


def base_path(address: Address) -> str:
    """The path that a proxy puts before every route, without the slash at its end."""
    return "" if address.socket else urlsplit(address.url).path.rstrip("/")
