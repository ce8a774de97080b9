"""MLflow's calls about the data that runs read."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from msgspec import Struct

from taxiway.access.service import Access
from taxiway.compat.mlflow import names
from taxiway.compat.mlflow.call import Call, Given, Void
from taxiway.compat.mlflow.door import Dialect
from taxiway.compat.mlflow.experiments import visible_numbers
from taxiway.compat.mlflow.refusals import invalid, refused
from taxiway.compat.mlflow.runs import cut
from taxiway.compat.mlflow.shown import Tag
from taxiway.kernel.caller import Caller
from taxiway.runs.experiments import Experiments
from taxiway.runs.foreign.foreign import ForeignRuns
from taxiway.runs.foreign.sheets import Reading

MOST_DATASETS = 1000
MOST_BYTES = 64 << 20
MOST_EXPERIMENTS = 20
MOST_SUMMARIES = 1000
LONGEST = {"name": 500, "digest": 36, "source_type": 500, "source": 65_535, "schema": 1_048_575, "profile": 16_777_215}
LONGEST_KEY, LONGEST_VALUE = 255, 500


class DatasetIn(Struct, frozen=True):
    name: Given
    digest: Given
    source_type: str = ""
    source: str = ""
    schema: str = ""
    profile: str = ""


class DatasetInputIn(Struct, frozen=True):
    dataset: DatasetIn
    tags: list[Tag] = []


class ModelIn(Struct, frozen=True):
    model_id: Given


class LogInputs(Struct, frozen=True):
    run_id: Given
    datasets: list[DatasetInputIn] = []
    models: list[ModelIn] = []


class SearchDatasets(Struct, frozen=True):
    experiment_ids: list[str] = []


class Summary(Struct, frozen=True, omit_defaults=True):
    experiment_id: str
    name: str
    digest: str
    context: str = ""


class Summaries(Struct, frozen=True, omit_defaults=True):
    dataset_summaries: list[Summary] = []


log_inputs = Call("POST", "/mlflow/runs/log-inputs", LogInputs, Void, "runs.write", "run", most_bytes=MOST_BYTES)
search_datasets = Call(
    "POST", "/mlflow/experiments/search-datasets", SearchDatasets, Summaries, "runs.read", "platform"
)


class ReadModels(Protocol):
    """The logged models that runs read."""

    def use(self, caller: Caller, models: Sequence[str], *, run: str) -> None:
        """Notes that a run read models. Raises NotFound for one that is not there."""
        ...


class InputCalls:
    """The handlers."""

    def __init__(self, access: Access, experiments: Experiments, runs: ForeignRuns, models: ReadModels) -> None:
        self.access = access
        self.experiments = experiments
        self.runs = runs
        self.models = models

    def bind(self, dialect: Dialect) -> None:
        dialect.serve(log_inputs, self.log_inputs)
        dialect.serve(search_datasets, self.search_datasets)

    def log_inputs(self, caller: Caller, ask: LogInputs) -> Void:
        run = names.check_run_id(ask.run_id)
        if len(ask.datasets) > MOST_DATASETS:
            raise invalid("datasets", len(ask.datasets), f"at most {MOST_DATASETS} data sets")
        given = [reading_of(one, f"datasets[{number}].") for number, one in enumerate(ask.datasets)]
        if ask.models:
            self.models.use(caller, [one.model_id for one in ask.models], run=run)
        if given:
            self.runs.read(caller, given, run=run)
        return Void()

    def search_datasets(self, caller: Caller, ask: SearchDatasets) -> Summaries:
        if not ask.experiment_ids:
            raise refused("SearchDatasets request must specify at least one experiment_id.")
        if len(ask.experiment_ids) > MOST_EXPERIMENTS:
            told = f"cannot specify more than {MOST_EXPERIMENTS} experiment_ids"
            raise refused(f"SearchDatasets request {told}. Received {len(ask.experiment_ids)} experiment_ids.")
        numbers = visible_numbers(self.experiments, ask.experiment_ids, self.access.visible(caller))
        found = self.runs.described(numbers, most=MOST_SUMMARIES)
        return Summaries([Summary(str(one.experiment), one.name, one.digest, one.context) for one in found])


def reading_of(given: DatasetInputIn, at: str) -> Reading:
    """What is kept of a data set. Raises ParameterInvalid."""
    described = {name: getattr(given.dataset, name) for name in DatasetIn.__struct_fields__}
    for name, text in described.items():
        check_length(text, LONGEST[name], f"{at}dataset.{name}")
    tags = {}
    for number, tag in enumerate(given.tags):
        check_length(tag.key, LONGEST_KEY, f"{at}tags[{number}].key")
        tags[tag.key] = check_length(tag.value, LONGEST_VALUE, f"{at}tags[{number}].value")
    return Reading(**described, tags=tags)


def check_length(text: str, most: int, field: str) -> str:
    """Raises ParameterInvalid."""
    if len(text) > most:
        raise invalid(field, text, f"a text of at most {most} characters")
    return cut(text, most, field)
