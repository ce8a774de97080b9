"""The outermost ring: hosts, origins, sizes and headers, before anything is read."""

from __future__ import annotations

import logging
import re
import secrets
import time
import unicodedata
from collections.abc import Sequence
from typing import Protocol
from urllib.parse import urlsplit

import msgspec
from starlette.applications import Starlette
from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from taxiway.kernel.errors import BadField, TaxiwayError, Unexpected
from taxiway.kernel.ids import new_id
from taxiway.web.metrics import Counted

log = logging.getLogger("taxiway.web")

MOST_HEAD_BYTES = 64 << 10
LONGEST_STEP = 512
CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\\]")
SAFE = ("GET", "HEAD", "OPTIONS")
HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Content-Security-Policy": (
        "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; "
        "form-action 'self'; frame-ancestors 'none'"
    ),
}

WORN = [(name.lower().encode(), value.encode()) for name, value in HEADERS.items()]


class WrongHost(TaxiwayError):
    """A request whose Host header is not one this server goes by: how DNS rebinding shows."""

    status = 421
    host: str

    def __str__(self) -> str:
        return (
            f"This server does not go by the name {self.host!r}. Start it with `--allow-host {self.host}` if it should."
        )


class WrongOrigin(TaxiwayError):
    """A change asked for by a page of another site."""

    status = 403
    origin: str

    def __str__(self) -> str:
        return f"A page of {self.origin} may not change anything here. Use this server's own pages, or a token."


class HeadTooLarge(TaxiwayError):
    """A request whose address and headers are longer than anybody needs."""

    status = 431
    limit: int
    found: int

    def __str__(self) -> str:
        return f"The address and headers are {self.found:,} bytes, the limit is {self.limit:,}. Send fewer or shorter."


class Speaker(Protocol):
    """A dialect of another system: where it is spoken, its own form of a refusal is the answer."""

    def speaks_at(self, path: str) -> bool: ...

    def refuse(self, refusal: TaxiwayError) -> Response: ...


class Edge:
    """Wraps the application, whose state names the dialects that it speaks.

    is_socket: it listens on the home's own Unix socket, so whoever reaches it may read the home anyway.
    """

    def __init__(self, app: ASGIApp, *, hosts: frozenset[str], is_socket: bool) -> None:
        self.app = app
        self.hosts = hosts
        self.is_socket = is_socket
        self.form_key = secrets.token_bytes(32)
        self.counted: Counted | None = getattr(app.state, "counted", None) if isinstance(app, Starlette) else None
        self.dialects: Sequence[Speaker] = getattr(app.state, "dialects", ()) if isinstance(app, Starlette) else ()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        scope["taxiway.request_id"] = new_id()
        scope["taxiway.is_socket"] = self.is_socket
        scope["taxiway.form_key"] = self.form_key
        started, has_started, status = time.perf_counter(), False, 0

        async def send_safely(message: Message) -> None:
            nonlocal has_started, status
            if message["type"] == "http.response.start":
                has_started, status = True, message["status"]
                dress(message, scope["taxiway.request_id"])
            await send(message)

        try:
            self.check(scope)
            await self.app(scope, receive, send_safely)
        except TaxiwayError as refusal:
            dialect = speaker(self.dialects, scope["path"])
            answer = dialect.refuse(refusal) if dialect else problem(refusal, scope["taxiway.request_id"])
            await answer(scope, receive, send_safely)
        except Exception:  # the HTTP edge: the cause goes to the log, the caller gets its number
            log.exception("request %s failed", scope["taxiway.request_id"])
            if not has_started:
                fault = Unexpected(detail="Something failed here.", request_id=scope["taxiway.request_id"])
                await problem(fault, scope["taxiway.request_id"])(scope, receive, send_safely)
        finally:
            took_ms = (time.perf_counter() - started) * 1000
            if self.counted is not None:
                self.counted.add(scope["method"], status, took_ms)
            log.debug("%s %s %.1f ms", scope["method"], scope["path"], took_ms)

    def check(self, scope: Scope) -> None:
        """Refuses what no client of ours sends: odd addresses, strange hosts, changes asked for by other sites."""
        check_head(scope)
        headers = Headers(scope=scope)
        host = headers.get("host", "")
        if not self.is_socket and host_name(host) not in self.hosts:
            raise WrongHost(host=host[:100])
        origin = headers.get("origin")
        if scope["method"] not in SAFE and origin is not None and (origin_host(origin) or None) != host:
            raise WrongOrigin(origin=origin[:100])
        if scope["method"] not in SAFE and headers.get("sec-fetch-site") == "cross-site":
            raise WrongOrigin(origin="another site")


def speaker(dialects: Sequence[Speaker], path: str) -> Speaker | None:
    """The dialect that is spoken at an address, if any."""
    return next((one for one in dialects if one.speaks_at(path)), None)


def check_head(scope: Scope) -> None:
    """Refuses long heads, and paths that one part of a system may read in another way than the next.

    The path was decoded once. After that, what could still climb, end a text early or look like another name is
    refused here, for every handler.
    """
    size = len(scope["raw_path"]) + len(scope["query_string"])
    size += sum(len(name) + len(value) for name, value in scope["headers"])
    if size > MOST_HEAD_BYTES:
        raise HeadTooLarge(limit=MOST_HEAD_BYTES, found=size)
    path: str = scope["path"]
    steps = path.split("/")
    is_odd = CONTROL.search(path) or unicodedata.normalize("NFC", path) != path
    if is_odd or any(step in (".", "..") or len(step) > LONGEST_STEP for step in steps) or "" in steps[1:-1]:
        expected = f"steps of 1 to {LONGEST_STEP} characters, without '.', '..', '\\' and control characters"
        raise BadField(field="path", value=repr(path[:80]), expected=expected)
    if b"%00" in scope["query_string"]:
        raise BadField(field="query", value="a NUL character", expected="text without it")


def host_name(host: str) -> str:
    """The name in a Host header, without its port."""
    return host.rsplit(":", 1)[0].strip("[]").lower() if not host.endswith("]") else host.strip("[]").lower()


def origin_host(origin: str) -> str:
    """The host and port in an Origin header; empty where it is no address at all."""
    try:
        return urlsplit(origin).netloc
    except ValueError:  # such as a bracket that is never closed
        return ""


def dress(message: Message, request_id: str) -> None:
    """Adds the headers that every answer carries, unless the answer set its own."""
    headers = list(message["headers"])
    known = {name.lower() for name, _ in headers}
    headers += [pair for pair in WORN if pair[0] not in known]
    message["headers"] = [*headers, (b"taxiway-request-id", request_id.encode())]


def problem(refusal: TaxiwayError, request_id: str) -> Response:
    """A refusal on the wire: RFC 9457 with the error's name and facts, so that the SDK raises the same class."""
    body = {
        "type": "about:blank",
        "title": type(refusal).__name__,
        "status": refusal.status,
        "detail": str(refusal),
        "error": type(refusal).__name__,
        "facts": refusal.facts(),
        "request_id": request_id,
    }
    headers = {"Retry-After": str(max(1, round(refusal.retry_after_s)))} if refusal.retry_after_s else {}
    data = msgspec.json.encode(body)
    return Response(data, refusal.status, headers, media_type="application/problem+json")
