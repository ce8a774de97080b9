"""`/metrics` of the server's own port, for Prometheus: what it was asked, how long that took, and what nouns add."""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from taxiway.kernel.caller import Caller
from taxiway.kernel.exposition import LATENCIES_MS, TEXT, Histogram, Page
from taxiway.web.doorkeeper import Doorkeeper
from taxiway.web.health import health

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")  # a caller may make up others
Teller = Callable[[Caller, Page], None]  # adds what a caller may see of a noun


class Counted:
    """Requests since the server began, by method and kind of status, and how long they took."""

    def __init__(self) -> None:
        self.began = time.time()
        self.requests: Counter[tuple[str, str]] = Counter()
        self.took = Histogram(LATENCIES_MS)

    def add(self, method: str, status: int, took_ms: float) -> None:
        """One request. status: 0 where it was left before an answer began."""
        self.requests[(method if method in METHODS else "other", f"{status // 100}xx" if status else "none")] += 1
        self.took.add(took_ms)


class Metrics:
    """Answers whoever may read endpoints; of each noun what they may see."""

    def __init__(self, doorkeeper: Doorkeeper, tellers: Sequence[Teller]) -> None:
        self.doorkeeper, self.tellers = doorkeeper, tellers
        self.counted = Counted()
        self.routes = [Route("/health", health), Route("/metrics", self.answer, methods=["GET"])]

    async def answer(self, request: Request) -> Response:
        """Raises SignInNeeded where people sign in and no token is given."""
        caller = await self.doorkeeper.identify_soon(request, accepts_cookie=False)
        admitted = await self.doorkeeper.admit_soon(caller, needs="endpoints.read", scope="platform", path={})
        body = await run_in_threadpool(self.page, admitted)
        return Response(body, media_type=TEXT.decode(), headers={"Cache-Control": "no-store"})

    def page(self, caller: Caller) -> bytes:
        page, counted = Page(), self.counted
        page.metric("taxiway_server_start_time_seconds", "gauge", "When the server began.", [((), counted.began)])
        page.metric("taxiway_server_cpu_seconds_total", "counter", "Its processor time.", [((), time.process_time())])
        page.metric("taxiway_server_memory_bytes", "gauge", "Its resident memory.", [((), resident_bytes())])
        asked = [((("method", m), ("status", s)), float(n)) for (m, s), n in sorted(counted.requests.items())]
        page.metric("taxiway_server_requests_total", "counter", "Requests, by method and kind of status.", asked)
        page.histogram(
            "taxiway_server_request_duration_seconds", "Until the answer was out.", [((), counted.took)], 0.001
        )
        for tell in self.tellers:
            tell(caller, page)
        return page.text()


def resident_bytes() -> float:
    """Resident memory of this process; 0 where the system does not say it so."""
    try:
        return float(int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE"))
    except OSError:
        return 0.0
