"""The one way to change anything: one writer, many requests in a commit, each in a savepoint of its own.

A request that fails undoes itself alone; a commit that fails fails every request in it. An answer is given only
after the commit reached the disk. With an idempotency key, the answer is kept in the same transaction.

Requests of a lane are many, small and alike: those that arrive together are applied by one function, which says of
each what became of it. Where that function fails, each is tried again alone.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import queue
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future
from datetime import datetime, timedelta
from typing import Any, Generic, NamedTuple, TypeVar

import msgspec
from msgspec import Struct
from sqlalchemy import Connection, delete, insert, select
from sqlalchemy.exc import DBAPIError

from taxiway.kernel.clock import Clock
from taxiway.kernel.errors import DiskFull, KeyReused, TaxiwayError, Unavailable
from taxiway.storage.database import Database
from taxiway.storage.tables import requests

T = TypeVar("T")
Item = TypeVar("Item")

log = logging.getLogger("taxiway.storage")

STOPPING = Unavailable(what="The write path", cause="the server is stopping")
MOST_IN_A_COMMIT = 256
GATHERED_WITHIN_S = 0.003  # less than a commit of its own takes on most disks
MOST_WAITING = 4096  # requests beyond it are refused while they are still cheap
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


class Lane(Generic[Item, T]):
    """Requests of one kind. apply: changes what all of them ask for, and gives each its answer or its refusal.

    A refused request must have changed nothing, so `apply` checks all of them before it changes anything.
    """

    def __init__(self, apply: Callable[[Change, Sequence[Item]], Sequence[T | TaxiwayError]]) -> None:
        self.apply = apply


class Job:
    """One request on its way through the writer. Its caller waits on a thread, or on the event loop `loop`."""

    def __init__(self, loop: asyncio.AbstractEventLoop | None) -> None:
        self.loop = loop
        self.done: Future[Any] | asyncio.Future[Any] = Future() if loop is None else loop.create_future()


class Single(Job):
    """A request that brings its own function."""

    def __init__(self, make: Callable[[Change], Any], key: Key | None, answer: Any) -> None:
        super().__init__(None)
        self.make = make
        self.key = key
        self.answer = answer


class Member(Job):
    """A request of a lane."""

    def __init__(self, lane: Lane[Any, Any], item: Any, loop: asyncio.AbstractEventLoop | None) -> None:
        super().__init__(loop)
        self.lane = lane
        self.item = item


class LaneFailed(Exception):
    """A lane failed where no savepoint was set: all of it is undone."""


class Outcome(NamedTuple):
    """What became of a request."""

    job: Job
    result: Any
    error: BaseException | None = None


class Writer:
    """Runs changes one after the other on a thread of its own and commits them in groups."""

    def __init__(self, database: Database, clock: Clock, home: str) -> None:
        self.database = database
        self.clock = clock
        self.home = home
        self.before_each: Callable[[], None] | None = None  # asked before a commit, which it may refuse
        self.jobs: queue.SimpleQueue[Job | None] = queue.SimpleQueue()
        self.thread = threading.Thread(target=self._work, name="taxiway-writer", daemon=True)
        self.is_closed = False
        self.thread.start()

    def write(self, make: Callable[[Change], T], *, key: Key | None = None, answer: type[T] | None = None) -> T:
        """What `make` returns, once it is durable. Raises what `make` raises, and then nothing was changed.

        key: the same key gives the first answer again without calling `make`; `answer` is the type to read it as.
        Raises KeyReused when the key came with another request, DiskFull, Unavailable.
        """
        result: T = self._wait(Single(make, key, answer))
        return result

    def merge(self, lane: Lane[Item, T], item: Item) -> T:
        """The lane's answer to this item, once it is durable. Raises its refusal, DiskFull, Unavailable."""
        result: T = self._wait(Member(lane, item, None))
        return result

    async def merge_soon(self, lane: Lane[Item, T], item: Item) -> T:
        """As `merge`, without a thread: the event loop is woken once for all that a commit answers."""
        job = Member(lane, item, asyncio.get_running_loop())
        self._put(job)
        assert isinstance(job.done, asyncio.Future)
        result: T = await job.done
        return result

    @property
    def is_within(self) -> bool:
        """Whether who asks is within a change."""
        return threading.current_thread() is self.thread

    def _wait(self, job: Job) -> Any:
        if self.is_within:
            raise RuntimeError("a change may not wait for another change; do both in one")
        self._put(job)
        assert isinstance(job.done, Future)
        return job.done.result()

    def _put(self, job: Job) -> None:
        if self.is_closed:
            raise STOPPING
        if self.jobs.qsize() >= MOST_WAITING:
            raise Unavailable(what="The write path", cause="too many changes are waiting")
        self.jobs.put(job)

    def close(self) -> None:
        """Finishes what is queued and stops."""
        self.is_closed = True
        self.jobs.put(None)
        self.thread.join()

    def _work(self) -> None:
        is_open = True
        lately = before = 0  # how many requests the last two commits had
        while is_open:
            batch: list[Job] = []
            first = self.jobs.get()
            self._gather(max(lately, before))
            while first is not None:
                batch.append(first)
                if len(batch) == MOST_IN_A_COMMIT or self.jobs.empty():
                    break
                first = self.jobs.get()
            is_open = first is not None
            lately, before = len(batch), lately
            if batch:
                tell(self._commit(batch, has_guards=not is_one_lane(batch)))
        while not self.jobs.empty():  # they came while the writer was being closed
            if (late := self.jobs.get()) is not None:
                tell([Outcome(late, None, STOPPING)])

    def _gather(self, expected: int) -> None:
        """Waits a moment for those who were answered together lately: they come back soon, and share a commit again.

        Who writes alone is not waited for.
        """
        until = time.monotonic() + GATHERED_WITHIN_S
        while 1 + self.jobs.qsize() < expected and not self.is_closed and time.monotonic() < until:
            time.sleep(GATHERED_WITHIN_S / 6)

    def _commit(self, batch: list[Job], *, has_guards: bool) -> list[Outcome]:
        """What became of every request of a batch, after the commit.

        has_guards: a savepoint around each part, so that it can fail alone. Requests of one lane by themselves do
        without at first: a transaction that fails is then done again with them.
        """
        outcomes: list[Outcome] = []
        after: list[Callable[[], None]] = []
        try:
            if self.before_each is not None:
                self.before_each()
            with self.database.engine.connect() as raw:
                connection = raw.execution_options(taxiway_writer=True)
                with connection.begin():
                    for lane, members in lanes(batch).items():
                        outcomes += self._together(lane, members, connection, after, has_guards=has_guards)
                    outcomes += [self._alone(job, connection, after) for job in batch if isinstance(job, Single)]
        except LaneFailed:
            return self._commit(batch, has_guards=True)
        except Exception as e:  # noqa: BLE001 - the worker loop: every waiting request is told, the next batch starts afresh
            failure = self._failure(e)
            return [Outcome(job, None, failure) for job in batch]
        for act in after:
            try:
                act()
            except Exception:  # the worker loop: the change is durable, and its caller is told so
                log.exception("What follows a change failed at %s", getattr(act, "__qualname__", act))
        return outcomes

    def _alone(self, job: Single, connection: Connection, after: list[Callable[[], None]]) -> Outcome:
        change = Change(connection, self.clock())
        try:
            with connection.begin_nested():
                result = self._make_once(job, change)
        except Exception as e:  # a plug-in call: the request's own failure is the request's own answer
            if is_fatal(e):
                raise
            return Outcome(job, None, e)
        after.extend(change.after)
        return Outcome(job, result)

    def _together(
        self,
        lane: Lane[Any, Any],
        members: list[Member],
        connection: Connection,
        after: list[Callable[[], None]],
        *,
        has_guards: bool,
    ) -> list[Outcome]:
        """What became of a lane's requests: all at once, or, where that fails, one by one. Raises LaneFailed."""
        change = Change(connection, self.clock())
        try:
            with connection.begin_nested() if has_guards else contextlib.nullcontext():
                results = lane.apply(change, [job.item for job in members])
        except Exception as e:  # a plug-in call: one bad request must not fail its neighbours
            if is_fatal(e):
                raise
            if not has_guards:
                raise LaneFailed from e
            if len(members) == 1:
                return [Outcome(members[0], None, e)]
            apart = (self._together(lane, [job], connection, after, has_guards=True) for job in members)
            return [outcome for outcomes in apart for outcome in outcomes]
        after.extend(change.after)
        return [
            Outcome(job, None, result) if isinstance(result, TaxiwayError) else Outcome(job, result)
            for job, result in zip(members, results, strict=True)
        ]

    def _make_once(self, job: Single, change: Change) -> Any:
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


