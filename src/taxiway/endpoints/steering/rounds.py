"""What a server looks after beside its requests: its gateway, the gateway's file, its counters and its log."""

from __future__ import annotations

import logging
import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from taxiway.endpoints.canary.looking import Attendant
from taxiway.endpoints.gateway.address import Address, read_address
from taxiway.endpoints.inferences.ageing.apart import Apart
from taxiway.endpoints.inferences.ageing.sealing import Halted, seal_and_merge
from taxiway.endpoints.inferences.logs.service import Logs
from taxiway.endpoints.service import Endpoints
from taxiway.endpoints.steering.publishing import Front
from taxiway.endpoints.steering.sampling import Sampler
from taxiway.endpoints.steering.supervision import ensure_gateway, stop_gateway
from taxiway.kernel.errors import TaxiwayError

TICK_S = 0.5
REFRESH_S = 1.0
SAMPLE_S = 5.0
ATTEND_S = 1.0
SEAL_S = 30.0
LAST_SEAL_S = 1.0  # for what is left when the server ends; the rest is sealed by the next one
PAUSE_S = 5.0  # after a gateway that did not start
ELSEWHERE = "another server on this database looks after the endpoints"
log = logging.getLogger("taxiway.endpoints")


class Task:
    """Something to do again and again."""

    def __init__(self, act: Callable[[], None], every_s: float) -> None:
        self.act = act
        self.every_s = every_s
        self.due = 0.0

    def is_due(self) -> bool:
        return time.monotonic() >= self.due


class Rounds:
    """A thread that goes round until the server stops. The gateway outlives it, unless `stop` is called."""

    def __init__(
        self, endpoints: Endpoints, *, host: str, port: int, front: Front, is_on_duty: Callable[[], bool]
    ) -> None:
        """port: where a new gateway listens if that is free; a running one keeps its own.

        is_on_duty: whether this server looks after the gateway; another one on its database may do it instead.
        """
        self.endpoints = endpoints
        self.front = front
        self.is_on_duty = is_on_duty
        self.sampler = Sampler(endpoints)
        self.attendant = Attendant(endpoints)
        self.logs = Logs(endpoints)
        self.apart = Apart(self.home)
        self.host = host
        self.port = port
        self.tasks = [
            Task(self.refresh, REFRESH_S),
            Task(self.sample, SAMPLE_S),
            Task(self.attend, ATTEND_S),
            Task(self.seal, SEAL_S),
            Task(self.gather, TICK_S),
        ]
        self.is_stopping = threading.Event()
        self.is_met = threading.Event()  # the gateway was found or started, or that failed
        self.problem = ""  # why there is no gateway
        self.next_start = 0.0
        self.has_duty = False
        self.failing: dict[str, str] = {}  # the tasks that failed when last tried, and how
        self.unsealed: set[str] = set()  # what the last round could not seal
        self.seal_until = 0.0  # once the server stops
        self.thread = threading.Thread(target=self._go, name="taxiway-rounds", daemon=True)

    @property
    def home(self) -> Path:
        return self.endpoints.home

    def start(self) -> None:
        self.thread.start()

    def meet(self, wait_s: float) -> Address | None:
        """The gateway's address, once it answers; None where it does not in time, and `problem` says why."""
        self.is_met.wait(wait_s)
        if not self.is_met.is_set() or self.problem:
            return None
        try:
            return read_address(self.home)
        except OSError as e:
            self.problem = f"where the gateway answers cannot be read: {e.strerror or e}"
            log.error("No gateway is known: %s", self.problem)  # noqa: TRY400  the cause says it all
            return None

    def stop(self) -> None:
        """Ends the gateway when it has answered what it holds, then brings home what it left, as far as time allows."""
        self.is_stopping.set()
        if self.thread.is_alive():
            self.thread.join(20)
        self.apart.stop()
        if self.has_duty:
            stop_gateway(self.home)
            self.seal_until = time.monotonic() + LAST_SEAL_S
            for last in (self.sample, self.seal_now):
                self._try(last)

    def _go(self) -> None:
        while not self.is_stopping.is_set():
            if self.is_on_duty():
                self._round()
            else:
                self.has_duty, self.problem = False, ELSEWHERE
                self.apart.stop()
                self.is_met.set()
            self.is_stopping.wait(TICK_S)
        self.apart.stop()  # it would be killed, amid a file, once this thread is over

    def _round(self) -> None:
        if not self.has_duty:
            self._begin()
        self._try(self.watch)
        for task in self.tasks:
            if task.is_due() and not self.is_stopping.is_set():
                self._try(task.act)
                task.due = time.monotonic() + task.every_s

    def _begin(self) -> None:
        """Takes the duty up. The gateway finds what it should serve, since that is written before it starts."""
        self.has_duty = True
        self.problem = ""
        self.endpoints.publisher.front = self.front
        self._try(self.refresh)

    def _try(self, task: Callable[[], None]) -> None:
        """A round goes on whatever one of its tasks meets; the next one tries again."""
        try:
            task()
        except TaxiwayError as refusal:
            log.error("%s", refusal)  # noqa: TRY400  the refusal says it all
        except Exception as e:  # the worker loop: the next round starts afresh
            if self.failing.get(task.__name__) != repr(e):  # once, however many rounds it lasts
                log.exception("A round failed at %s", task.__name__)
            self.failing[task.__name__] = repr(e)
        else:
            self.failing.pop(task.__name__, None)

    def watch(self) -> None:
        """Starts the gateway where none runs."""
        address = read_address(self.home)
        is_there = address is not None and address.is_alive() and self.is_met.is_set()
        if is_there or time.monotonic() < self.next_start:
            return
        try:
            ensure_gateway(self.home, free_or_any(self.host, self.port), self.host)
            self.problem = ""
        except (TaxiwayError, OSError) as e:
            self.problem = str(e)
            self.next_start = time.monotonic() + PAUSE_S
            raise
        finally:
            self.is_met.set()

    def refresh(self) -> None:
        """Brings the gateway's file up to date, and notes which revisions arrived."""
        self.endpoints.stock()
        self.endpoints.publisher.refresh()
        self.sampler.note_arrivals()
        self.sampler.note_falls()

    def sample(self) -> None:
        self.sampler.sample()

    def attend(self) -> None:
        """Looks at canaries whose clusters or labels have grown, and does what they show."""
        self.attendant.round()

    def seal(self) -> None:
        """Has closed segments of the inference log turned into Parquet, and many small files into larger ones."""
        if not self.apart.begin(self.endpoints.publisher.writer.clock()):
            self.logs.retain()

    def gather(self) -> None:
        """What became of the sealing; old records go only while nobody seals."""
        report = self.apart.ended()
        if report is not None:
            self.tell_unsealed(set(report.problems))
            self.logs.retain()

    def seal_now(self) -> None:
        """The same as `seal` here and now, as long as `look` lets it."""
        with suppress(Halted):
            found = seal_and_merge(self.home, self.endpoints.publisher.writer.clock(), self.look)
            self.tell_unsealed({str(each) for each in found})

    def tell_unsealed(self, problems: set[str]) -> None:
        for problem in sorted(problems - self.unsealed):  # once, however many rounds it lasts
            log.error("%s", problem)
        self.unsealed = problems

    def look(self) -> None:
        """Breaks the sealing off once the server stops. Raises Halted."""
        if self.is_stopping.is_set() and time.monotonic() >= self.seal_until:
            raise Halted


def free_or_any(host: str, port: int) -> int:
    """The port if nobody listens there, else 0, which takes any free one."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except (OSError, OverflowError):
            return 0
    return port
