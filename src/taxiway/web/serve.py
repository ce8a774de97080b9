"""Binds a service's method to an endpoint, once for all of them."""

from __future__ import annotations

import functools
import hashlib
import inspect
import re
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import msgspec
from msgspec import Struct
from starlette.concurrency import run_in_threadpool
from starlette.convertors import IntegerConvertor, register_url_convertor
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from taxiway.kernel.caller import Caller
from taxiway.kernel.endpoint import Endpoint, Nothing, Raw
from taxiway.kernel.errors import BadField, SignInNeeded, TooLarge
from taxiway.kernel.problems import convert, decode
from taxiway.web.bodies import MOST_UPLOAD_BYTES, Upload, Uploads, kind_of, read_body
from taxiway.web.doorkeeper import Doorkeeper
from taxiway.web.downloads import Download, download
from taxiway.web.metrics import Teller

B = TypeVar("B")
A = TypeVar("A")

MOST_JSON_BYTES = 16 << 20
# Of a body that is read on the event loop: some 0.4 ms, and less than it takes to have a thread do so. Longer ones hold
# up nobody else on a thread.
MOST_ON_LOOP_BYTES = 160 << 10
JSON = "application/json"
NUL = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")  # databases differ on it, and C programs end their text there


class Number(IntegerConvertor):
    """A version or revision in an address. What no column holds is not found, rather than looked for."""

    regex = "[0-9]{1,9}"


register_url_convertor("int", Number())  # before any route is made: API and pages read `{version:int}` alike


class Server:
    """The routes of the API: each endpoint that a noun binds, behind the doorkeeper."""

    def __init__(self, doorkeeper: Doorkeeper) -> None:
        self.doorkeeper = doorkeeper
        self.routes: list[Route] = []
        self.bound: set[tuple[str, str]] = set()
        self.uploads = Uploads()
        self.tellers: list[Teller] = []  # what nouns add to `/metrics`

    def serve(self, endpoint: Endpoint[B, A], handler: Callable[..., A | Download | Awaitable[A]]) -> None:
        """Has `handler` answer the endpoint.

        It is called on a thread as ``handler(caller, body, **path)``; without `body` where the endpoint has none,
        and with an `Upload` where it takes raw bytes. One that is a coroutine function is called on the event loop;
        such a request takes a thread only for what has to be asked of the database before.
        """
        is_soon = inspect.iscoroutinefunction(handler)

        async def answer(request: Request) -> Response:
            caller, body = await self._enter(request, endpoint)
            given = [] if endpoint.body is Nothing else [body]
            call = functools.partial(handler, caller, *given, **request.path_params)
            if is_soon:
                result = call()
            else:
                result = await (self.uploads.run(call, body) if isinstance(body, Upload) else run_in_threadpool(call))
            if inspect.isawaitable(result):
                result = await result
            if isinstance(result, Download):
                return await download(result)
            return Response(msgspec.json.encode(result), media_type=JSON, headers={"Cache-Control": "no-store"})

        self.bound.add((endpoint.method, endpoint.path))
        self.routes.append(Route(endpoint.path, answer, methods=[endpoint.method]))

    async def _enter(self, request: Request, endpoint: Endpoint[Any, Any]) -> tuple[Caller, Any]:
        """The admitted caller and the body. Where the path says the project, permission comes before parsing."""
        caller = await self.doorkeeper.identify_soon(request, accepts_cookie=is_reading_browser(request))
        path = request.path_params
        is_early = endpoint.scope != "project" or self.doorkeeper.names_project(path)

        async def admit(body: object) -> Caller:
            return await self.doorkeeper.admit_soon(
                caller, needs=endpoint.needs, scope=endpoint.scope, path=path, body=body
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
            return convert(flat(values, endpoint.body), endpoint.body), fingerprint_of(request)
        expected = "application/octet-stream" if endpoint.body is Raw else JSON
        kind = kind_of(request)
        if kind != expected and not (endpoint.body is Nothing and not kind):
            raise BadField(field="Content-Type", value=repr(kind), expected=expected)
        limit = MOST_UPLOAD_BYTES if endpoint.body is Raw else MOST_JSON_BYTES
        size = request.headers.get("content-length", "0")
        if size.isdigit() and int(size) > limit:
            raise TooLarge(what="The body in bytes", limit=limit, found=int(size))
        if endpoint.body is Raw:
            return Upload(request, limit), fingerprint_of(request)  # its address says the digest of the bytes
        data = await read_body(request, limit)
        if b"\\" in data and b"\\u0000" in data and NUL.search(data):  # one byte is found much faster than several
            raise BadField(field="body", value="a NUL character", expected="text without it")
        if len(data) > MOST_ON_LOOP_BYTES:
            return await run_in_threadpool(decode, data, endpoint.body), fingerprint_of(request, data)
        return decode(data, endpoint.body), fingerprint_of(request, data)


def fingerprint_of(request: Request, data: bytes = b"") -> str:
    """What tells a request from every other one: only the very same may be sent again under an idempotency key."""
    query = f"?{request.url.query}" if request.url.query else ""
    return hashlib.sha256(f"{request.method} {request.url.path}{query}\n".encode() + data).hexdigest()


def is_reading_browser(request: Request) -> bool:
    """Whether a session's cookie counts: for following a link to a file or an answer, never for a change."""
    return request.method == "GET"


def flat(values: dict[str, list[str]], kind: type[Struct]) -> dict[str, Any]:
    """Query values as the struct wants them: a list where its field is one, else the last value given."""
    lists = {f.name for f in msgspec.structs.fields(kind) if str(f.type).startswith("list")}
    return {name: given if name in lists else given[-1] for name, given in values.items()}