def lanes(batch: Iterable[Job]) -> dict[Lane[Any, Any], list[Member]]:
    """The requests of lanes in a batch, each lane's in the order they came."""
    found: dict[Lane[Any, Any], list[Member]] = {}
    for job in batch:
        if isinstance(job, Member):
            found.setdefault(job.lane, []).append(job)
    return found


def is_one_lane(batch: Sequence[Job]) -> bool:
    lane = batch[0].lane if isinstance(batch[0], Member) else None
    return lane is not None and all(isinstance(job, Member) and job.lane is lane for job in batch)


def tell(outcomes: Iterable[Outcome]) -> None:
    """Answers every caller: a thread by itself, the callers on an event loop with one wake-up for all of them."""
    on_loops: dict[asyncio.AbstractEventLoop, list[Outcome]] = {}
    for outcome in outcomes:
        if outcome.job.loop is None:
            settle(outcome)
        else:
            on_loops.setdefault(outcome.job.loop, []).append(outcome)
    for loop, found in on_loops.items():
        with contextlib.suppress(RuntimeError):  # the loop was closed: nobody waits there any more
            loop.call_soon_threadsafe(settle_all, found)


def settle_all(outcomes: Iterable[Outcome]) -> None:
    for outcome in outcomes:
        settle(outcome)


def settle(outcome: Outcome) -> None:
    done = outcome.job.done
    if done.done():  # its caller went away
        return
    if outcome.error is not None:
        done.set_exception(outcome.error)
    else:
        done.set_result(outcome.result)


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
