"""The gateway as an application: answers predictions by signed configuration, whether or not a server runs.

It needs neither database nor network. It checks each request, asks a worker, records the answer in the
inference log, and only then gives it.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Raw

import taxiway.models.signature  # noqa: F401  declares the error that a worker answers with
from taxiway.endpoints.gateway.configuration import FILE, Configuration, accept, last_accepted
from taxiway.endpoints.gateway.crew import Crew
from taxiway.endpoints.gateway.fleet import Fleet
from taxiway.endpoints.gateway.requests import (
    NOT_HERE,
    Asked,
    Headers,
    check_host,
    check_media_type,
    check_origin,
    check_token,
    read_body,
    read_rows,
    token_hash,
)
from taxiway.endpoints.gateway.status import GatewayStatus, cpu_seconds, read_status, rss_bytes, write_status
from taxiway.endpoints.inferences.record import Line
from taxiway.endpoints.inferences.writing import InferenceLog
from taxiway.endpoints.refusals import (
    AddressUnknown,
    AnswerNotRecorded,
    DeadlinePassed,
    EndpointStopped,
    EndpointUnknown,
    MethodRefused,
    ModelRaised,
)
from taxiway.endpoints.worker.held import Command, Limits, worker_command
from taxiway.kernel.clock import Clock, now
from taxiway.kernel.errors import SignInNeeded, TaxiwayError, Unexpected
from taxiway.kernel.ids import new_id

Receive = Callable[[], Awaitable[Any]]
Send = Callable[[Any], Awaitable[None]]

FALLBACK = [(b"taxiway-fallback", b"1")]
TICK_S = 0.2  # how often configuration, log and workers are looked after
log = logging.getLogger("taxiway.gateway")


class Gateway:
    """The ASGI application and what it stands on."""

    def __init__(
        self,
        home: Path,
        pid: int,
        *,
        is_public: bool = False,
        limits: Limits = Limits(),  # noqa: B008  a frozen record
        command: Command = worker_command,
        clock: Clock = now,
    ) -> None:
        self.home, self.pid, self.limits, self.clock = home, pid, limits, clock
        self.is_public = is_public  # reachable from other machines: then every call needs a token
        self.inferences = InferenceLog(home)
        self.fleet = Fleet(home, limits=limits, command=command, before=read_status(home))
        self.configuration: Configuration | None = None
        self.configuration_error = ""
        self.seen: tuple[int, int, int] | None = None
        self.hosts: frozenset[str] = frozenset()
        self.started_at = clock()
        self.status_due = 0.0

    async def __call__(self, scope: Any, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self.live(receive, send)
            return
        request_id = new_id()
        try:
            await self.answer(scope, receive, send, request_id)
        except TaxiwayError as refusal:
            # Of a body without a length nobody knows how much is still to come.
            is_last = refusal.status in (408, 413) and b"content-length" not in dict(scope["headers"])
            await send_problem(send, refusal, request_id, is_last=is_last)
        except Exception:  # the HTTP edge: one request fails, the gateway goes on
            log.exception("request %s failed", request_id)
            await send_problem(send, Unexpected(detail="The gateway failed.", request_id=request_id), request_id)

    async def live(self, receive: Receive, send: Send) -> None:
        """From start to stop: everything beside the requests hangs on this."""
        await receive()
        self.look_at_configuration()
        task = asyncio.create_task(self.look_after())
        await send({"type": "lifespan.startup.complete"})
        await receive()
        task.cancel()
        await self.fleet.stop()
        self.inferences.finish()
        write_status(self.home, self.status())
        await send({"type": "lifespan.shutdown.complete"})

    async def look_after(self) -> None:
        """Five times a second: new configuration, stuck workers, the log's fsync and rotation, the status."""
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(TICK_S)
            try:
                self.look_at_configuration()
                self.fleet.tick()
                self.inferences.rotate()
                written, retired = self.inferences.unsynced()
                if written or retired:
                    await loop.run_in_executor(None, self.inferences.sync, written, retired)
                if time.monotonic() >= self.status_due:
                    self.status_due = time.monotonic() + 1.0
                    write_status(self.home, self.status())
            except OSError as e:  # such as a full disk: answers go on where they can, and the next tick tries again
                log.error("%s", e)  # noqa: TRY400  the cause is in the sentence

    def look_at_configuration(self) -> None:
        """Applies the configuration on disk if it changed and is in order; else the one before goes on."""
        try:
            found = (self.home / "gateway" / FILE).stat()
            seen = (found.st_ino, found.st_mtime_ns, found.st_size)
        except FileNotFoundError:
            seen = (0, 0, 0)
        if seen == self.seen:
            return
        self.seen = seen
        try:
            self.apply(accept(self.home))
            self.configuration_error = ""
        except TaxiwayError as refusal:
            log.error("%s", refusal)  # noqa: TRY400  the refusal says it all
            self.configuration_error = str(refusal)
            if self.configuration is None:
                self.apply(self.earlier())

    def earlier(self) -> Configuration | None:
        """What an earlier gateway accepted last, if that is in order."""
        try:
            return last_accepted(self.home)
        except TaxiwayError as refusal:
            log.error("%s", refusal)  # noqa: TRY400  the refusal says it all
            return None

    def apply(self, configuration: Configuration | None) -> None:
        """Serves this from now on."""
        if configuration is not None:
            self.configuration = configuration
            self.hosts = frozenset(host.lower() for host in configuration.allowed_hosts)
            self.fleet.apply(configuration)
            self.status_due = 0.0

    def status(self) -> GatewayStatus:
        """How the gateway and everything it serves is."""
        return GatewayStatus(
            self.pid,
            self.started_at,
            self.clock(),
            serial=self.configuration.serial if self.configuration else None,
            revisions=self.fleet.status(),
            configuration_error=self.configuration_error,
            failed_syncs=self.inferences.failed_syncs,
            cpu_seconds=cpu_seconds(self.pid),
            rss_bytes=rss_bytes(self.pid),
        )

    async def answer(self, scope: Any, receive: Receive, send: Send, request_id: str) -> None:
        """Finds what the address asks for. Raises TaxiwayError."""
        headers: Headers = dict(scope["headers"])
        check_host(headers, self.hosts)
        path, method = scope["path"], scope["method"]
        parts = path.split("/")
        if len(parts) == 4 and parts[1] == "endpoints" and parts[3] == "invocations":
            if method != "POST":
                raise MethodRefused(method=method, allowed="POST")
            check_origin(headers)
            await self.invoke(parts[2], headers, receive, send, request_id)
        elif path not in ("/health", "/status"):
            raise AddressUnknown(path=path)
        elif method not in ("GET", "HEAD"):
            raise MethodRefused(method=method, allowed="GET")
        elif path == "/health":
            serial = self.configuration.serial if self.configuration else None
            body = msgspec.json.encode({"status": "ok", "pid": self.pid, "serial": serial})
            await send_json(send, 200, body, [])
        else:
            hashes = self.configuration.status_token_hashes if self.configuration else ()
            if hashes or self.is_public:
                check_token(headers, hashes)
            await send_json(send, 200, msgspec.json.encode(self.status()), [])

    def admit(self, name: str, headers: Headers) -> None:
        """Lets callers of an endpoint in; others hear the same whether it is there or not.

        Raises SignInNeeded, and EndpointUnknown to who may call another endpoint here, or where nobody signs in.
        """
        places = self.fleet.places
        place = places.get(name)
        asked = (place,) if place is not None else places.values()
        if self.is_public or any(one.endpoint.login_required for one in asked):
            found = token_hash(headers)
            if place is not None and found in place.tokens:
                return
            if not any(found in one.tokens for one in places.values()):
                raise SignInNeeded(reason=NOT_HERE)
            raise EndpointUnknown(endpoint=name)
        if place is None:
            raise EndpointUnknown(endpoint=name)

    async def invoke(self, name: str, headers: Headers, receive: Receive, send: Send, request_id: str) -> None:
        """Predicts, records, answers; in that order. Raises TaxiwayError."""
        self.admit(name, headers)
        check_media_type(headers)
        body = await read_body(receive, headers, self.limits)
        at, began = self.clock(), time.perf_counter()
        asked = read_rows(body, headers, self.limits)
        try:
            await self.give(self.fleet.answering(name), asked, at, began, request_id, send)
        except EndpointStopped:
            fallback = self.fleet.fallback(name)
            if fallback is None:
                raise
            await send_json(send, 200, fallback_answer(fallback, len(asked.rows), request_id), FALLBACK)

    async def give(self, crew: Crew, asked: Asked, at: datetime, began: float, request_id: str, send: Send) -> None:
        """Has a crew answer, records it, and only then sends it. Raises TaxiwayError."""
        try:
            outputs = await self.predict(crew, asked)
            latency_ms = (time.perf_counter() - began) * 1000
            self.record(crew, request_id, asked, at, latency_ms, outputs)
        except TaxiwayError as refusal:
            crew.errors += 1
            if isinstance(refusal, ModelRaised):
                self.record(crew, request_id, asked, at, (time.perf_counter() - began) * 1000, refusal)
            raise
        crew.requests += 1
        crew.rows += len(outputs)
        crew.latencies_ms.append(latency_ms)
        served = crew.served
        head = f'{{"prediction_id":"{request_id}","model":"{served.model}@{served.version}",'
        said = f'{head}"revision":{served.number},"predictions":['.encode() + b",".join(outputs) + b"]}"
        await send_json(send, 200, said, [(b"taxiway-prediction-id", request_id.encode())])

    async def predict(self, crew: Crew, asked: Asked) -> list[bytes]:
        """A JSON object per row. Raises DeadlinePassed and what the crew raises."""
        try:
            async with asyncio.timeout(self.limits.deadline_s):
                return await crew.submit(asked.rows)
        except TimeoutError as e:
            raise DeadlinePassed(endpoint=crew.served.endpoint, deadline_s=self.limits.deadline_s) from e

    def record(
        self,
        crew: Crew,
        request_id: str,
        asked: Asked,
        at: datetime,
        latency_ms: float,
        result: list[bytes] | ModelRaised,
    ) -> None:
        """Writes a line per row to the inference log. Raises AnswerNotRecorded."""
        served = crew.served
        error = None if isinstance(result, list) else result.problem
        lines = [
            Line(
                request_id,
                number,
                at,
                asked.event_at[number] if asked.event_at else at,
                served.endpoint,
                served.number,
                f"{served.model}@{served.version}",
                served.bundle_digest,
                Raw(row),
                Raw(result[number] if isinstance(result, list) else b"null"),
                round(latency_ms, 3),
                "answered" if error is None else "failed",
                error,
            )
            for number, row in enumerate(asked.rows)
        ]
        try:
            self.inferences.append(served.endpoint, lines)
        except OSError as e:
            raise AnswerNotRecorded(endpoint=served.endpoint, cause=str(e)) from e


