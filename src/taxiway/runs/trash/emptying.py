"""Emptying the trash: the rows of runs go first, in changes of their own; then the bytes that no row names any more.

A process that is killed in between leaves bytes without rows, which the next time frees: nothing is ever named
that is gone. Bytes that were sent a short while ago stay, for the row that will name them may be on its way.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any, Protocol

import msgspec
from sqlalchemy import ColumnElement, Connection, Select, Table, and_, delete, exists, false, not_, or_, select

from taxiway.audit.service import Ledger, Record
from taxiway.kernel.caller import Caller
from taxiway.kernel.clock import Clock
from taxiway.runs import tables
from taxiway.runs.experiments import FIRST
from taxiway.runs.search import words
from taxiway.runs.tables import experiment_tags, experiments, reproductions, runs, writers
from taxiway.runs.trash.trashed import EmptyTrash, Freed, Kept
from taxiway.storage.blobs import Blobs
from taxiway.storage.database import Database
from taxiway.storage.mentions import needed

AT_ONCE = 50  # runs in a change: whoever logs meanwhile waits no longer than that
OF_A_RUN = (
    *(tables.params, tables.tags, tables.latest, tables.points, tables.segments, tables.artifacts, tables.inputs),
    *(tables.readings, tables.reproductions, tables.writers),
)


class Made(Protocol):
    """What was made by runs: models, whose bundles are made of blobs and stand beside them."""

    def needed(self, connection: Connection, runs: Sequence[str]) -> dict[str, str]:
        """Of these runs, by id, those that must stay, and why."""

    def drop(self, connection: Connection, runs: Sequence[str], at: datetime) -> None:
        """Takes away what these runs made and nobody needs."""

    def counting(self, going: Select[Any]) -> dict[str, ColumnElement[bool]]:
        """By table, the rows whose files are still needed once these runs are gone. going: selects their ids."""

    def files_of(self, digests: set[bytes]) -> set[bytes]:
        """The digests of the files of those bundles that are among these."""

    def free(self, digests: set[bytes], before: datetime) -> int:
        """Removes the bundles that are not among these and older; how many bytes only they held."""

    def freeable(self, digests: set[bytes], before: datetime) -> int:
        """How many bytes `free` would give back."""


class Emptying:
    """Frees what is in the trash for good."""

    def __init__(self, database: Database, ledger: Ledger, blobs: Blobs, made: Made, clock: Clock) -> None:
        self.database = database
        self.ledger = ledger
        self.blobs = blobs
        self.made = made
        self.clock = clock
        self.forget: Callable[[Sequence[str], datetime], None] = lambda freed, before: None  # until senders are known
        self.with_experiments: list[Callable[[Connection, Sequence[int]], None]] = []  # what goes with them, by number

    def empty(self, caller: Caller, body: EmptyTrash) -> Freed:
        """What was freed, or with ``is_dry`` would be."""
        before = self.clock() - timedelta(seconds=body.older_than_s)
        caller = msgspec.structs.replace(caller, key=None)  # of many changes; each of them may be done again
        gone, kept = self._drop_runs(caller, before, is_dry=body.is_dry)
        emptied = self._drop_experiments(caller, before, is_dry=body.is_dry)
        files, size, young = self._free(before, kept, body)
        told = [Kept(f"run:{run}", because) for run, because in sorted(kept.items())]
        return Freed(gone, emptied, files, size, told, body.is_dry, young)

    def _drop_runs(self, caller: Caller, before: datetime, *, is_dry: bool) -> tuple[int, dict[str, str]]:
        """How many runs went, and which stay because of what."""
        old = select(runs.c.number, runs.c.id).where(runs.c.deleted_at <= before).order_by(runs.c.number)
        last, gone, kept = -1, 0, dict[str, str]()
        while True:
            with self.database.read() as connection:
                some = list(connection.execute(old.where(runs.c.number > last).limit(AT_ONCE)))
                because = self._because(connection, [row.id for row in some])
            if not some:
                return gone, kept
            last = some[-1].number
            if not is_dry:
                because = self._drop(caller, [row.id for row in some], before)
            kept |= because
            gone += len(some) - len(because)

    def _drop(self, caller: Caller, ids: list[str], before: datetime) -> dict[str, str]:
        """Takes the rows of these runs away, but for those that are needed or were taken out of the trash meanwhile."""

        def make(record: Record) -> dict[str, str]:
            connection = record.connection
            query = select(runs.c.number, runs.c.id).where(runs.c.id.in_(ids), runs.c.deleted_at <= before)
            there = {row.id: row.number for row in connection.execute(query)}
            because = self._because(connection, list(there))
            self.made.drop(connection, [id_ for id_ in there if id_ not in because], record.at)
            drop_rows(connection, [number for id_, number in there.items() if id_ not in because])
            record.note(runs=sorted(set(there) - set(because)), kept=because)
            return because

        return self.ledger.change(caller, "runs.drop", "trash:runs", make, answer=dict[str, str])

    def _because(self, connection: Connection, ids: Sequence[str]) -> dict[str, str]:
        return needed_as_twin(connection, ids) | self.made.needed(connection, ids)

    def _drop_experiments(self, caller: Caller, before: datetime, *, is_dry: bool) -> int:
        """How many experiments in the trash went, because no run of theirs is left."""
        old = runs.c.deleted_at <= before
        is_left = exists().where(runs.c.experiment == experiments.c.number, or_(not_(old), runs.c.deleted_at.is_(None)))
        any_left = is_left if is_dry else exists().where(runs.c.experiment == experiments.c.number)
        query = select(experiments.c.number).where(
            experiments.c.deleted_at <= before, experiments.c.number != FIRST, not_(any_left)
        )
        with self.database.read() as connection:
            numbers = list(connection.execute(query).scalars())
        if is_dry or not numbers:
            return len(numbers)

        def make(record: Record) -> int:
            found = list(record.connection.execute(query).scalars())
            record.connection.execute(delete(experiment_tags).where(experiment_tags.c.experiment.in_(found)))
            record.connection.execute(delete(experiments).where(experiments.c.number.in_(found)))
            for drop in self.with_experiments:
                drop(record.connection, found)
            record.note(experiments=found)
            return len(found)

        return self.ledger.change(caller, "runs.drop_experiments", "trash:experiments", make, answer=int)

    def _free(self, before: datetime, kept: dict[str, str], body: EmptyTrash) -> tuple[int, int, int]:
        """How many blobs were freed, how many bytes with them, and how many are left because they were just sent."""
        sent_before = self.clock() - timedelta(seconds=body.grace_s)
        with self.database.read() as connection:
            going = select(runs.c.id).where(runs.c.deleted_at <= before, runs.c.id.not_in(list(kept)))
            counts = self.made.counting(going if body.is_dry else going.where(false()))
            held = needed(connection, counts | counting(before, kept) if body.is_dry else counts)
        held |= self.made.files_of(held)
        act = self.made.freeable if body.is_dry else self.made.free
        size, young, freed = act(held, sent_before), 0, list[str]()
        for blob in self.blobs.listed():
            if bytes.fromhex(blob.digest.removeprefix("sha256:")) in held:
                continue
            if blob.stored_at >= sent_before:
                young += 1
            else:
                freed.append(blob.digest)
                size += blob.size_bytes if body.is_dry else self.blobs.delete(blob.digest)
        if not body.is_dry:
            self.forget(freed, sent_before)
        return len(freed), size, young


def drop_rows(connection: Connection, numbers: Sequence[int]) -> None:
    """Takes every row of these runs away."""
    for number, known in words.known_words(connection, numbers).items():
        words.forget(connection, number, known)
    theirs = select(writers.c.number).where(writers.c.run.in_(numbers))
    connection.execute(delete(tables.batches).where(tables.batches.c.writer.in_(theirs)))
    for table in OF_A_RUN:
        connection.execute(delete(table).where(table.c.run.in_(numbers)))
    connection.execute(delete(runs).where(runs.c.number.in_(numbers)))


def counting(before: datetime, kept: dict[str, str]) -> dict[str, ColumnElement[bool]]:
    """The rows that would be left: what counts in which table."""
    going = select(runs.c.number).where(runs.c.deleted_at <= before, runs.c.id.not_in(list(kept)))
    found: dict[str, ColumnElement[bool]] = {table.name: stays(table, going) for table in OF_A_RUN}
    found["runs"] = or_(runs.c.deleted_at.is_(None), not_(runs.c.number.in_(going)))
    return found


def stays(table: Table, going: object) -> ColumnElement[bool]:
    column: ColumnElement[int] = table.c.run
    return column.not_in(going)  # type: ignore[arg-type]  # a query is a set of values


def needed_as_twin(connection: Connection, ids: Sequence[str]) -> dict[str, str]:
    """A run that another one, which is not in the trash, was held against when it was done again."""
    joined = reproductions.join(runs, and_(runs.c.number == reproductions.c.run, runs.c.deleted_at.is_(None)))
    query = select(reproductions.c.again, runs.c.id).select_from(joined).where(reproductions.c.again.in_(ids))
    return {row.again: f"it is the run {row.id} done again" for row in connection.execute(query)}
