"""Runs as MLflow's client reads them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from msgspec import Struct

from taxiway.compat.mlflow import names
from taxiway.compat.mlflow.call import Given
from taxiway.kernel.numbers import Number, to_wire
from taxiway.runs.foreign.foreign import ForeignRuns
from taxiway.runs.foreign.sheets import Newest, Reading, RunSheet
from taxiway.runs.points.times import to_ms


class Tag(Struct, frozen=True):
    key: Given
    value: str = ""


class Pair(Struct, frozen=True, gc=False):
    key: str
    value: str


class Metric(Struct, frozen=True, omit_defaults=True, gc=False):
    key: str
    value: Number
    timestamp: int
    step: int


class RunInfo(Struct, frozen=True, omit_defaults=True):
    run_id: str
    run_uuid: str
    run_name: str
    experiment_id: str
    user_id: str
    status: str
    start_time: int
    artifact_uri: str
    lifecycle_stage: str
    end_time: int | None = None


class RunData(Struct, frozen=True, omit_defaults=True):
    metrics: list[Metric] = []
    params: list[Pair] = []
    tags: list[Pair] = []


class Dataset(Struct, frozen=True, omit_defaults=True):
    name: str
    digest: str
    source_type: str = ""
    source: str = ""
    schema: str = ""
    profile: str = ""


class DatasetInput(Struct, frozen=True, omit_defaults=True):
    dataset: Dataset
    tags: list[Pair] = []


class ModelInput(Struct, frozen=True):
    model_id: str


class ModelOutput(Struct, frozen=True):
    model_id: str
    step: int


class RunInputs(Struct, frozen=True, omit_defaults=True):
    dataset_inputs: list[DatasetInput] = []
    model_inputs: list[ModelInput] = []


class RunOutputs(Struct, frozen=True, omit_defaults=True):
    model_outputs: list[ModelOutput] = []


class Run(Struct, frozen=True):
    info: RunInfo
    data: RunData
    inputs: RunInputs
    outputs: RunOutputs


class RunAnswer(Struct, frozen=True):
    run: Run


Ties = tuple[Sequence[str], Sequence[tuple[str, int]]]
NO_TIES: Ties = ((), ())


class Models(Protocol):
    """The logged models that runs read and made."""

    def ties(self, runs: Sequence[str]) -> Mapping[str, Ties]:
        """By run: the ids of those it read, and of those it made, each with its step."""
        ...


class Showing:
    """Reads runs and says them in MLflow's words."""

    def __init__(self, runs: ForeignRuns, models: Models) -> None:
        self.runs = runs
        self.models = models

    def run(self, run: str) -> Run:
        """Raises NotFound."""
        return self.say([self.runs.sheet(run)])[0]

    def of(self, numbers: Sequence[int]) -> list[Run]:
        return self.say(self.runs.sheets(numbers))

    def say(self, sheets: Sequence[RunSheet]) -> list[Run]:
        ties = self.models.ties([sheet.id for sheet in sheets]) if sheets else {}
        return [run_of(sheet, ties.get(sheet.id, NO_TIES)) for sheet in sheets]


def run_of(sheet: RunSheet, ties: Ties = NO_TIES) -> Run:
    read, made = ties
    return Run(
        info=info_of(sheet),
        data=RunData(
            metrics=[metric_of(metric) for metric in sheet.metrics],
            params=[Pair(*param) for param in sheet.params],
            tags=[*(Pair(*tag) for tag in sheet.tags), Pair("mlflow.runName", sheet.name)],
        ),
        inputs=RunInputs([input_of(one) for one in sheet.readings], [ModelInput(model) for model in read]),
        outputs=RunOutputs([ModelOutput(*one) for one in made]),
    )


def info_of(sheet: RunSheet) -> RunInfo:
    ended_at = None if names.SHOWN[sheet.status] == "RUNNING" else sheet.ended_at
    return RunInfo(
        run_id=sheet.id,
        run_uuid=sheet.id,
        run_name=sheet.name,
        experiment_id=str(sheet.experiment),
        user_id=sheet.user,
        status=names.SHOWN[sheet.status],
        start_time=sheet.started_at // names.MICROS_OF_MS,
        artifact_uri=names.run_location(sheet),
        lifecycle_stage="deleted" if sheet.is_trashed else "active",
        end_time=None if ended_at is None else ended_at // names.MICROS_OF_MS,
    )


def metric_of(metric: Newest) -> Metric:
    value: Number = "NaN" if metric.value is None else to_wire(metric.value)
    return Metric(metric.key, value, to_ms(metric.at), metric.step)


def input_of(reading: Reading) -> DatasetInput:
    described = {name: getattr(reading, name) for name in Dataset.__struct_fields__}
    return DatasetInput(Dataset(**described), [Pair(*tag) for tag in reading.tags.items()])
