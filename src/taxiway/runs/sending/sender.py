"""The thread that ships what a run says, and tells once when it cannot."""

from __future__ import annotations

import logging
import os
import threading
import time
import weakref
from collections.abc import Callable
from typing import Any

from msgspec import Struct

from taxiway.kernel.errors import TaxiwayError, Unexpected
from taxiway.runs.refusals import SpoolUnusable
from taxiway.runs.sending.delivery import Delivery, Done, NotNow
from taxiway.runs.sending.stream import Stream

log = logging.getLogger("taxiway")

FLUSH_S = 0.5
ALIVE_S = 30.0
LONGEST_PAUSE_S = 10.0
MANY = 1_000  # points that wake the thread before its time


class Outcome(Struct, frozen=True):
    """How a sender ended: what waits in the spool, what is lost with this process, and what the server refused.

    waiting, lost: points, parameters and tags. dropped: of the lost, those that found no room at all, files too.
    """

    waiting: int
    lost: int
    dropped: int
    is_delivered: bool
    cause: str
    refusal: TaxiwayError | None


class Sender:
    """Ships a stream from a thread of its own: in order, each record until it is acknowledged or refused."""

    def __init__(self, stream: Stream, delivery: Delivery, about: str) -> None:
        self.stream = stream
        self.delivery = delivery
        self.about = about
        self.has_warned = False
        self._begin()
        living.add(self)

    def _begin(self) -> None:
        self.delivery.held = self.stream.memory.held
        self.change = threading.Condition()
        self.answers: dict[int, Any] = {}
        self.refusals: dict[int, TaxiwayError] = {}
        self.asked: set[int] = set()  # the records whose answer somebody waits for
        self.kept: set[int] = set()  # those whose answer somebody will fetch, at some time
        self.cause: TaxiwayError | None = None  # why the server could not be told, while it cannot
        self.is_heard = False  # whether the server has answered yet
        self.met = threading.Event()  # whether somebody answers there at all was found out
        self.has_told_trouble = False
        self.pause_s = FLUSH_S
        self.sent_at = time.monotonic()
        self.until: float | None = None  # once stopping: when to give up
        self.wake = threading.Event()
        self.thread = threading.Thread(target=self._work, name="taxiway-sender", daemon=True)
        self.thread.start()

    # --- the caller's side ---

    def put(self, payload: bytes, items: int) -> int:
        return self.stream.put(payload, items)

    def ask(self, put: Callable[[], int], wait_s: Callable[[], float]) -> Any:
        """Puts a record, and gives the server's answer to it, or None where it does not come soon.

        wait_s: for how long, found out once the record is on its way. Raises what the server refused.
        """
        with self.change:
            number = put()
            self.asked.add(number)
        self.wake.set()
        try:
            return self.answer_to(number, wait_s())
        finally:
            with self.change:
                self.asked.discard(number)
                self.answers.pop(number, None)

    def expect(self, put: Callable[[], int]) -> int:
        """Puts a record whose answer is kept until somebody asks for it; gives its number."""
        with self.change:
            number = put()
            self.kept.add(number)
        self.wake.set()
        return number

    def answer_to(self, number: int, wait_s: float, *, is_patient: bool = False) -> Any:
        """The server's answer to a record that was expected, or None where it does not come soon.

        is_patient: also while the server is away. Raises what the server refused, which is then known.
        """
        until = time.monotonic() + wait_s
        with self.change:
            while self.stream.done_records < number and self.thread.is_alive() and (is_patient or self.cause is None):
                if not self.change.wait(until - time.monotonic()):
                    break
            if number in self.refusals:
                raise self.refusals.pop(number)
            return self.answers.get(number)

    def flush(self, wait_s: float) -> bool:
        """Waits until all is acknowledged; False where that took too long."""
        until = time.monotonic() + wait_s
        number = self.stream.put_records
        with self.change:
            while self.stream.done_records < number:
                left = until - time.monotonic()
                if left <= 0 or not self.thread.is_alive():
                    return False
                self.wake.set()
                self.change.wait(min(left, FLUSH_S))
        return True

    def stop(self, wait_s: float) -> Outcome:
        """Ships what is left, for at most this long, and ends the thread."""
        self.until = time.monotonic() + wait_s
        self.wake.set()
        self.thread.join(wait_s + 1)
        living.discard(self)
        stream = self.stream
        lost = stream.memory.items + stream.dropped
        refusal = next(iter(self.refusals.values()), None)
        cause = str(self.cause) if self.cause else stream.trouble
        return Outcome(stream.waiting, lost, stream.dropped, stream.is_delivered, cause, refusal)

    def begin_in_child(self) -> None:
        """After a fork: what waits is the parent's to send; this process ships a stream of its own."""
        self.stream.begin_in_child()
        self._begin()

    # --- the sender's side ---

    def _work(self) -> None:
        self.delivery.meet()
        self.met.set()
        while True:
            while self._ship():
                pass
            if self.until is not None and (self.stream.is_delivered or time.monotonic() > self.until):
                self.delivery.transport.close()
                self.stream.close()
                return
            self.wake.wait(self._pause())
            self.wake.clear()

    def _pause(self) -> float:
        if self.until is not None:
            return min(max(self.until - time.monotonic(), 0.0), FLUSH_S)
        return self.pause_s if self.cause else FLUSH_S

    def _ship(self) -> bool:
        """Delivers one piece; whether to go on with the next at once."""
        try:
            if self.cause is not None:
                self.delivery.knock()
            source = self.stream.oldest()
            done = self.delivery.next(source) if source is not None else None
            if done is None:
                self._say_alive()
                return False
        except NotNow as e:
            self._wait_for_server(e.cause)
            return False
        except OSError as e:  # the spool cannot be read, or its mark not be moved
            self._wait_for_server(SpoolUnusable(cause=e.strerror or str(e)))
            return False
        except Exception as e:  # noqa: BLE001 - the worker loop: what nobody foresaw must not end all delivery
            self._wait_for_server(Unexpected(detail=f"What was logged cannot be sent: {e!r}."))
            return False
        self._note(done)
        return self.until is None or time.monotonic() < self.until

    def _note(self, done: Done) -> None:
        if self.cause is not None:
            log.info("%s: the server answers again; what waited is being delivered", self.about)
        self.pause_s, self.sent_at = FLUSH_S, time.monotonic()
        with self.change:
            number = self.stream.done_records + done.records
            if done.refusal is not None:
                self.refusals[number] = done.refusal
                if number not in self.asked | self.kept:
                    log.warning("%s: %s", self.about, done.refusal)
            elif number in self.asked | self.kept:
                self.answers[number] = done.answer
            self.stream.note(done.records, done.items, done.copied_bytes)
            self.cause, self.is_heard = None, True
            self.change.notify_all()
        self._tell_trouble()

    def _say_alive(self) -> None:
        if time.monotonic() - self.sent_at > ALIVE_S and self.until is None and self.is_heard:
            self.sent_at = time.monotonic()
            self.delivery.say_alive(self.stream.memory.writer)
            self.cause = None
        self._tell_trouble()

    def _wait_for_server(self, cause: TaxiwayError) -> None:
        """Tries again later, at growing distances. It is said once, unless who asked hears it and may give up."""
        with self.change:
            is_heard = bool(self.asked)
            self.cause = cause
            self.change.notify_all()
        self._tell_trouble()
        is_over = self.until is not None and time.monotonic() > self.until
        if not (self.has_warned or is_heard or is_over):
            self.has_warned = True
            log.warning(
                "%s: %s Logging goes on in %s and is delivered when it can be; after the end of this process, "
                "`taxiway runs sync` delivers what is left.",
                self.about,
                cause,
                self.stream.folder if self.stream.files else "memory",
            )
        self.pause_s = min(self.pause_s * 2, LONGEST_PAUSE_S)
        self.sent_at = time.monotonic()

    def _tell_trouble(self) -> None:
        """Says once that the spool has no room: what is not delivered then is lost with the process."""
        if self.stream.trouble and not self.has_told_trouble:
            self.has_told_trouble = True
            log.warning(
                "%s: %s cannot be written: %s. Logging goes on in memory; what is not delivered from there before "
                "this process ends is lost, and counted.",
                self.about,
                self.stream.folder,
                self.stream.trouble,
            )


living: weakref.WeakSet[Sender] = weakref.WeakSet()


def begin_again() -> None:
    for sender in list(living):
        sender.begin_in_child()


os.register_at_fork(after_in_child=begin_again)
