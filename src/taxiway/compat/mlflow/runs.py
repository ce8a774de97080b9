"""MLflow's calls about runs, but for what is logged to them."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from typing import Literal, Protocol

from msgspec import Struct

from taxiway.compat.mlflow import names
from taxiway.compat.mlflow.call import Call, Given, Int64, Void
from taxiway.compat.mlflow.door import Dialect
from taxiway.compat.mlflow.refusals import ParameterMissing, invalid, refused
from taxiway.compat.mlflow.shown import RunAnswer, RunInfo, Showing, Tag, info_of, run_of
from taxiway.kernel.caller import Caller
from taxiway.runs.foreign.foreign import ForeignRuns, OpenRun, UpdateRun
from taxiway.runs.paths import is_clean
from taxiway.runs.trash.trash import Trash
from taxiway.web.doorkeeper import Finder

LONGEST_NAME = 1000
LONGEST_USER = 250
LONGEST_TAG = 8000  # longer texts are cut, as MLflow's server does
NAME_TAG = "mlflow.runName"

Status = Literal["RUNNING", "SCHEDULED", "FINISHED", "FAILED", "KILLED"]

# Runs without a name get one that can be said over a table.
QUALITIES = (
    "amber", "brisk", "calm", "clear", "crisp", "dusky", "early", "even", "fair", "fleet", "gentle", "golden",
    "high", "keen", "late", "level", "light", "lofty", "lucid", "mild", "nimble", "northern", "open", "patient",
    "quiet", "ready", "rising", "silver", "smooth", "steady", "swift", "western",
)  # fmt: skip
THINGS = (
    "albatross", "apron", "beacon", "breeze", "cirrus", "compass", "condor", "crane", "falcon", "gannet", "glider",
    "gull", "hangar", "harrier", "heading", "heron", "horizon", "kestrel", "kite", "lapwing", "martin", "merlin",
    "osprey", "petrel", "plover", "runway", "skylark", "starling", "swallow", "swift", "tern", "windsock",
)  # fmt: skip


class CreateRun(Struct, frozen=True):
    experiment_id: Given
    user_id: str = ""
    run_name: str = ""
    start_time: Int64 = 0
    tags: list[Tag] = []


class UpdateRunInfo(Struct, frozen=True):
    run_id: str = ""
    run_uuid: str = ""
    status: Status | None = None
    end_time: Int64 | None = None
    run_name: str = ""


class RunId(Struct, frozen=True):
    """Either name of the id will do."""

    run_id: str = ""
    run_uuid: str = ""


class DeleteTag(Struct, frozen=True):
    run_id: Given
    key: Given


class Updated(Struct, frozen=True):
    run_info: RunInfo


create = Call("POST", "/mlflow/runs/create", CreateRun, RunAnswer, "runs.write", "experiment")
update = Call("POST", "/mlflow/runs/update", UpdateRunInfo, Updated, "runs.write", "run")
remove = Call("POST", "/mlflow/runs/delete", RunId, Void, "runs.write", "run")
restore = Call("POST", "/mlflow/runs/restore", RunId, Void, "runs.write", "run")
get = Call("GET", "/mlflow/runs/get", RunId, RunAnswer, "runs.read", "run")
untag = Call("POST", "/mlflow/runs/delete-tag", DeleteTag, Void, "runs.write", "run")


class RunCalls:
    """The handlers."""

    def __init__(self, runs: ForeignRuns, trash: Trash, showing: Showing) -> None:
        self.runs = runs
        self.trash = trash
        self.showing = showing

    def bind(self, dialect: Dialect) -> None:
        project_of = Finder(lambda run: self.runs.known(run).project)
        dialect.know("run", lambda caller, ask: [project_of(id_of(ask))], lambda ask: project_of.found.get(id_of(ask)))
        dialect.know("runs", lambda caller, ask: {self.runs.known(names.check_run_id(i)).project for i in ask.run_ids})
        dialect.serve(create, self.create)
        dialect.serve(update, self.update)
        dialect.serve(remove, self.remove)
        dialect.serve(restore, self.restore)
        dialect.serve(get, self.get)
        dialect.serve(untag, self.untag)

    def create(self, caller: Caller, ask: CreateRun) -> RunAnswer:
        tags = given_tags(ask.tags)
        name = check_name(name_of(ask.run_name, tags.pop(NAME_TAG, "")))
        if len(ask.user_id) > LONGEST_USER or not is_clean(ask.user_id):
            raise invalid("user_id", ask.user_id, f"a text of at most {LONGEST_USER} characters in one line")
        body = OpenRun(
            experiment=names.experiment_number(ask.experiment_id),
            name=name,
            user=ask.user_id,
            started_at=names.moment(ask.start_time, "start_time"),
            tags=tags,
        )
        return RunAnswer(run_of(self.runs.open(caller, body)))

    def update(self, caller: Caller, ask: UpdateRunInfo) -> Updated:
        run = id_of(ask)
        body = UpdateRun(
            status=names.STATUSES[ask.status] if ask.status else None,
            ended_at=None if ask.end_time is None else names.moment(ask.end_time, "end_time"),
            name=check_name(ask.run_name) if ask.run_name else None,
        )
        self.runs.update(caller, body, run=run)
        return Updated(info_of(self.runs.facts(run)))

    def remove(self, caller: Caller, ask: RunId) -> Void:
        self.trash.delete_run(caller, id_of(ask))
        return Void()

    def restore(self, caller: Caller, ask: RunId) -> Void:
        self.trash.restore_run(caller, id_of(ask))
        return Void()

    def get(self, caller: Caller, ask: RunId) -> RunAnswer:
        return RunAnswer(self.showing.run(id_of(ask)))

    def untag(self, caller: Caller, ask: DeleteTag) -> Void:
        if ask.key != NAME_TAG:  # which is the run's name, and stays
            self.runs.untag(caller, ask.key, run=names.check_run_id(ask.run_id))
        return Void()


class OfRun(Protocol):
    """A request that names a run."""

    @property
    def run_id(self) -> str: ...


def id_of(ask: OfRun) -> str:
    """The id of the run that a request is about. Raises ParameterMissing, ParameterInvalid."""
    given = ask.run_id or getattr(ask, "run_uuid", "")
    if not given:
        raise ParameterMissing(parameter="run_id")
    return names.check_run_id(given)


def given_tags(tags: Sequence[Tag], at: str = "tags") -> dict[str, str]:
    """Tags by key, with texts as long as they are kept. Raises ParameterInvalid."""
    found = {}
    for number, tag in enumerate(tags):
        found[names.check_key(tag.key, f"{at}[{number}].key")] = cut(tag.value, LONGEST_TAG, f"{at}[{number}].value")
    return found


def cut(text: str, most: int, field: str) -> str:
    """A text as it is kept. Raises ParameterInvalid for one that not every database takes."""
    if "\0" in text:
        raise invalid(field, text, "a text without NUL characters")
    return text[:most]


def name_of(name: str, tag: str) -> str:
    """The name of a new run: said, or made up."""
    if name and tag and name != tag:
        raise refused(f"The run_name {name!r} and the tag mlflow.runName {tag!r} differ. Give one, or both alike.")
    return name or tag or f"{secrets.choice(QUALITIES)}-{secrets.choice(THINGS)}-{secrets.randbelow(1000)}"


def check_name(name: str) -> str:
    """Raises ParameterInvalid."""
    if len(name) > LONGEST_NAME:
        raise invalid("run_name", name, f"a name of at most {LONGEST_NAME} characters")
    return cut(name, LONGEST_NAME, "run_name")
