"""MLflow's calls about logged models: what a run made, before it is registered under a name."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import msgspec
from msgspec import Struct

from taxiway.compat.mlflow import names
from taxiway.compat.mlflow.call import Call, Given, Int64, Void
from taxiway.compat.mlflow.door import Dialect
from taxiway.compat.mlflow.places import FileInfo, listing, relative
from taxiway.compat.mlflow.refusals import CallRefused, invalid
from taxiway.compat.mlflow.registered_models import TagIn
from taxiway.compat.mlflow.registry import check_tag
from taxiway.compat.mlflow.shown import Pair
from taxiway.kernel.caller import Caller
from taxiway.kernel.errors import NotFound
from taxiway.kernel.numbers import Number
from taxiway.models.logged.contract import LoggedMetric, LoggedModel, LoggedStatus, LogModel
from taxiway.models.logged.service import LoggedModels
from taxiway.models.registering.sourced import Sourced
from taxiway.runs.experiments import Experiments
from taxiway.runs.foreign.foreign import ForeignRuns

VERSIONS_TAG = "mlflow.modelVersions"
MOST_TAGS = 1000
LONGEST_NAME = 500
STATUSES: dict[str, LoggedStatus] = {
    "LOGGED_MODEL_PENDING": "pending",
    "LOGGED_MODEL_READY": "ready",
    "LOGGED_MODEL_UPLOAD_FAILED": "failed",
}
SHOWN = {ours: theirs for theirs, ours in STATUSES.items()}

StatusGiven = Literal["LOGGED_MODEL_PENDING", "LOGGED_MODEL_READY", "LOGGED_MODEL_UPLOAD_FAILED"]


class CreateLogged(Struct, frozen=True):
    experiment_id: Given
    name: str = ""
    model_type: str = ""
    source_run_id: str = ""
    params: list[TagIn] = []
    tags: list[TagIn] = []


class LoggedNamed(Struct, frozen=True):
    model_id: Given


class Finalize(Struct, frozen=True):
    model_id: Given
    status: StatusGiven


class TagLogged(Struct, frozen=True):
    model_id: Given
    tags: list[TagIn] = []


class UntagLogged(Struct, frozen=True):
    model_id: Given
    tag_key: Given


class ParamsOf(Struct, frozen=True):
    model_id: Given
    params: list[TagIn] = []


class FilesOf(Struct, frozen=True):
    model_id: Given
    artifact_directory_path: str = ""
    page_token: str = ""


class OutputIn(Struct, frozen=True):
    model_id: Given
    step: Int64 = 0


class Outputs(Struct, frozen=True):
    run_id: Given
    models: list[OutputIn] = []


class Registration(Struct, frozen=True):
    name: str
    version: str


class MetricOf(Struct, frozen=True, omit_defaults=True):
    key: str
    value: Number
    timestamp: int
    step: int
    model_id: str
    run_id: str = ""
    dataset_name: str = ""
    dataset_digest: str = ""


class Info(Struct, frozen=True, omit_defaults=True):
    model_id: str
    experiment_id: str
    name: str
    creation_timestamp_ms: int
    last_updated_timestamp_ms: int
    artifact_uri: str
    status: str
    model_type: str = ""
    source_run_id: str = ""
    status_message: str = ""
    tags: list[Pair] = []
    registrations: list[Registration] = []


class Data(Struct, frozen=True, omit_defaults=True):
    params: list[Pair] = []
    metrics: list[MetricOf] = []


class Logged(Struct, frozen=True):
    info: Info
    data: Data


class LoggedAnswer(Struct, frozen=True):
    model: Logged


class FilesAnswer(Struct, frozen=True, omit_defaults=True):
    root_uri: str
    files: list[FileInfo] = []


AT = "/mlflow/logged-models"
ONE = f"{AT}/{{model_id}}"
create = Call("POST", AT, CreateLogged, LoggedAnswer, "models.write", "experiment")
finalize = Call("PATCH", ONE, Finalize, LoggedAnswer, "models.write", "logged_model")
get = Call("GET", ONE, LoggedNamed, LoggedAnswer, "models.read", "logged_model")
delete = Call("DELETE", ONE, LoggedNamed, Void, "models.write", "logged_model", body="none")
set_tags = Call("PATCH", f"{ONE}/tags", TagLogged, LoggedAnswer, "models.write", "logged_model")
delete_tag = Call(
    "DELETE", f"{ONE}/tags/{{tag_key:path}}", UntagLogged, Void, "models.write", "logged_model", body="none"
)
add_params = Call("POST", f"{ONE}/params", ParamsOf, Void, "models.write", "logged_model")
list_files = Call("GET", f"{ONE}/artifacts/directories", FilesOf, FilesAnswer, "models.read", "logged_model")
outputs = Call("POST", "/mlflow/runs/outputs", Outputs, Void, "runs.write", "run")


class LoggedModelCalls:
    """The handlers."""

    def __init__(self, logged: LoggedModels, sourced: Sourced, experiments: Experiments, runs: ForeignRuns) -> None:
        self.logged = logged
        self.sourced = sourced
        self.experiments = experiments
        self.runs = runs

    def bind(self, dialect: Dialect) -> None:
        dialect.know("logged_model", lambda caller, ask: [self._find(ask.model_id).project])
        dialect.serve(create, self.create)
        dialect.serve(finalize, self.finalize)
        dialect.serve(get, lambda caller, ask: LoggedAnswer(logged_of(self._find(ask.model_id))))
        dialect.serve(delete, self.delete)
        dialect.serve(set_tags, self.set_tags)
        dialect.serve(delete_tag, self.delete_tag)
        dialect.serve(add_params, self.add_params)
        dialect.serve(list_files, self.list_files)
        dialect.serve(outputs, self.outputs)

    def create(self, caller: Caller, ask: CreateLogged) -> LoggedAnswer:
        sheet = self.experiments.find(names.experiment_number(ask.experiment_id))
        if len(ask.name) > LONGEST_NAME or not ask.name.isprintable() or set("/:.%\"'") & set(ask.name):
            raise invalid("name", ask.name, "a name without slashes, colons, dots, percents and quotes")
        if len(ask.model_type) > LONGEST_NAME or not ask.model_type.isprintable():
            raise invalid("model_type", ask.model_type, f"at most {LONGEST_NAME} printable characters")
        if ask.source_run_id and self.runs.sheet(ask.source_run_id).project != sheet.project:
            raise invalid("source_run_id", ask.source_run_id, f"a run of the project {sheet.project}")
        body = LogModel(
            project=sheet.project,
            experiment=sheet.number,
            name=ask.name,
            kind=ask.model_type,
            run=ask.source_run_id,
            params=pairs(ask.params),
            tags=pairs(ask.tags),
        )
        return LoggedAnswer(logged_of(self.logged.create(caller, body)))

    def finalize(self, caller: Caller, ask: Finalize) -> LoggedAnswer:
        """Versions that were registered before the files were there get their bundles now."""
        self._find(ask.model_id)
        found = self.logged.finish(caller, logged=ask.model_id, status=STATUSES[ask.status])
        if found.status == "ready":
            self.sourced.seal_waiting(caller, logged=found.id)
        return LoggedAnswer(logged_of(found))

    def delete(self, caller: Caller, ask: LoggedNamed) -> Void:
        self._find(ask.model_id)
        self.logged.delete(caller, logged=ask.model_id)
        return Void()

    def set_tags(self, caller: Caller, ask: TagLogged) -> LoggedAnswer:
        self._find(ask.model_id)
        tags = {key: value for key, value in pairs(ask.tags).items() if key != VERSIONS_TAG}  # ours to say
        return LoggedAnswer(logged_of(self.logged.tag(caller, logged=ask.model_id, tags=tags)))

    def delete_tag(self, caller: Caller, ask: UntagLogged) -> Void:
        if ask.tag_key not in self._find(ask.model_id).tags:
            message = f"No tag with key {ask.tag_key[:250]!r} for the model with ID {ask.model_id!r}."
            raise CallRefused(error_code="RESOURCE_DOES_NOT_EXIST", message=message)
        self.logged.tag(caller, logged=ask.model_id, tags={}, untag=[ask.tag_key])
        return Void()

    def add_params(self, caller: Caller, ask: ParamsOf) -> Void:
        self._find(ask.model_id)
        self.logged.add_params(caller, logged=ask.model_id, params=pairs(ask.params))
        return Void()

    def list_files(self, caller: Caller, ask: FilesOf) -> FilesAnswer:
        model = self._find(ask.model_id)
        asked = ask.artifact_directory_path
        folder = relative(asked.removesuffix("/")) if asked else ""
        files = [(file.path, file.size_bytes) for file in self.logged.files(model.id)]
        return FilesAnswer(place_of_model(model), listing(files, folder))

    def outputs(self, caller: Caller, ask: Outputs) -> Void:
        run = names.check_run_id(ask.run_id)
        project = self.runs.sheet(run).project
        models = {one.model_id: one.step for one in ask.models}
        for model in models:
            if self._find(model).project != project:
                raise invalid("models", model, f"logged models of the project {project}")
        self.logged.use(run=run, models=models, role="output")
        return Void()

    def _find(self, model_id: str) -> LoggedModel:
        try:
            return self.logged.find(model_id)
        except NotFound as e:
            message = f"Logged model with ID '{model_id[:100]}' not found."
            raise CallRefused(error_code="RESOURCE_DOES_NOT_EXIST", message=message) from e


def pairs(given: Sequence[TagIn]) -> dict[str, str]:
    """Raises ParameterInvalid."""
    if len(given) > MOST_TAGS:
        raise invalid("tags", len(given), f"at most {MOST_TAGS} at once")
    for one in given:
        check_tag(one.key, one.value)
    return {one.key: one.value for one in given}


def place_of_model(model: LoggedModel) -> str:
    return f"{names.SCHEME}{model.experiment}/models/{model.id}/artifacts"


def logged_of(model: LoggedModel) -> Logged:
    registered = [Registration(*each.rsplit("@", 1)) for each in model.registered]
    tags = dict(model.tags)
    if registered:
        tags[VERSIONS_TAG] = msgspec.json.encode(registered).decode()
    info = Info(
        model_id=model.id,
        experiment_id=str(model.experiment),
        name=model.name,
        creation_timestamp_ms=names.in_ms(model.created_at),
        last_updated_timestamp_ms=names.in_ms(model.changed_at),
        artifact_uri=place_of_model(model),
        status=SHOWN[model.status],
        model_type=model.kind,
        source_run_id=model.run,
        status_message=model.status_message,
        tags=[Pair(*each) for each in tags.items()],
        registrations=registered,
    )
    metrics = [metric_of(each, model.id) for each in model.metrics]
    return Logged(info, Data([Pair(*each) for each in model.params.items()], metrics))


def metric_of(metric: LoggedMetric, model: str) -> MetricOf:
    return MetricOf(
        key=metric.key,
        value=metric.value,
        timestamp=names.in_ms(metric.at),
        step=metric.step,
        model_id=model,
        run_id=metric.run,
        dataset_name=metric.dataset,
        dataset_digest=metric.dataset_digest,
    )
