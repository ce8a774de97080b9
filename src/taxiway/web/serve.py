"""Binds a service's method to an endpoint, once for all of them."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import anyio.from_thread
import msgspec
from msgspec import Struct
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import FileResponse, Response
from starlette.routing import Route

from taxiway.kernel.caller import Caller
from taxiway.kernel.endpoint import Endpoint, Nothing, Raw
from taxiway.kernel.errors import BadField, SignInNeeded, TooLarge
from taxiway.kernel.problems import convert, decode
from taxiway.web.doorkeeper import Doorkeeper

B = TypeVar("B")
A = TypeVar("A")

MOST_JSON_BYTES = 16 << 20
MOST_UPLOAD_BYTES = 64 << 30
JSON = "application/json"
NUL = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")  # databases differ on it, and C programs end their text there


class Download(Struct, frozen=True):
    """A file as an answer: always offered for saving, never shown in the page's own origin."""

    file: Path
    name: str
    media_type: str = "application/octet-stream"


class Upload:
    """A raw body, read piece by piece on the handler's thread."""

    def __init__(self, request: Request) -> None:
        self.stream = request.stream()
        self.rest = b""

    def read(self, size: int = -1) -> bytes:
        """The next piece; empty at the end. Raises OSError when the sender went away."""
        if not self.rest:
            try:
                self.rest = anyio.from_thread.run(self._next)
            except ClientDisconnect as e:
                raise ConnectionError("the sender went away before the end") from e
        piece = self.rest if size < 0 else self.rest[:size]
        self.rest = self.rest[len(piece) :]
        return piece

    async def _next(self) -> bytes:
        async for chunk in self.stream:
            if chunk:
                return chunk
        return b""


class Server:
    """The routes of the API: each endpoint that a noun binds, behind the doorkeeper."""

    def __init__(self, doorkeeper: Doorkeeper) -> None:
        self.doorkeeper = doorkeeper
        self.routes: list[Route] = []
        self.bound: set[tuple[str, str]] = set()

    def serve(self, endpoint: Endpoint[B, A], handler: Callable[..., A | Download]) -> None:
        """Has `handler` answer the endpoint.

        It is called on a thread as ``handler(caller, body, **path)``; without `body` where the endpoint has none,
        and with an `Upload` where it takes raw bytes.
        """

        async def answer(request: Request) -> Response:
            caller, body = await self._enter(request, endpoint)
            given = [] if endpoint.body is Nothing else [body]
            result = await run_in_threadpool(handler, caller, *given, **request.path_params)
            if isinstance(result, Download):
                return download(result)
            return Response(msgspec.json.encode(result), media_type=JSON, headers={"Cache-Control": "no-store"})

        self.bound.add((endpoint.method, endpoint.path))
        self.routes.append(Route(endpoint.path, answer, methods=[endpoint.method]))

    async def _enter(self, request: Request, endpoint: Endpoint[Any, Any]) -> tuple[Caller, Any]:
        """The admitted caller and the body. Where the path says the project, permission comes before parsing."""
        identify = self.doorkeeper.identify
        caller = await run_in_threadpool(identify, request, accepts_cookie=is_reading_browser(request))
        path = request.path_params
        is_early = endpoint.scope != "project" or self.doorkeeper.names_project(path)

        async def admit(body: object) -> Caller:
            return await run_in_threadpool(
                self.doorkeeper.admit,
                caller,
                needs=endpoint.needs,
                scope=endpoint.scope,
                path=path,
                body=body,
            )

        if caller is None and endpoint.scope != "open":
            raise SignInNeeded(reason="This needs someone who is signed in.")
        admitted = caller or Caller(name="anonymous", kind="person", request_id=request.scope["taxiway.request_id"])
        if endpoint.scope != "open" and is_early:
            admitted = await admit(None)
        body, fingerprint = await self._body(request, endpoint)
        if endpoint.scope != "open" and not is_early:
            admitted = await admit(body)
        return msgspec.structs.replace(admitted, fingerprint=fingerprint), body

    async def _body(self, request: Request, endpoint: Endpoint[Any, Any]) -> tuple[Any, str]:
        if endpoint.method in ("GET", "DELETE"):
            values = {k: request.query_params.getlist(k) for k in request.query_params}
            return convert(flat(values, endpoint.body), endpoint.body), ""
        expected = "application/octet-stream" if endpoint.body is Raw else JSON
        kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind != expected and not (endpoint.body is Nothing and not kind):
            raise BadField(field="Content-Type", value=repr(kind), expected=expected)
        limit = MOST_UPLOAD_BYTES if endpoint.body is Raw else MOST_JSON_BYTES
        size = request.headers.get("content-length", "0")
        if size.isdigit() and int(size) > limit:
            raise TooLarge(what="The body in bytes", limit=limit, found=int(size))
        if endpoint.body is Raw:
            return Upload(request), ""
        data = await read_body(request, limit)
        if b"\\u0000" in data and NUL.search(data):
            raise BadField(field="body", value="a NUL character", expected="text without it")
        digest = hashlib.sha256(f"{request.method} {request.url.path}\n".encode() + data).hexdigest()
        return decode(data, endpoint.body), digest


async def read_body(request: Request, limit: int) -> bytes:
    """The whole body. Raises TooLarge as soon as it is."""
    data = bytearray()
    async for chunk in request.stream():
        data += chunk
        if len(data) > limit:
            raise TooLarge(what="The body in bytes", limit=limit, found=len(data))
    return bytes(data)


def is_reading_browser(request: Request) -> bool:
    """Whether a session's cookie counts: for following a link to a file or an answer, never for a change."""
    return request.method == "GET"


def flat(values: dict[str, list[str]], kind: type[Struct]) -> dict[str, Any]:
    """Query values as the struct wants them: a list where its field is one, else the last value given."""
    lists = {f.name for f in msgspec.structs.fields(kind) if str(f.type).startswith("list")}
    return {name: given if name in lists else given[-1] for name, given in values.items()}


def download(result: Download) -> Response:
    """A file for saving. The sandbox keeps an uploaded page from running in our origin."""
    headers = {"Content-Security-Policy": "sandbox; default-src 'none'"}
    return FileResponse(result.file, filename=result.name, media_type=result.media_type, headers=headers)
