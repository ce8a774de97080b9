"""The one way to change anything: one writer, many requests in a commit, each in a savepoint of its own.

A request that fails undoes itself alone; a commit that fails fails every request in it. An answer is given only
after the commit reached the disk. With an idempotency key, the answer is kept in the same transaction.
"""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from datetime import datetime, timedelta
from typing import Any, Generic, TypeVar

import msgspec
from msgspec import Struct
from sqlalchemy import Connection, delete, insert, select
from sqlalchemy.exc import DBAPIError

from taxiway.kernel.clock import Clock
from taxiway.kernel.errors import DiskFull, KeyReused, TaxiwayError, Unavailable
from taxiway.storage.database import Database
from taxiway.storage.tables import requests

T = TypeVar("T")

log = logging.getLogger("taxiway.storage")

MOST_IN_A_COMMIT = 256
KEYS_LIVE = timedelta(days=7)
# Errors after which the transaction as a whole is gone. SQLite rolls back by itself when the disk fills up, which
# shows as a savepoint that is no more; going on would run the next request outside any transaction.
FATAL = (
    "disk is full",
    "disk I/O error",
    "database is locked",
    "readonly database",
    "malformed",
    "No space left",
    "no such savepoint",
)


class Change:
    """A transaction in progress: its connection, its time, and what to do once it is on the disk."""

    def __init__(self, connection: Connection, at: datetime) -> None:
        self.connection = connection
        self.at = at
        self.after: list[Callable[[], None]] = []

    def after_commit(self, act: Callable[[], None]) -> None:
        """Has `act` called on the writer's thread once the change is durable; keep it short, it must not raise."""
        self.after.append(act)


class Key(Struct, frozen=True):
    """An idempotency key and the digest of the request that it stands for."""

    key: str
    fingerprint: str


class Job(Generic[T]):
    """One request on its way through the writer."""

    def __init__(self, make: Callable[[Change], T], key: Key | None, answer: type[T] | None) -> None:
        self.make = make
        self.key = key
        self.answer = answer
        self.done: Future[T] = Future()


class Writer:
    """Runs changes one after the other on a thread of its own and commits them in groups."""

    def __init__(self, database: Database, clock: Clock, home: str) -> None:
        self.database = database
        self.clock = clock
        self.home = home
        self.jobs: queue.SimpleQueue[Job[Any] | None] = queue.SimpleQueue()
        self.thread = threading.Thread(target=self._work, name="taxiway-writer", daemon=True)
        self.is_closed = False
        self.thread.start()

    def write(self, make: Callable[[Change], T], *, key: Key | None = None, answer: type[T] | None = None) -> T:
        """What `make` returns, once it is durable. Raises what `make` raises, and then nothing was changed.

        key: the same key gives the first answer again without calling `make`; `answer` is the type to read it as.
        Raises KeyReused when the key came with another request, DiskFull, Unavailable.
        """
        if self.is_closed:
            raise Unavailable(what="The write path", cause="the server is stopping")
        if threading.current_thread() is self.thread:
            raise RuntimeError("a change may not wait for another change; do both in one")
        job = Job(make, key, answer)
        self.jobs.put(job)
        return job.done.result()

    def close(self) -> None:
        """Finishes what is queued and stops."""
        self.is_closed = True
        self.jobs.put(None)
        self.thread.join()

    def _work(self) -> None:
        is_open = True
        while is_open:
            batch: list[Job[Any]] = []
            first = self.jobs.get()
            while first is not None:
                batch.append(first)
                if len(batch) == MOST_IN_A_COMMIT or self.jobs.empty():
                    break
                first = self.jobs.get()
            is_open = first is not None
            if batch:
                self._commit(batch)

    def _commit(self, batch: list[Job[Any]]) -> None:
        outcomes: list[tuple[Job[Any], Any, BaseException | None]] = []
        after: list[Callable[[], None]] = []
        try:
            with self.database.engine.connect() as raw:
                connection = raw.execution_options(taxiway_writer=True)
                with connection.begin():
                    outcomes = [(job, *self._attempt(job, connection, after)) for job in batch]
        except Exception as e:  # noqa: BLE001 - the worker loop: every waiting request is told, the next batch starts afresh
            failure = self._failure(e)
            for job in batch:
                job.done.set_exception(failure)
            return
        for act in after:
            try:
                act()
            except Exception:  # the worker loop: the change is durable, and its caller is told so
                log.exception("What follows a change failed at %s", getattr(act, "__qualname__", act))
        for job, result, error in outcomes:
            if error is not None:
                job.done.set_exception(error)
            else:
                job.done.set_result(result)

    def _attempt(
        self, job: Job[Any], connection: Connection, after: list[Callable[[], None]]
    ) -> tuple[Any, BaseException | None]:
        change = Change(connection, self.clock())
        try:
            with connection.begin_nested():
                result = self._make_once(job, change)
        except Exception as e:  # a plug-in call: the request's own failure is the request's own answer
            if is_fatal(e):
                raise
            return None, e
        after.extend(change.after)
        return result, None

    def _make_once(self, job: Job[Any], change: Change) -> Any:
        if job.key is None:
            return job.make(change)
        known = change.connection.execute(select(requests).where(requests.c.key == job.key.key)).first()
        if known is not None:
            if known.fingerprint != job.key.fingerprint:
                raise KeyReused(key=job.key.key)
            return msgspec.json.decode(known.answer, type=job.answer or Any)
        result = job.make(change)
        row = {
            "key": job.key.key,
            "fingerprint": job.key.fingerprint,
            "answer": msgspec.json.encode(result),
            "at": change.at,
        }
        change.connection.execute(insert(requests).values(row))
        return result

    def _failure(self, error: Exception) -> TaxiwayError:
        texts = [str(getattr(e, "orig", e)) for e in chain(error)]
        if any("disk is full" in text or "No space left" in text for text in texts):
            return DiskFull(home=self.home)
        cause = next((text.splitlines()[0] for text in texts if text), type(error).__name__)
        return Unavailable(what="The database", cause=cause)

    def forget_old_keys(self) -> None:
        """Drops idempotency keys older than a week."""

        def forget(change: Change) -> None:
            change.connection.execute(delete(requests).where(requests.c.at < change.at - KEYS_LIVE))

        self.write(forget)


def chain(error: BaseException | None) -> Iterator[BaseException]:
    """An error and what led to it."""
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def is_fatal(error: Exception) -> bool:
    """Whether an error ended the whole transaction, not just its savepoint."""
    if not isinstance(error, DBAPIError):
        return False
    text = str(error.orig)
    return error.connection_invalidated or any(sign in text for sign in FATAL)
