"""The thread that ships what a run logs: batches of up to a thousand points, each sent until it is acknowledged."""

from __future__ import annotations

import logging
import os
import threading
import time
import weakref
from collections import deque
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from msgspec import Struct

from taxiway.kernel.errors import SignInNeeded, TaxiwayError, Unexpected
from taxiway.kernel.ids import new_id
from taxiway.kernel.numbers import to_wire
from taxiway.runs.compare import Scalar
from taxiway.runs.contract import LogBatch, Point

log = logging.getLogger("taxiway")

Measured = tuple[str, int, int, float]  # key, step, microseconds since 1970, value

MOST_IN_A_BATCH = 1_000
MOST_IN_MEMORY = 1_000_000  # some 150 MB; what comes after is counted and told, not kept
FLUSH_S = 0.5
ALIVE_S = 30.0
LONGEST_PAUSE_S = 10.0
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Outcome(Struct, frozen=True):
    """How a sender ended: what it could not deliver, why, and what the server would not take."""

    undelivered: int
    cause: str
    refusal: TaxiwayError | None


class Sender:
    """Takes points from the caller's thread at the price of an append, and ships them from its own.

    send: delivers a batch; raises what the server refused. A batch that fails for want of a server is sent again,
    under the same number, until it arrives; one that the server will not have is told and left.
    close: called by the thread when it ends, to close its connection.
    """

    def __init__(self, send: Callable[[LogBatch], object], close: Callable[[], None], about: str) -> None:
        self.send = send
        self.close = close
        self.about = about
        self.points: deque[Measured] = deque()
        self.pairs: deque[tuple[str, str, Scalar]] = deque()  # "params" or "tags", name, value
        self.dropped = 0
        self._begin()
        living.add(self)

    def _begin(self) -> None:
        """Starts the thread, with a writer id of its own."""
        self.writer = new_id()
        self.seq = 0
        self.current: LogBatch | None = None
        self.cause = ""
        self.refusal: TaxiwayError | None = None
        self.is_away = False
        self.pause_s = FLUSH_S
        self.sent_at = time.monotonic()
        self.until: float | None = None  # once stopping: when to give up
        self.wake = threading.Event()
        self.thread = threading.Thread(target=self._work, name=f"taxiway-sender-{self.about[:8]}", daemon=True)
        self.thread.start()

    # --- the caller's side ---

    def put(self, point: Measured) -> None:
        if len(self.points) >= MOST_IN_MEMORY:
            self.dropped += 1
            return
        self.points.append(point)
        if len(self.points) == MOST_IN_A_BATCH:
            self.wake.set()

    def put_pair(self, kind: str, name: str, value: Scalar) -> None:
        self.pairs.append((kind, name, value))

    @property
    def waiting(self) -> int:
        """How many items were not acknowledged yet."""
        current = self.current
        return len(self.points) + len(self.pairs) + (items_of(current) if current else 0)

    def flush(self, wait_s: float) -> bool:
        """Waits until all is acknowledged; False where that took too long."""
        until = time.monotonic() + wait_s
        while self.waiting:
            if time.monotonic() > until or not self.thread.is_alive():
                return False
            self.wake.set()
            time.sleep(0.002)
        return True

    def stop(self, wait_s: float) -> Outcome:
        """Ships what is left, for at most this long, and ends the thread."""
        self.until = time.monotonic() + wait_s
        self.wake.set()
        self.thread.join(wait_s + 1)
        living.discard(self)
        return Outcome(self.waiting + self.dropped, self.cause, self.refusal)

    def begin_in_child(self) -> None:
        """After a fork: what waits is the parent's to send; this process counts afresh under its own writer id."""
        self.points.clear()
        self.pairs.clear()
        self.dropped = 0
        self._begin()

    # --- the sender's side ---

    def _work(self) -> None:
        while True:
            self.wake.wait(self.pause_s if self.is_away else FLUSH_S)
            self.wake.clear()
            while self._ship():
                pass
            if self.until is not None and (not self.waiting or time.monotonic() > self.until):
                self.close()
                return

    def _ship(self) -> bool:
        """Sends one batch; whether to go on with the next at once."""
        if self.current is None:
            self.current = self._next()
        if self.current is None:
            if time.monotonic() - self.sent_at > ALIVE_S and self.until is None:
                self._deliver(LogBatch(self.writer, self.seq))
            return False
        if not self._deliver(self.current):
            return False
        self.seq += items_of(self.current)
        self.current = None
        return True

    def _deliver(self, batch: LogBatch) -> bool:
        """Whether the batch is off our hands: stored, or refused for good."""
        try:
            self.send(batch)
        except TaxiwayError as e:
            if e.status >= 500 or isinstance(e, SignInNeeded):
                self._wait_for_server(e)
                return False
            self._leave(e)
        except Exception as e:  # noqa: BLE001 - the worker loop: a batch that cannot be sent costs itself alone
            self._leave(Unexpected(detail=f"A batch could not be sent: {e!r}"))
        if self.is_away:
            log.warning("%s: the server answers again; what waited is being delivered", self.about)
        self.is_away, self.pause_s, self.sent_at = False, FLUSH_S, time.monotonic()
        return True

    def _leave(self, refusal: TaxiwayError) -> None:
        """Tells of a batch that will never be stored."""
        self.refusal = self.refusal or refusal
        log.warning("%s: %s", self.about, refusal)

    def _wait_for_server(self, error: TaxiwayError) -> None:
        if not self.is_away:
            log.warning("%s: %s Logging goes on in memory and is delivered when it can be.", self.about, error)
        self.is_away, self.cause = True, str(error)
        self.pause_s = min(self.pause_s * 2, LONGEST_PAUSE_S)
        self.sent_at = time.monotonic()

    def _next(self) -> LogBatch | None:
        """The next batch. Parameters and tags travel apart from points, so that a refused one takes none along."""
        if self.pairs:
            given: dict[str, dict[str, Scalar]] = {"params": {}, "tags": {}}
            while self.pairs and sum(map(len, given.values())) < MOST_IN_A_BATCH:
                kind, name, value = self.pairs[0]
                if name in given[kind]:
                    break  # given twice: the second goes with the next batch
                given[kind][name] = value
                self.pairs.popleft()
            tags = {name: str(value) for name, value in given["tags"].items()}
            return LogBatch(self.writer, self.seq, params=given["params"], tags=tags)
        points: list[Point] = []
        while self.points and len(points) < MOST_IN_A_BATCH:
            key, step, at, value = self.points.popleft()
            points.append(Point(key, to_wire(value), step, EPOCH + timedelta(microseconds=at)))
        return LogBatch(self.writer, self.seq, points) if points else None


def items_of(batch: LogBatch) -> int:
    return len(batch.points) + len(batch.params) + len(batch.tags)


living: weakref.WeakSet[Sender] = weakref.WeakSet()


def begin_again() -> None:
    for sender in list(living):
        sender.begin_in_child()


os.register_at_fork(after_in_child=begin_again)