def fallback_answer(fallback: dict[str, Any], rows: int, request_id: str) -> bytes:
    """What a stopped endpoint says instead of predictions: its fallback for each row. It is recorded nowhere."""
    said = {"prediction_id": request_id, "model": "", "revision": 0, "predictions": [fallback] * rows}
    return msgspec.json.encode({**said, "is_fallback": True})


async def send_json(send: Send, status: int, body: bytes, headers: list[tuple[bytes, bytes]]) -> None:
    """An answer in one piece."""
    kind = b"application/json" if status < 400 else b"application/problem+json"
    always = [(b"content-type", kind), (b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": status, "headers": [*always, *headers]})
    await send({"type": "http.response.body", "body": body})


async def send_problem(send: Send, refusal: TaxiwayError, request_id: str, *, is_last: bool = False) -> None:
    """A refusal as problem+json (RFC 9457), with its name and facts for the SDK to revive.

    is_last: whether the connection ends with it.
    """
    name = type(refusal).__name__
    said = {
        "type": "about:blank",
        "title": name,
        "status": refusal.status,
        "detail": str(refusal),
        "error": name,
        "facts": refusal.facts(),
        "request_id": request_id,
    }
    headers = [(b"taxiway-request-id", request_id.encode()), (b"taxiway-prediction-id", request_id.encode())]
    if refusal.retry_after_s is not None:
        headers.append((b"retry-after", b"%d" % max(1, round(refusal.retry_after_s))))
    if refusal.status == 401:
        headers.append((b"www-authenticate", b"Bearer"))
    if is_last:
        headers.append((b"connection", b"close"))
    await send_json(send, refusal.status, msgspec.json.encode(said), headers)
