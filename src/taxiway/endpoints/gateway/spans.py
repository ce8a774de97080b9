"""A span for each answered or failed request, sent to a collector (OTLP over HTTP, in JSON) that an admin named.

Where nobody did, nothing is made and nothing leaves. Spans wait in memory, a bounded number of them: a collector that
is away or slow costs spans, counted, and no answer.
"""

from __future__ import annotations

import asyncio
import http.client
import logging
import time
from collections import deque
from contextlib import closing
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import msgspec

from taxiway.kernel.version import VERSION

MOST_WAITING = 4096
MOST_AT_ONCE = 512
EVERY_S = 1.0
PATIENCE_S = 5.0
SERVER = 2  # the kind of a span that answers a request
FAILED = 2  # its status
log = logging.getLogger("taxiway.gateway")


class Span(NamedTuple):
    """One request. began_ns, ended_ns: since 1970. parent: the caller's span; empty where it began here."""

    trace_id: str
    span_id: str
    parent: str
    name: str
    began_ns: int
    ended_ns: int
    told: dict[str, str | int]
    error: str = ""


class Spans:
    """What waits for a collector. url: its address, without the path that OTLP gives to traces."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.waiting: deque[Span] = deque()
        self.sent = self.dropped = 0
        self.due = 0.0
        self.task: asyncio.Task[None] | None = None
        self.problem = ""

    def add(self, span: Span) -> None:
        if len(self.waiting) >= MOST_WAITING:
            self.dropped += 1
            return
        self.waiting.append(span)

    def tick(self) -> None:
        """Sends what waits, once a second, while requests go on."""
        is_busy = self.task is not None and not self.task.done()
        if self.waiting and not is_busy and time.monotonic() >= self.due:
            self.due = time.monotonic() + EVERY_S
            self.task = asyncio.get_running_loop().create_task(self.flush())

    async def flush(self) -> None:
        """Sends until nothing waits, or the collector does not take it: then those at hand are dropped."""
        loop = asyncio.get_running_loop()
        while self.waiting:
            some = [self.waiting.popleft() for _ in range(min(MOST_AT_ONCE, len(self.waiting)))]
            try:
                await loop.run_in_executor(None, post, self.url, body_of(some))
                self.sent += len(some)
                self.problem = ""
            except (OSError, http.client.HTTPException, ValueError) as e:
                self.dropped += len(some)
                if str(e) != self.problem:  # once, however long it lasts
                    log.error("%s takes no spans: %s", self.url, e)  # noqa: TRY400  the cause is in the sentence
                self.problem = str(e)
                return


def post(url: str, body: bytes) -> None:
    """Raises OSError, HTTPException, and ValueError where the collector refuses."""
    to = urlsplit(url)
    kind = http.client.HTTPSConnection if to.scheme == "https" else http.client.HTTPConnection
    with closing(kind(to.hostname or "", to.port, timeout=PATIENCE_S)) as connection:
        path = f"{to.path.rstrip('/')}/v1/traces"
        connection.request("POST", path, body, {"Content-Type": "application/json"})
        answer = connection.getresponse()
        said = answer.read(500).decode(errors="replace")
    if answer.status >= 300:
        raise ValueError(f"{answer.status} {said}")


def body_of(spans: list[Span]) -> bytes:
    """An ExportTraceServiceRequest in OTLP's JSON: ids in hex, times and integers as texts."""
    named = attributes({"service.name": "taxiway-gateway", "service.version": VERSION})
    scoped = {"scope": {"name": "taxiway.gateway"}, "spans": [encoded(span) for span in spans]}
    return msgspec.json.encode({"resourceSpans": [{"resource": {"attributes": named}, "scopeSpans": [scoped]}]})


def encoded(span: Span) -> dict[str, Any]:
    found: dict[str, Any] = {
        "traceId": span.trace_id,
        "spanId": span.span_id,
        "name": span.name,
        "kind": SERVER,
        "startTimeUnixNano": str(span.began_ns),
        "endTimeUnixNano": str(span.ended_ns),
        "attributes": attributes(span.told),
        "status": {"code": FAILED, "message": span.error} if span.error else {},
    }
    return found | ({"parentSpanId": span.parent} if span.parent else {})


def attributes(told: dict[str, str | int]) -> list[dict[str, Any]]:
    return [
        {"key": key, "value": {"stringValue": value} if isinstance(value, str) else {"intValue": str(value)}}
        for key, value in told.items()
    ]
