"""MLflow's calls about experiments."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, Literal

from msgspec import Struct

from taxiway.access.service import Access
from taxiway.compat.mlflow import names
from taxiway.compat.mlflow.call import Call, Given, Int64, Void
from taxiway.compat.mlflow.door import Dialect
from taxiway.compat.mlflow.grammar import Key, Vocabulary, arrange, parse, parse_order, select
from taxiway.compat.mlflow.paging import page, page_size
from taxiway.compat.mlflow.refusals import invalid
from taxiway.kernel.caller import Caller
from taxiway.kernel.errors import AlreadyExists, NotFound
from taxiway.projects.service import DEFAULT, Projects
from taxiway.runs.experiments import Experiments, OpenExperiment, Sheet
from taxiway.runs.trash.trash import Trash
from taxiway.stores.service import Stores

LONGEST_KEY = 250
LONGEST_TAG = 20_000
MOST_LISTED = 50_000

ViewType = Literal["ACTIVE_ONLY", "DELETED_ONLY", "ALL"]
VOCABULARY = Vocabulary(
    attributes={"name": "text", "experiment_id": "text", "creation_time": "number", "last_update_time": "number"},
    listed=("experiment_id",),
)


class Tag(Struct, frozen=True):
    key: Given
    value: str = ""


class Experiment(Struct, frozen=True, omit_defaults=True):
    experiment_id: str
    name: str
    artifact_location: str
    lifecycle_stage: str
    creation_time: int
    last_update_time: int
    tags: list[Tag] = []


class CreateExperiment(Struct, frozen=True):
    name: Given
    artifact_location: str = ""
    tags: list[Tag] = []


class ExperimentId(Struct, frozen=True):
    experiment_id: Given


class ExperimentName(Struct, frozen=True):
    experiment_name: Given


class RenameExperiment(Struct, frozen=True):
    experiment_id: Given
    new_name: Given


class TagExperiment(Struct, frozen=True):
    experiment_id: Given
    key: Given
    value: str = ""


class UntagExperiment(Struct, frozen=True):
    experiment_id: Given
    key: Given


class SearchExperiments(Struct, frozen=True):
    max_results: Int64 | None = None
    page_token: str = ""
    filter: str = ""
    order_by: list[str] = []
    view_type: ViewType = "ACTIVE_ONLY"


class Created(Struct, frozen=True):
    experiment_id: str


class Found(Struct, frozen=True):
    experiment: Experiment


class Listed(Struct, frozen=True, omit_defaults=True):
    experiments: list[Experiment] = []
    next_page_token: str = ""


create = Call("POST", "/mlflow/experiments/create", CreateExperiment, Created, "runs.write", "new_experiment")
get = Call("GET", "/mlflow/experiments/get", ExperimentId, Found, "runs.read", "experiment")
get_by_name = Call("GET", "/mlflow/experiments/get-by-name", ExperimentName, Found, "runs.read", "named_experiment")
search = Call("POST", "/mlflow/experiments/search", SearchExperiments, Listed, "runs.read", "platform")
search_by_query = Call("GET", "/mlflow/experiments/search", SearchExperiments, Listed, "runs.read", "platform")
remove = Call("POST", "/mlflow/experiments/delete", ExperimentId, Void, "runs.write", "experiment")
restore = Call("POST", "/mlflow/experiments/restore", ExperimentId, Void, "runs.write", "experiment")
rename = Call("POST", "/mlflow/experiments/update", RenameExperiment, Void, "runs.write", "experiment")
tag = Call("POST", "/mlflow/experiments/set-experiment-tag", TagExperiment, Void, "runs.write", "experiment")
untag = Call("POST", "/mlflow/experiments/delete-experiment-tag", UntagExperiment, Void, "runs.write", "experiment")


class ExperimentCalls:
    """The handlers. Names of other projects' experiments begin with the project's."""

    def __init__(
        self, access: Access, projects: Projects, stores: Stores, experiments: Experiments, trash: Trash
    ) -> None:
        self.access = access
        self.stores = stores
        self.projects = projects
        self.experiments = experiments
        self.trash = trash

    def bind(self, dialect: Dialect) -> None:
        dialect.know("experiment", lambda caller, ask: [self.find(ask.experiment_id).project])
        dialect.know("named_experiment", lambda caller, ask: [self.named(ask.experiment_name).project])
        dialect.know("new_experiment", lambda caller, ask: [self.split(caller, ask.name)[0]])
        dialect.serve(create, self.create)
        dialect.serve(get, lambda caller, ask: Found(shown(self.find(ask.experiment_id))))
        dialect.serve(get_by_name, lambda caller, ask: Found(shown(self.named(ask.experiment_name))))
        dialect.serve(search, self.search)
        dialect.serve(search_by_query, self.search)
        dialect.serve(remove, self.remove)
        dialect.serve(restore, self.restore)
        dialect.serve(rename, self.rename)
        dialect.serve(tag, self.tag)
        dialect.serve(untag, self.untag)

    def find(self, experiment_id: str) -> Sheet:
        """Raises ParameterInvalid, NotFound."""
        return self.experiments.find(names.experiment_number(experiment_id))

    def named(self, name: str) -> Sheet:
        """The experiment of a name: one of the project that it begins with, else one of the default project."""
        project, slash, rest = name.partition("/")
        found = self.experiments.named(project, rest) if slash and project != DEFAULT else None
        ours = DEFAULT if name == names.FIRST_NAME else name
        found = found or self.experiments.named(DEFAULT, ours)
        if found is None or names.experiment_name(found) != name:
            raise NotFound(kind="experiment", name=name[:100], hint="`taxiway runs experiments` lists them.")
        return found

    def split(self, caller: Caller, name: str) -> tuple[str, str]:
        """The project that a new experiment goes to, and its name there.

        A name begins with a project that the caller may read; one that they may not is like any other word.
        """
        project, slash, rest = name.partition("/")
        is_elsewhere = slash and rest and project != DEFAULT and self.is_project(project)
        if is_elsewhere and self.access.is_member(caller, project):
            return project, rest
        return DEFAULT, name

    def is_project(self, name: str) -> bool:
        try:
            self.projects.find(name)
        except NotFound:
            return False
        return True

    def create(self, caller: Caller, ask: CreateExperiment) -> Created:
        project, name = self.split(caller, ask.name)
        location = names.check_location(ask.artifact_location, self.buckets(caller)) if ask.artifact_location else ""
        for number, one in enumerate(ask.tags):
            check_tag(one.key, one.value, f"tags[{number}].")
        check_free(project, name)
        tags = {one.key: one.value for one in ask.tags}
        number = self.experiments.create(caller, OpenExperiment(project, name, location, tags))
        return Created(str(number))

    def buckets(self, caller: Caller) -> list[str]:
        """The parts of buckets that an admin allowed: there clients may keep files by themselves."""
        urls = (store.url.partition("?")[0].rstrip("/") for store in self.stores.list(caller).items)
        return [url for url in urls if url.startswith("s3://")]

    def remove(self, caller: Caller, ask: ExperimentId) -> Void:
        if self.find(ask.experiment_id).deleted_at is not None:
            raise NotFound(kind="experiment", name=ask.experiment_id, hint="It is in the trash.")
        self.trash.delete_experiment(caller, names.experiment_number(ask.experiment_id))
        return Void()

    def restore(self, caller: Caller, ask: ExperimentId) -> Void:
        found = self.find(ask.experiment_id)
        if found.deleted_at is None:
            raise NotFound(kind="experiment in the trash", name=ask.experiment_id)
        self.trash.restore_experiment(caller, found.number)
        return Void()

    def rename(self, caller: Caller, ask: RenameExperiment) -> Void:
        found = self.find(ask.experiment_id)
        name = ask.new_name
        if found.project != DEFAULT:
            if not name.startswith(f"{found.project}/"):
                expected = f"a name that begins with {found.project}/, the project that it stays in"
                raise invalid("new_name", name, expected)
            name = name.removeprefix(f"{found.project}/")
        check_free(found.project, name)
        self.experiments.rename(caller, found.number, name)
        return Void()

    def tag(self, caller: Caller, ask: TagExperiment) -> Void:
        check_tag(ask.key, ask.value)
        self.experiments.tag(caller, names.experiment_number(ask.experiment_id), ask.key, ask.value)
        return Void()

    def untag(self, caller: Caller, ask: UntagExperiment) -> Void:
        self.experiments.untag(caller, names.experiment_number(ask.experiment_id), ask.key)
        return Void()

    def search(self, caller: Caller, ask: SearchExperiments) -> Listed:
        size = page_size(ask.max_results, usual=None, most=MOST_LISTED)
        clauses = parse(ask.filter, VOCABULARY)
        orders = parse_order(ask.order_by, VOCABULARY)
        found = [one for one in self.experiments.visible(self.access.visible(caller)) if is_in(one, ask.view_type)]
        found.sort(key=lambda one: -one.number)
        if not orders:
            found.sort(key=lambda one: one.created_at, reverse=True)
        rows, token = page(arrange(select(found, clauses, look), orders, look), size=size, token=ask.page_token)
        return Listed([shown(one) for one in rows], token)


def check_free(project: str, name: str) -> None:
    """Raises AlreadyExists for the name of the first experiment, which is there always, if not stored yet."""
    if project == DEFAULT and name in (names.FIRST_NAME, DEFAULT):
        raise AlreadyExists(kind="experiment", name=name)


def is_in(sheet: Sheet, view: ViewType) -> bool:
    return view == "ALL" or (sheet.deleted_at is None) == (view == "ACTIVE_ONLY")


def look(sheet: Sheet, key: Key) -> Any:
    """The value that a filter or an order compares."""
    if key.entity == "tags":
        return sheet.tags.get(key.name)
    values = {
        "name": names.experiment_name(sheet),
        "experiment_id": str(sheet.number),
        "creation_time": names.in_ms(sheet.created_at),
        "last_update_time": names.in_ms(sheet.changed_at),
    }
    return values[key.name]


def shown(sheet: Sheet) -> Experiment:
    return Experiment(
        experiment_id=str(sheet.number),
        name=names.experiment_name(sheet),
        artifact_location=names.experiment_location(sheet),
        lifecycle_stage="active" if sheet.deleted_at is None else "deleted",
        creation_time=names.in_ms(sheet.created_at),
        last_update_time=names.in_ms(sheet.changed_at),
        tags=[Tag(key, value) for key, value in sheet.tags.items()],
    )


def check_tag(key: str, value: str, at: str = "") -> None:
    """Raises ParameterInvalid."""
    names.check_key(key, f"{at}key")
    if len(value) > LONGEST_TAG:
        raise invalid(f"{at}value", value, f"a text of at most {LONGEST_TAG} characters")


def visible_numbers(experiments: Experiments, given: Collection[str], projects: Collection[str] | None) -> list[int]:
    """The numbers of those of the given ids that exist and may be seen: the others match nothing."""
    numbers = {int(one) for one in given if names.NUMBER.fullmatch(one)}
    return [one.number for one in experiments.of(numbers) if projects is None or one.project in projects]
