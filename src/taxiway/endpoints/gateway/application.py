"""The gateway as an application: answers predictions by signed configuration, whether or not a server runs.

It needs neither database nor network. It checks each request, asks a worker, records the answer in the
inference log, and only then gives it.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec

import taxiway.models.predicting.signature  # noqa: F401  declares the error that a worker answers with
from taxiway.endpoints.gateway.addresses import Addresses, Spot
from taxiway.endpoints.gateway.configuration import FILE, Configuration, accept, remembered_in
from taxiway.endpoints.gateway.crew import Crew
from taxiway.endpoints.gateway.dialects import Address, Answer, Call, Dialect, Given, Shown, installed, said_of
from taxiway.endpoints.gateway.fleet import Fleet
from taxiway.endpoints.gateway.metrics import TEXT, Metrics, page_of
from taxiway.endpoints.gateway.own_form import OwnForm
from taxiway.endpoints.gateway.requests import (
    AWAITED,
    EVENT_TIME,
    NOT_HERE,
    WHOLE,
    Asked,
    Headers,
    check_count,
    check_host,
    check_media_type,
    check_origin,
    check_token,
    event_times,
    read_body,
    token_hash,
)
from taxiway.endpoints.gateway.sending import Send, refuse, send_answer
from taxiway.endpoints.gateway.shadowing import Answered
from taxiway.endpoints.gateway.status import GatewayStatus, cpu_seconds, read_status, rss_bytes, write_status
from taxiway.endpoints.gateway.stream_forms import streamed_as
from taxiway.endpoints.gateway.streaming import Streaming
from taxiway.endpoints.gateway.trace_context import OWN_TRACE, read_context
from taxiway.endpoints.inferences.recording import Happened, Recorder
from taxiway.endpoints.inferences.writing import InferenceLog
from taxiway.endpoints.refusals import (
    AddressUnknown,
    CallerGone,
    DeadlinePassed,
    EndpointStopped,
    EndpointUnknown,
    MethodRefused,
    ModelRaised,
    WorkerLost,
)
from taxiway.endpoints.worker.held import Command, Limits, worker_command
from taxiway.kernel.clock import Clock, now
from taxiway.kernel.errors import SignInNeeded, TaxiwayError, Unexpected
from taxiway.kernel.ids import new_id

Receive = Callable[[], Awaitable[Any]]

ITS_FAULT = (DeadlinePassed, ModelRaised, WorkerLost)  # refusals that a revision answers for, not its caller
FALLBACK = [(b"taxiway-fallback", b"1")]
TRACEPARENT = b"traceparent"
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
        dialects = installed()
        self.addresses = Addresses(OwnForm(), dialects.values())
        self.protocols = {id(each): name for name, each in dialects.items()}  # our own form has no name
        self.aliases: dict[tuple[str, str], str] = {}  # other names of addresses, by method and path
        self.is_public = is_public  # reachable from other machines: then every call needs a token
        self.inferences = InferenceLog(home)
        before = read_status(home)
        self.recorder = Recorder(home, self.inferences, before.logs if before else ())
        self.metrics = Metrics()
        self.fleet = Fleet(home, limits=limits, keep=self.inferences.append, command=command, before=before)
        self.configuration: Configuration | None = None
        self.configuration_error = ""
        self.seen: tuple[int, int, int] | None = None
        self.hosts: frozenset[str] = frozenset()
        self.started_at, self.status_due = clock(), 0.0
        self.streams: set[Streaming] = set()
        self.is_in_charge = True  # not while another gateway still is, or already

    async def __call__(self, scope: Any, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self.live(receive, send)
            return
        headers: Headers = dict(scope["headers"])
        method, path = scope["method"], scope["path"]
        if self.aliases:
            path = self.aliases.get((method, path), path)
        spot, held, is_whole = self.addresses.find(path)
        call = Call(new_id(), method, path, headers, self.limits, spot.owner)
        call.name, call.version = held.get("name", ""), held.get("version", "")
        call.connection = scope
        try:
            await self.answer(call, spot if is_whole else None, receive, send)
        except CallerGone:
            pass  # it is counted, and nobody hears anything any more
        except TaxiwayError as refusal:
            # Of a body without a length nobody knows how much is still to come.
            known = call.name if call.name in self.fleet.places else ""
            self.metrics.refused(known, type(refusal).__name__, refusal.status)
            is_last = refusal.status == 408 or (refusal.status == 413 and b"content-length" not in headers)
            await refuse(send, call, refusal, is_last=is_last)
        except Exception:  # the HTTP edge: one request fails, the gateway goes on
            log.exception("request %s failed", call.request_id)
            await refuse(send, call, Unexpected(detail="The gateway failed.", request_id=call.request_id))

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
        if self.is_in_charge:
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
                self.recorder.tick()
                written, retired = self.inferences.unsynced()
                if written or retired:
                    await loop.run_in_executor(None, self.inferences.sync, written, retired)
                if self.is_in_charge and time.monotonic() >= self.status_due:
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
            self.apply(accept(self.home, self.configuration))
            self.configuration_error = ""
        except OSError:
            self.seen = None  # such as a full disk: the next look tries again
            raise
        except TaxiwayError as refusal:
            log.error("%s", refusal)  # noqa: TRY400  the refusal says it all
            self.configuration_error = str(refusal)
            if self.configuration is None:
                self.apply(remembered_in(self.home))

    def apply(self, configuration: Configuration | None) -> None:
        """Serves this from now on."""
        if configuration is not None:
            self.fleet.halt(configuration)  # whatever else may fail
            self.configuration = configuration
            self.recorder.apply({each.name: each.log for each in configuration.endpoints})
            self.recorder.trace_to(configuration.otlp)
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
            logs=self.recorder.status(),
        )

    async def answer(self, call: Call, spot: Spot | None, receive: Receive, send: Send) -> None:
        """Finds what the address asks for. Raises TaxiwayError."""
        check_host(call.headers, self.hosts)
        if spot is None:
            await send_answer(send, self.about(call), ())
            return
        method = "GET" if call.method == "HEAD" else call.method
        shared = spot.here.get(method)
        if shared is None:
            raise MethodRefused(method=call.method, allowed=", ".join(spot.here))
        call.dialect, call.address = claimed(call, shared)
        if method == "POST":
            check_origin(call.headers)
        if call.address.kind == "predict":
            await self.invoke(call, shared, receive, send)
        else:
            await self.tell(call, receive, send)

    def about(self, call: Call) -> Answer:
        """How the gateway itself is. Raises TaxiwayError."""
        if call.path not in ("/health", "/status", "/metrics"):
            raise AddressUnknown(path=call.path)
        if call.method not in ("GET", "HEAD"):
            raise MethodRefused(method=call.method, allowed="GET")
        if call.path == "/health":
            serial = self.configuration.serial if self.configuration else None
            return Answer(200, msgspec.json.encode({"status": "ok", "pid": self.pid, "serial": serial}))
        if call.path == "/metrics":
            return Answer(200, page_of(self.status(), self.metrics, self.shown_to(call.headers)), media_type=TEXT)
        hashes = self.configuration.status_token_hashes if self.configuration else ()
        if hashes or self.is_public:
            check_token(call.headers, hashes)
        return Answer(200, msgspec.json.encode(self.status()))

    async def tell(self, call: Call, receive: Receive, send: Send) -> None:
        """Answers at an address that predicts nothing. Raises TaxiwayError."""
        assert call.address is not None, "it was found"
        if call.method == "POST":
            call.body = await read_body(receive, call.headers, self.limits)
        names: list[str] = []
        if call.address.kind == "endpoint":
            self.admit(call.name, call.headers)
            names = [call.name]
        elif call.address.kind == "list":
            names = self.callable(call.headers)
        shown = Shown(self.fleet.is_ready(), [self.fleet.standing(name) for name in names])
        await send_answer(send, call.dialect.tell(call, shown), ())

    def callable(self, headers: Headers) -> list[str]:
        """The endpoints that a caller may call. Raises SignInNeeded where a token is asked for and none is given."""
        open_to = {n for n, p in self.fleet.places.items() if not (self.is_public or p.endpoint.login_required)}
        if len(open_to) == len(self.fleet.places):
            return sorted(open_to)
        found = token_hash(headers)
        return sorted(open_to | {name for name, place in self.fleet.places.items() if found in place.tokens})

    def shown_to(self, headers: Headers) -> list[str] | None:
        """The endpoints whose figures one may read: those one may call; None, which is all, for the server itself.

        Raises SignInNeeded.
        """
        hashes = self.configuration.status_token_hashes if self.configuration else ()
        is_asked = hashes or self.is_public or any(p.endpoint.login_required for p in self.fleet.places.values())
        if not is_asked or token_hash(headers) in hashes:
            return None
        return self.callable(headers)

    def admit(self, name: str, headers: Headers) -> str:
        """Lets callers of an endpoint in, and says who it is; others hear the same whether it is there or not.

        Raises SignInNeeded, and EndpointUnknown to who may call another endpoint here, or where nobody signs in.
        """
        places = self.fleet.places
        place = places.get(name)
        asked = (place,) if place is not None else places.values()
        if self.is_public or any(one.endpoint.login_required for one in asked):
            found = token_hash(headers)
            if place is not None and found in place.tokens:
                return place.tokens[found]
            if not any(found in one.tokens for one in places.values()):
                raise SignInNeeded(reason=NOT_HERE)
            raise EndpointUnknown(endpoint=name)
        if place is None:
            raise EndpointUnknown(endpoint=name)
        return ""

    async def invoke(self, call: Call, shared: Sequence[tuple[Dialect, Address]], receive: Receive, send: Send) -> None:
        """Predicts, records, answers; in that order. Raises TaxiwayError."""
        call.caller = self.admit(call.name, call.headers)
        if TRACEPARENT in call.headers:
            call.context = read_context(call.headers[TRACEPARENT])
        check_media_type(call.headers, accepted(shared))
        call.body = await read_body(receive, call.headers, self.limits, is_here=WHOLE in call.connection)
        at, began = self.clock(), time.perf_counter()
        if len(shared) > 1:
            call.dialect, call.address = claimed(call, shared)
        call.look_up = self.fleet.signature
        asked = call.dialect.read(call)
        check_count(len(asked.rows), self.limits)
        if asked.event_at is None and EVENT_TIME in call.headers:
            asked.event_at = event_times(call.headers[EVENT_TIME].decode("latin-1"), len(asked.rows))
        try:
            crew = self.fleet.answering(call, asked)
            if form := call.streamed or (b"accept" in call.headers and streamed_as(call.headers[b"accept"])):
                await Streaming(self, crew, call, asked, form).run(at, began, receive, send)
            else:
                await self.give(crew, asked, at, began, call, send)
        except EndpointStopped:
            fallback = self.fleet.fallback(call.name)
            if fallback is None:
                raise
            # It is recorded nowhere.
            given = Given([msgspec.json.encode(fallback)] * len(asked.rows), None)
            await send_answer(send, call.dialect.write(call, given), FALLBACK)

    async def give(self, crew: Crew, asked: Asked, at: datetime, began: float, call: Call, send: Send) -> None:
        """Has a crew answer, records it, and only then sends it. Raises TaxiwayError."""
        try:
            outputs = await self.predict(crew, asked, call)
            latency_ms = (time.perf_counter() - began) * 1000
            await self.record(crew, call, asked, at, latency_ms, outputs)
        except TaxiwayError as refusal:
            crew.note_unanswered(refusal)
            if isinstance(refusal, ITS_FAULT):
                self.fleet.blame(crew, asked.rows, refusal)
            if isinstance(refusal, ModelRaised):
                await self.record(crew, call, asked, at, (time.perf_counter() - began) * 1000, refusal.problem)
            raise
        crew.requests += 1
        crew.rows += len(outputs)
        crew.latencies_ms.append(latency_ms)
        self.metrics.answered(crew.served.endpoint, crew.served.number, latency_ms, len(outputs))
        crew.judge(latency_ms, outputs)
        answer = call.dialect.write(call, Given(outputs, crew.served))
        await send_answer(send, answer, said_of(call, crew.served.number))
        if self.fleet.mirrors.of:
            told = Answered(call.request_id, crew.served.number, asked.rows, outputs, latency_ms, asked.event_at)
            self.fleet.mirrors.offer(crew, told)

    async def predict(self, crew: Crew, asked: Asked, call: Call) -> Sequence[bytes]:
        """A JSON object per row. Raises DeadlinePassed, CallerGone and what the crew raises."""
        answer = call.connection[AWAITED] = crew.submit(asked.rows)
        try:
            async with asyncio.timeout(self.limits.deadline_s):
                return await answer
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if not answer.cancelled() or (task is not None and task.cancelling()):
                raise
            raise CallerGone(endpoint=crew.served.endpoint) from None
        except TimeoutError as e:
            raise DeadlinePassed(endpoint=crew.served.endpoint, deadline_s=self.limits.deadline_s) from e

    async def record(
        self, crew: Crew, call: Call, asked: Asked, at: datetime, latency_ms: float, result: Sequence[bytes] | str
    ) -> None:
        """Has a record of each row, as the endpoint's policy asks, before anything goes out. Raises AnswerNotRecorded.

        result: an output per row, or why there is none.
        """
        protocol, of = self.protocols.get(id(call.dialect), ""), call.context or OWN_TRACE
        more = (call.caller, of.trace_id, protocol, False, of.parent, of.is_sampled)
        happened = Happened(call.request_id, at, latency_ms, asked.event_at, *more)
        pending = self.recorder.record(crew.served, asked.rows, result, happened)
        if pending is not None:
            await pending


def claimed(call: Call, shared: Sequence[tuple[Dialect, Address]]) -> tuple[Dialect, Address]:
    """The dialect whose call this is, of those at its address; the last one takes what is left."""
    for pair in shared[:-1]:
        if pair[0].claims(call):
            return pair
    return shared[-1]


def accepted(shared: Sequence[tuple[Dialect, Address]]) -> frozenset[bytes]:
    """The media types that are read at an address."""
    return shared[0][1].takes if len(shared) == 1 else frozenset().union(*(each.takes for _, each in shared))
