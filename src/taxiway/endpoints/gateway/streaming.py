"""Answers in pieces, as the model makes them: server-sent events, or a JSON object per line.

A stream takes one worker for itself. Pieces go no faster than the caller takes them: the worker waits. It ends with
an event that says how: the whole was given and is recorded, or an error, by name.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable, Coroutine
from datetime import datetime
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from taxiway.endpoints.gateway.dialects import Call, said_of
from taxiway.endpoints.gateway.requests import Asked
from taxiway.endpoints.gateway.stream_forms import StreamForm
from taxiway.endpoints.inferences.record import Abandoned
from taxiway.endpoints.refusals import (
    TOO_LONG,
    AnswerNotRecorded,
    CallerGone,
    DeadlinePassed,
    EndpointStopped,
    ModelRaised,
    StreamCut,
    WorkerLost,
)
from taxiway.endpoints.worker.streamed import StreamJob
from taxiway.kernel.errors import TaxiwayError

if TYPE_CHECKING:
    from taxiway.endpoints.gateway.application import Gateway
    from taxiway.endpoints.gateway.crew import Crew

T = TypeVar("T")
Receive = Callable[[], Awaitable[Any]]
Send = Callable[[Any], Awaitable[None]]

MOST_KEPT_BYTES = 256 << 10  # of the pieces that a record holds
ITS_FAULT = (DeadlinePassed, ModelRaised, WorkerLost, StreamCut)


class HungUp(Exception):
    """The caller went away."""


class Streaming:
    """One request that is answered in pieces."""

    def __init__(self, gateway: Gateway, crew: Crew, call: Call, asked: Asked, form: StreamForm) -> None:
        self.gateway, self.crew, self.call, self.asked = gateway, crew, call, asked
        self.form = form
        self.limits = gateway.limits
        self.count, self.first_ms = 0, 0.0
        self.kept: list[bytes] = []
        self.kept_bytes = 0
        self.gone: asyncio.Task[None] | None = None
        self.job: StreamJob | None = None
        self.is_ended = False  # by the gateway, whatever its model does

    async def run(self, at: datetime, began: float, receive: Receive, send: Send) -> None:
        """Raises TaxiwayError as long as nothing was sent; later it is the last event."""
        self.job = job = self.crew.enter(StreamJob(self.asked.rows, asyncio.get_running_loop().create_future()))
        self.gone = asyncio.create_task(until_gone(receive))
        self.gateway.streams.add(self)
        self.crew.streams.add(job)
        try:
            async with asyncio.timeout(self.crew.served.setup.max_stream_s):
                await self.pass_on(job, began, send)
            spent_s = time.perf_counter() - began
            await self.record(at, began, [self.outputs()])
            self.note_whole(spent_s)
            last = self.form.last(
                "end", {"prediction_id": self.call.request_id, "pieces": self.count, "outcome": "complete"}
            )
        except (TaxiwayError, TimeoutError, HungUp) as e:
            refusal = self.named(e)
            await self.note_failure(refusal, at, began)
            if not self.count or isinstance(refusal, CallerGone):
                raise refusal from e
            last = self.form.last("error", facts_of(refusal, self.call.request_id))
        finally:
            self.gone.cancel()
            self.gateway.streams.discard(self)
            self.crew.streams.discard(job)
            if not job.future.done():
                job.future.cancel()  # has the worker stop, too
        if not self.count:
            await self.start(send)
        await send({"type": "http.response.body", "body": last, "more_body": True})
        await send({"type": "http.response.body", "body": b""})

    def end(self, cause: str) -> None:
        """Cuts it for a cause that is not its own."""
        if self.job is not None:
            self.job.refuse(StreamCut(endpoint=self.crew.served.endpoint, pieces=self.count, cause=cause))
        self.is_ended = True

    async def pass_on(self, job: StreamJob, began: float, send: Send) -> None:
        """Gives each piece on as it comes. Raises HungUp, TimeoutError and what the stream was ended with."""
        while (piece := await self.soon(job.next())) is not None:
            if not self.count:
                self.first_ms = (time.perf_counter() - began) * 1000
                await self.start(send)
            self.count += 1
            self.kept_bytes += len(piece)
            if self.kept_bytes <= MOST_KEPT_BYTES:
                self.kept.append(piece)
            body = {"type": "http.response.body", "body": self.form.piece(piece), "more_body": True}
            await self.soon(send(body))

    async def soon(self, work: Coroutine[Any, Any, T] | Awaitable[T]) -> T:
        """What comes of it, within the time of one piece, unless the caller goes away before. Raises as `pass_on`."""
        assert self.gone is not None, "the caller is watched from the start"
        assert self.job is not None, "it was begun"
        task = asyncio.ensure_future(work)
        ends = (task, self.gone, self.job.refused)
        try:
            await asyncio.wait(ends, timeout=self.limits.deadline_s, return_when=asyncio.FIRST_COMPLETED)
            if task.done():
                return task.result()
            if self.job.refused.done():
                raise self.job.refused.result()
            raise HungUp if self.gone.done() else TimeoutError
        finally:
            task.cancel()

    async def start(self, send: Send) -> None:
        own = self.form.head(self.call, self.crew.served)
        headers = [*own, (b"cache-control", b"no-store"), (b"x-accel-buffering", b"no")]
        said = said_of(self.call, self.crew.served.number)
        await send({"type": "http.response.start", "status": 200, "headers": [*headers, *said]})

    # --- what is kept of it ---

    def outputs(self) -> bytes:
        """What the log has as the answer: texts joined, other predictions as a list, and how it went."""
        values = [msgspec.json.decode(each).get("prediction") for each in self.kept]
        is_text = bool(values) and all(isinstance(each, str) for each in values)
        found: dict[str, object] = {"prediction": "".join(values) if is_text else values, "pieces": self.count}
        found["first_ms"] = round(self.first_ms, 3)
        if len(self.kept) < self.count:
            found["is_cut_here"] = True  # the caller got all of it; the record holds the beginning
        return msgspec.json.encode(found)

    def named(self, error: Exception) -> TaxiwayError:
        """An error as the caller and the log are told it."""
        endpoint = self.crew.served.endpoint
        if isinstance(error, TaxiwayError) and not (self.count and isinstance(error, WorkerLost)):
            return error
        if isinstance(error, WorkerLost):
            return StreamCut(endpoint=endpoint, pieces=self.count, cause="its worker died")
        if isinstance(error, HungUp):
            return CallerGone(endpoint=endpoint)
        if not self.count:
            return DeadlinePassed(endpoint=endpoint, deadline_s=self.limits.deadline_s)
        return StreamCut(endpoint=endpoint, pieces=self.count, cause=TOO_LONG)

    def note_whole(self, spent_s: float) -> None:
        crew, served = self.crew, self.crew.served
        crew.requests += 1
        crew.rows += 1
        crew.latencies_ms.append(self.first_ms)
        crew.tally.now.requests += 1
        self.gateway.metrics.answered(served.endpoint, served.number, spent_s * 1000, 1)

    async def note_failure(self, refusal: TaxiwayError, at: datetime, began: float) -> None:
        """Counts it, and records it where the model had begun, or raised."""
        self.crew.note_unanswered(refusal)
        if isinstance(refusal, ITS_FAULT) and not self.is_ended:
            self.gateway.fleet.blame(self.crew, self.asked.rows, refusal)
        if isinstance(refusal, AnswerNotRecorded):
            return  # it was counted, once
        if self.count or isinstance(refusal, ModelRaised):
            if isinstance(refusal, EndpointStopped):
                said = f"cut after {self.count} pieces: the endpoint was stopped"
            elif isinstance(refusal, CallerGone):
                said = f"abandoned after {self.count} pieces: the caller hung up"
            else:
                said = refusal.problem if isinstance(refusal, ModelRaised) else str(refusal)
            told = f"{said} [{self.count} pieces, the first after {self.first_ms:.0f} ms]"
            told = Abandoned(told) if isinstance(refusal, CallerGone) else told
            with contextlib.suppress(AnswerNotRecorded):  # it is counted, and the caller is told of the first failure
                await self.record(at, began, told)

    async def record(self, at: datetime, began: float, result: list[bytes] | str) -> None:
        latency_ms = (time.perf_counter() - began) * 1000
        await self.gateway.record(self.crew, self.call, self.asked, at, latency_ms, result)


def end_streams(gateway: Gateway) -> None:
    """Before the gateway's end: none is cut without a word."""
    for stream in gateway.streams:
        stream.end("its gateway was told to end")


async def until_gone(receive: Receive) -> None:
    """Until the caller goes away."""
    while (await receive())["type"] != "http.disconnect":
        pass


def facts_of(refusal: TaxiwayError, request_id: str) -> dict[str, object]:
    """An error as an event has it, for the SDK to revive."""
    name = type(refusal).__name__
    return {
        "status": refusal.status,
        "error": name,
        "detail": str(refusal),
        "facts": refusal.facts(),
        "request_id": request_id,
    }
