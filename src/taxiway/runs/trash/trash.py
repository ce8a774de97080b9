"""The trash: what is in it is hidden from lists and takes no changes, but answers by its id and can be taken out."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from sqlalchemy import Connection, update

from taxiway.audit.service import Ledger, Record
from taxiway.kernel.caller import Caller
from taxiway.kernel.errors import NotFound
from taxiway.runs import store
from taxiway.runs.contract import Run
from taxiway.runs.experiments import Experiments, Sheet, ensure
from taxiway.runs.service import unknown
from taxiway.runs.tables import experiments, runs
from taxiway.runs.trash.trashed import NameExperiment, Trashed
from taxiway.storage.database import Database


class Trash:
    """Puts runs and experiments into the trash and takes them out again; twice is once."""

    def __init__(self, database: Database, ledger: Ledger, sheets: Experiments) -> None:
        self.database = database
        self.ledger = ledger
        self.sheets = sheets

    def delete_run(self, caller: Caller, run: str) -> Run:
        """Raises NotFound."""
        return self._move_run(caller, "runs.delete", run, lambda at: at)

    def restore_run(self, caller: Caller, run: str) -> Run:
        """Raises NotFound."""
        return self._move_run(caller, "runs.restore", run, lambda _: None)

    def delete_experiment(self, caller: Caller, number: int) -> Trashed:
        """Every run of it that is not there yet goes with it. Raises NotFound."""

        def move(connection: Connection, at: datetime) -> int:
            living = (runs.c.experiment == number, runs.c.deleted_at.is_(None))
            return connection.execute(update(runs).where(*living).values(deleted_at=at)).rowcount

        return self._move_experiment(caller, "runs.delete_experiment", number, move, is_deleted=True)

    def restore_experiment(self, caller: Caller, number: int) -> Trashed:
        """All its runs come back, those that went alone as well. Raises NotFound."""

        def move(connection: Connection, at: datetime) -> int:
            gone = (runs.c.experiment == number, runs.c.deleted_at.is_not(None))
            return connection.execute(update(runs).where(*gone).values(deleted_at=None)).rowcount

        return self._move_experiment(caller, "runs.restore_experiment", number, move, is_deleted=False)

    def number_of(self, body: NameExperiment) -> int:
        """Raises NotFound."""
        found = self.sheets.named(body.project, body.experiment)
        if found is None:
            hint = "`taxiway runs experiments` shows those there are."
            raise NotFound(kind="experiment", name=f"{body.project}/{body.experiment}"[:200], hint=hint)
        return found.number

    def _move_run(self, caller: Caller, verb: str, run: str, when: Callable[[datetime], datetime | None]) -> Run:
        with self.database.read() as connection:
            known = store.known(connection, run)
        if known is None:
            raise unknown(run)

        def make(record: Record) -> Run:
            there = store.known(record.connection, run)
            if there is None:
                raise unknown(run)
            deleted_at = when(record.at)
            if there.is_trashed != (deleted_at is not None):
                store.change(record.connection, there.number, deleted_at=deleted_at)
            found = store.whole(record.connection, [there.number], record.at)[0]
            record.note(name=found.name, experiment=found.experiment)
            return found

        return self.ledger.change(caller, verb, f"run:{run}", make, answer=Run, project=known.project)

    def _move_experiment(
        self,
        caller: Caller,
        verb: str,
        number: int,
        move: Callable[[Connection, datetime], int],
        *,
        is_deleted: bool,
    ) -> Trashed:
        sheet: Sheet = self.sheets.find(number)

        def make(record: Record) -> Trashed:
            ensure(record, number)
            moved = move(record.connection, record.at)
            deleted_at = record.at if is_deleted else None
            changing = update(experiments).where(experiments.c.number == number)
            record.connection.execute(changing.values(deleted_at=deleted_at, changed_at=record.at))
            record.note(name=sheet.name, runs=moved)
            return Trashed(sheet.project, sheet.name, moved, deleted_at)

        thing = f"experiment:{number}"
        return self.ledger.change(caller, verb, thing, make, answer=Trashed, project=sheet.project)
