"""The door of the dialect: every call passes it, is identified, read, admitted and only then answered."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Collection
from typing import Any, TypeVar

import msgspec
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from taxiway.compat.mlflow import refusals
from taxiway.compat.mlflow.call import Call
from taxiway.compat.mlflow.reading import Reader
from taxiway.compat.mlflow.refusals import CallRefused
from taxiway.kernel.caller import Caller
from taxiway.kernel.errors import NotFound, SignInNeeded, TaxiwayError, TooLarge
from taxiway.web.bodies import MOST_UPLOAD_BYTES, Upload, Uploads, kind_of, read_body
from taxiway.web.doorkeeper import Doorkeeper
from taxiway.web.downloads import Download, download
from taxiway.web.serve import MOST_ON_LOOP_BYTES

B = TypeVar("B")
A = TypeVar("A")

JSON = "application/json"
PREFIXES = ("/api/2.0/", "/api/3.0/", "/ajax-api/")
BARE = ("/get-artifact", "/model-versions/get-artifact", "/version", "/v1/traces", "/graphql")

AT_ONCE = ("platform", "open")  # admitted before anything is read
NEW = ("new_experiment", "new_model")
NAMING = (
    *("run_id", "run_uuid", "run_ids", "experiment_name", "name", "model_id", "trace_id", "request_id"),
    *("path", "upload_id", "experiment_id", "experiment_ids"),
)  # where requests name what they are about
KINDS = {"runs": "run", "named_experiment": "experiment", "told_trace": "trace", "place": "file", "folder": "folder"}

Projects = Callable[[Caller, Any], Collection[str]]
Handler = Callable[..., Any]
Elsewhere = Callable[[bytes], Awaitable[Any]]  # reads a body elsewhere, and gives None where it is to be read here


def nowhere(ask: object) -> str | None:
    return None


class Dialect:
    """The routes of the dialect."""

    def __init__(self, doorkeeper: Doorkeeper, uploads: Uploads) -> None:
        self.doorkeeper = doorkeeper
        self.uploads = uploads
        self.routes: list[Route] = []
        self.calls: list[Call[Any, Any]] = []
        self.projects_of: dict[str, Projects] = {}
        self.known_project_of: dict[str, Callable[[Any], str | None]] = {}

    def know(self, about: str, projects: Projects, known: Callable[[Any], str | None] = nowhere) -> None:
        """How to find the projects that a request of this kind is about: ``projects(caller, ask)``.

        It raises NotFound for what does not exist. A caller must hold the permission in all of them.
        known: the one project, where that can be told without asking the database.
        """
        self.projects_of[about] = projects
        self.known_project_of[about] = known

    def serve(self, call: Call[B, A], handler: Handler, elsewhere: Elsewhere | None = None) -> None:
        """Has `handler` answer the call as ``handler(caller, ask)``; a raw body comes as a third.

        elsewhere: reads what it can of such bodies, for a coroutine function.

        It gives an `Answer`, a `Download` or a `Response`. It is called on a thread, or, where it is a coroutine
        function, on the event loop.
        """
        if call.about not in (*self.projects_of, *AT_ONCE):
            raise ValueError(f"{call.method} {call.path} is about {call.about!r}, whose projects nobody can tell")

        reader = Reader(call.ask)

        async def answer(request: Request) -> Response:
            result = await self._answer(request, call, reader, handler, elsewhere)
            if isinstance(result, Download):
                return await download(result)
            if isinstance(result, Response):
                return result
            return Response(msgspec.json.encode(result), media_type=JSON, headers={"Cache-Control": "no-store"})

        self.calls.append(call)
        self.routes += [Route(path, answer, methods=[call.method]) for path in call.paths]

    async def _answer(
        self, request: Request, call: Call[B, Any], reader: Reader[B], handler: Handler, elsewhere: Elsewhere | None
    ) -> Any:
        caller = await self._identify(request, call)
        if call.about == "platform" and not caller.is_admin:  # nothing is read for who may not ask, whatever they send
            await run_in_threadpool(self.doorkeeper.access.require, caller, call.needs, None)
        path = request.path_params | {name: request.headers.get(name) for name in reader.headers}
        if reader.wants_origin:
            path["origin"] = origin_of(request)
        if call.body == "raw":
            upload = Upload(request, MOST_UPLOAD_BYTES)

            def take() -> Any:
                ask = reader.read_query(query_of(request), path)
                self._admit(caller, call, ask)
                return handler(caller, ask, upload)

            return await self.uploads.run(take, upload)
        data = await read_asked(request, call) if call.has_json else b""

        def read() -> B:
            return reader.read_json(data, path) if call.has_json else reader.read_query(query_of(request), path)

        def handle() -> Any:
            ask = read()
            self._admit(caller, call, ask)
            return handler(caller, ask)

        if not inspect.iscoroutinefunction(handler):
            return await run_in_threadpool(handle)
        ask: Any = await elsewhere(data) if elsewhere is not None else None
        if ask is None:
            ask = read() if len(data) <= MOST_ON_LOOP_BYTES else await run_in_threadpool(read)
        if self._is_settled(caller, call, ask):
            self._admit(caller, call, ask)
        else:
            await run_in_threadpool(self._admit, caller, call, ask)
        return await handler(caller, ask)

    async def _identify(self, request: Request, call: Call[Any, Any]) -> Caller:
        caller = await self.doorkeeper.identify_soon(request, accepts_cookie=False, dialect="mlflow")
        if caller is not None:
            return caller
        if call.about != "open":
            raise SignInNeeded(reason="This needs someone who is signed in.")
        return Caller(name="anonymous", kind="person", request_id=request.scope["taxiway.request_id"])

    def _is_settled(self, caller: Caller, call: Call[Any, Any], ask: Any) -> bool:
        """Whether `_admit` decides without asking the database."""
        if caller.is_admin or call.about in AT_ONCE:
            return True
        project = self.known_project_of.get(call.about, nowhere)(ask)
        return project is not None and self.doorkeeper.access.is_settled(caller, project)

    def _admit(self, caller: Caller, call: Call[Any, Any], ask: Any) -> None:
        """Nothing, if the caller may make this call. Raises NotAllowed, and NotFound for what it is about.

        In what is new the caller puts something themselves, so that a refusal there tells them of nothing.
        """
        if caller.is_admin:  # may do everything; what does not exist is the handler's to say
            return
        if call.about in NEW:
            for project in self.projects_of[call.about](caller, ask):
                self.doorkeeper.access.require(caller, call.needs, project)
        elif call.about not in AT_ONCE:
            kind, name = thing_of(call.about, ask)

            def find() -> Collection[str]:
                try:
                    return self.projects_of[call.about](caller, ask)
                except CallRefused as e:
                    if e.error_code == "RESOURCE_DOES_NOT_EXIST":
                        raise NotFound(kind=kind, name=name) from e
                    raise

            self.doorkeeper.access.admit(caller, call.needs, kind=kind, name=name, find=find)

    def speaks_at(self, path: str) -> bool:
        """Whether whoever asks there expects the dialect's answers, also to what does not exist."""
        return path.startswith(PREFIXES) or path in BARE

    def refuse(self, refusal: TaxiwayError) -> Response:
        return refusals.answer(refusal)


