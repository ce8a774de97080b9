"""Experiments as things of their own: named, tagged and found by number, as clients of other systems know them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import datetime

from msgspec import Struct
from sqlalchemy import Connection, delete, insert, select, update

from taxiway.audit.service import Ledger, Record
from taxiway.kernel.caller import Caller
from taxiway.kernel.errors import AlreadyExists, BadField, NotFound
from taxiway.kernel.ids import is_name
from taxiway.projects.service import DEFAULT, open_project
from taxiway.runs import store
from taxiway.runs.paths import is_clean
from taxiway.runs.refusals import ExperimentTrashed
from taxiway.runs.tables import experiment_tags, experiments
from taxiway.storage.database import EPOCH, Database

LONGEST_NAME = 500
FIRST = 0  # the experiment `default` of the project `default`: there for readers before it is stored


class Sheet(Struct, frozen=True):
    """An experiment with all that is said about it. location: a label that its client gave."""

    number: int
    project: str
    name: str
    location: str
    created_at: datetime
    changed_at: datetime
    deleted_at: datetime | None = None
    tags: dict[str, str] = {}


class OpenExperiment(Struct, frozen=True):
    """A new experiment, said by a client that knows projects and names."""

    project: str
    name: str
    location: str = ""
    tags: dict[str, str] = {}


class Experiments:
    """Experiments by number. Their runs are found by `searching`; `trash` deletes and restores them."""

    def __init__(self, database: Database, ledger: Ledger) -> None:
        self.database = database
        self.ledger = ledger

    def create(self, caller: Caller, body: OpenExperiment) -> int:
        """Its number. Raises BadField, AlreadyExists (also for one in the trash), NotFound for the project."""
        check_name(body.name)

        def make(record: Record) -> int:
            open_project(record, body.project)
            connection = record.connection
            if store.experiment_number(connection, project=body.project, name=body.name) is not None:
                raise AlreadyExists(kind="experiment", name=body.name)
            number = store.add_experiment(
                connection, project=body.project, name=body.name, by=caller.name, at=record.at
            )
            store.change_experiment(connection, number, location=body.location)
            put_tags(connection, number, body.tags)
            record.thing = f"experiment:{number}"
            record.note(name=body.name, location=body.location, tags=body.tags)
            return number

        thing = f"experiment:{body.project}/{body.name}"
        return self.ledger.change(caller, "runs.create_experiment", thing, make, answer=int, project=body.project)

    def rename(self, caller: Caller, number: int, name: str) -> None:
        """Raises BadField, NotFound, AlreadyExists, ExperimentTrashed. The first keeps its name: it is found by it."""
        check_name(name)
        if number == FIRST:
            raise BadField(
                field="name", value=repr(name[:100]), expected="the name of another experiment: this one stays"
            )

        def make(record: Record) -> None:
            found = self._living(record, number)
            there = store.experiment_number(record.connection, project=found.project, name=name)
            if there not in (None, number):
                raise AlreadyExists(kind="experiment", name=name)
            store.change_experiment(record.connection, number, name=name, changed_at=record.at)
            record.note(name=[found.name, name])

        self._change(caller, "runs.rename_experiment", number, make)

    def tag(self, caller: Caller, number: int, key: str, text: str) -> None:
        """Adds a tag, or gives it a new text. Raises NotFound, ExperimentTrashed."""

        def make(record: Record) -> None:
            self._living(record, number)
            put_tags(record.connection, number, {key: text})
            store.change_experiment(record.connection, number, changed_at=record.at)
            record.note(tags={key: text})

        self._change(caller, "runs.tag_experiment", number, make)

    def untag(self, caller: Caller, number: int, key: str) -> None:
        """Raises NotFound, also for the tag, and ExperimentTrashed."""

        def make(record: Record) -> None:
            self._living(record, number)
            dropping = delete(experiment_tags).where(
                experiment_tags.c.experiment == number, experiment_tags.c.key == key
            )
            if not record.connection.execute(dropping).rowcount:
                raise NotFound(kind="tag", name=key[:100], hint=f"The experiment {number} has no such tag.")
            store.change_experiment(record.connection, number, changed_at=record.at)
            record.note(tag=key)

        self._change(caller, "runs.untag_experiment", number, make)

    def _change(self, caller: Caller, verb: str, number: int, make: Callable[[Record], None]) -> None:
        project = self.find(number).project
        self.ledger.change(caller, verb, f"experiment:{number}", make, answer=type(None), project=project)

    def _living(self, record: Record, number: int) -> Sheet:
        """The experiment, within a change, stored now if it was not. Raises NotFound, ExperimentTrashed."""
        ensure(record, number)
        found = sheets(record.connection, [number])[0]
        if found.deleted_at is not None:
            raise ExperimentTrashed(experiment=found.name)
        return found

    # --- reading ---

    def find(self, number: int) -> Sheet:
        """Raises NotFound."""
        found = self.of([number])
        if not found:
            raise unknown(str(number))
        return found[0]

    def named(self, project: str, name: str) -> Sheet | None:
        with self.database.read() as connection:
            number = store.experiment_number(connection, project=project, name=name)
        if number is None and (project, name) == (DEFAULT, DEFAULT):
            number = FIRST
        return None if number is None else self.find(number)

    def of(self, numbers: Collection[int]) -> list[Sheet]:
        """The experiments of these numbers; those that do not exist are left out."""
        with self.database.read() as connection:
            found = sheets(connection, numbers)
        is_first_stored = any(one.number == FIRST for one in found)
        return found if is_first_stored or FIRST not in numbers else [*found, unstored()]

    def visible(self, projects: Collection[str] | None) -> list[Sheet]:
        """Every experiment of these projects; None is all of them."""
        with self.database.read() as connection:
            query = select(experiments.c.number)
            if projects is not None:
                query = query.where(experiments.c.project.in_(projects))
            numbers = list(connection.execute(query).scalars())
            found = sheets(connection, numbers)
        is_shown = projects is None or DEFAULT in projects
        return [*found, unstored()] if is_shown and FIRST not in numbers else found


def ensure(record: Record, number: int) -> None:
    """Stores the first experiment, if that is the one and it was not stored yet."""
    connection = record.connection
    if number == FIRST and store.experiment_number(connection, project=DEFAULT, name=DEFAULT) is None:
        open_project(record, DEFAULT)
        store.add_experiment(connection, project=DEFAULT, name=DEFAULT, by=record.caller.name, at=record.at)


def living(connection: Connection, number: int) -> tuple[str, str, str]:
    """The project, name and location of an experiment that takes runs. Raises NotFound, ExperimentTrashed."""
    query = select(experiments.c.project, experiments.c.name, experiments.c.location, experiments.c.deleted_at)
    row = connection.execute(query.where(experiments.c.number == number)).first()
    if row is None:
        raise unknown(str(number))
    if row.deleted_at is not None:
        raise ExperimentTrashed(experiment=row.name)
    return row.project, row.name, row.location


def unstored() -> Sheet:
    return Sheet(number=FIRST, project=DEFAULT, name=DEFAULT, location="", created_at=EPOCH, changed_at=EPOCH)


def sheets(connection: Connection, numbers: Collection[int]) -> list[Sheet]:
    """The experiments of these numbers with their tags."""
    given: defaultdict[int, dict[str, str]] = defaultdict(dict)
    rows: list[Mapping[str, object]] = []
    for some in portions(numbers):
        tags = select(experiment_tags).where(experiment_tags.c.experiment.in_(some)).order_by(experiment_tags.c.key)
        for tag in connection.execute(tags):
            given[tag.experiment][tag.key] = tag.text
        query = select(experiments).where(experiments.c.number.in_(some)).order_by(experiments.c.number)
        rows += [dict(row) for row in connection.execute(query).mappings()]
    names = [name for name in Sheet.__struct_fields__ if name != "tags"]
    return [Sheet(**{n: row[n] for n in names}, tags=given[row["number"]]) for row in rows]  # type: ignore[arg-type, index]  # columns are named as fields


def portions(numbers: Collection[int], size: int = 900) -> Iterable[list[int]]:
    """Numbers in lists that any database takes as parameters."""
    whole = list(numbers)
    return (whole[start : start + size] for start in range(0, len(whole), size))


def put_tags(connection: Connection, number: int, given: Mapping[str, str]) -> None:
    for key, text in given.items():
        here = (experiment_tags.c.experiment == number, experiment_tags.c.key == key)
        if not connection.execute(update(experiment_tags).where(*here).values(text=text)).rowcount:
            connection.execute(insert(experiment_tags).values(experiment=number, key=key, text=text))


def check_experiment(name: str) -> None:
    """The name of an experiment of our own clients. Raises BadField."""
    if not is_name(name):
        expected = "a name of a-z, 0-9, '.', '_' and '-', beginning with a letter or digit, at most 63 characters"
        raise BadField(field="experiment", value=repr(name[:100]), expected=expected)


def number_of(record: Record, project: str, name: str) -> int:
    """The number of an experiment that takes runs; it is made at its first use. Raises ExperimentTrashed."""
    connection, by = record.connection, record.caller.name
    number = store.experiment_number(connection, project=project, name=name)
    if number is None:
        return store.add_experiment(connection, project=project, name=name, by=by, at=record.at)
    if store.is_experiment_trashed(connection, number):
        raise ExperimentTrashed(experiment=name)
    return number


def check_name(name: str) -> None:
    """Raises BadField for what is no name of an experiment."""
    if not 1 <= len(name) <= LONGEST_NAME or not is_clean(name) or not name.strip():
        expected = f"a name of 1 to {LONGEST_NAME} characters in one line"
        raise BadField(field="name", value=repr(name[:100]), expected=expected)


def unknown(name: str) -> NotFound:
    return NotFound(kind="experiment", name=name[:100])