def thing_of(about: str, ask: Any) -> tuple[str, str]:
    """What a request is about, in words, and the name that it is given there."""
    given = (getattr(ask, field, "") for field in NAMING)
    name = next((one for one in given if one), "")
    return KINDS.get(about, about.replace("_", " ")), ", ".join(name) if isinstance(name, list) else str(name)


def origin_of(request: Request) -> str:
    """This server's own address, as the caller knows it; behind a proxy that speaks TLS for it, that one's."""
    scheme = "https" if request.headers.get("x-forwarded-proto") == "https" else request.url.scheme
    return f"{scheme}://{request.headers.get('host', '')}"


def query_of(request: Request) -> dict[str, list[str]]:
    return {name: request.query_params.getlist(name) for name in request.query_params}


async def read_asked(request: Request, call: Call[Any, Any]) -> bytes:
    """The JSON body. Raises CallRefused and BadField for what says to be something else, TooLarge, BodyTooSlow."""
    kind = kind_of(request)
    size = request.headers.get("content-length", "")
    if kind != JSON:
        found = f"Content-Type must be one of ['{JSON}']" if kind else "Content-Type header is missing"
        raise CallRefused(error_code="INVALID_PARAMETER_VALUE", message=f"Bad Request. {found}.")
    if size.isdigit() and int(size) > call.most_bytes:
        raise TooLarge(what="The body in bytes", limit=call.most_bytes, found=int(size))
    return await read_body(request, call.most_bytes)
