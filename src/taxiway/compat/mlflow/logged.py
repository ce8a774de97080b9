"""MLflow's calls that log to a run: metrics, parameters, tags, alone and in batches."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol

import msgspec
from msgspec import Struct
from starlette.concurrency import run_in_threadpool

from taxiway.compat.mlflow import names
from taxiway.compat.mlflow.call import Call, Given, Int64, Void
from taxiway.compat.mlflow.door import Dialect
from taxiway.compat.mlflow.refusals import invalid, refused
from taxiway.compat.mlflow.runs import LONGEST_TAG, NAME_TAG, check_name, cut, given_tags, id_of
from taxiway.compat.mlflow.shown import Tag
from taxiway.kernel.caller import Caller
from taxiway.kernel.numbers import Number, from_wire
from taxiway.runs.compare import Scalar
from taxiway.runs.foreign.foreign import ForeignRuns, UpdateRun
from taxiway.runs.points import times
from taxiway.runs.points.batch import Batch, Row, by_key
from taxiway.runs.points.log import Log
from taxiway.runs.points.loose import Items
from taxiway.runs.points.segments import History, history

LONGEST_PARAM = 6000  # longer texts are cut, as MLflow's server does
MOST_BYTES = 1_000_000
MOST = {"metrics": 1000, "params": 100, "tags": 100}
MOST_TOGETHER = 1000
MODELS_TAG = "mlflow.log-model.history"
MODEL_FIELDS = {"artifact_path", "flavors", "utc_time_created", "run_id"}
SHOWN_FIELDS = {*MODEL_FIELDS, "model_uuid", "mlflow_version"}


class MetricIn(Struct, frozen=True, gc=False):
    key: Given
    value: Number
    timestamp: Int64
    step: Int64 = 0
    model_id: str = ""
    dataset_name: str = ""
    dataset_digest: str = ""


class LogMetric(Struct, frozen=True, kw_only=True):
    run_id: str = ""
    run_uuid: str = ""
    key: Given
    value: Number
    timestamp: Int64
    step: Int64 = 0
    model_id: str = ""
    dataset_name: str = ""
    dataset_digest: str = ""


class LogPair(Struct, frozen=True, kw_only=True):
    run_id: str = ""
    run_uuid: str = ""
    key: Given
    value: str = ""


class LogBatch(Struct, frozen=True):
    run_id: Given
    metrics: list[MetricIn] = []
    params: list[Tag] = []
    tags: list[Tag] = []


class Packed(Struct, frozen=True):
    """A batch of points alone that was read and checked elsewhere."""

    run_id: str
    batch: Batch


class LogModel(Struct, frozen=True):
    """How clients before logged models said that a run made one. model_json: of its MLmodel file."""

    run_id: Given
    model_json: Given


log_metric = Call("POST", "/mlflow/runs/log-metric", LogMetric, Void, "runs.write", "run")
log_param = Call("POST", "/mlflow/runs/log-parameter", LogPair, Void, "runs.write", "run")
set_tag = Call("POST", "/mlflow/runs/set-tag", LogPair, Void, "runs.write", "run")
log_batch = Call("POST", "/mlflow/runs/log-batch", LogBatch, Void, "runs.write", "run", most_bytes=MOST_BYTES)


log_model = Call("POST", "/mlflow/runs/log-model", LogModel, Void, "runs.write", "run")


class ModelPoint(Struct, frozen=True):
    """A point that was measured on a logged model, maybe on some data."""

    model: str
    row: Row
    dataset_name: str = ""
    dataset_digest: str = ""


class MeasuredModels(Protocol):
    """The logged models, which keep what was measured on them."""

    def measure(self, caller: Caller, points: Sequence[ModelPoint], *, run: str) -> None:
        """Raises NotFound for a model that is not there."""
        ...


class LogCalls:
    """The handlers, on the event loop: these are the calls that training waits for.

    read_batch: reads a batch elsewhere, and gives None where it is to be read here.
    """

    def __init__(
        self,
        log: Log,
        runs: ForeignRuns,
        models: MeasuredModels,
        read_batch: Callable[[bytes], Awaitable[Packed | None]],
    ) -> None:
        self.log = log
        self.runs = runs
        self.models = models
        self.read_batch = read_batch

    def bind(self, dialect: Dialect) -> None:
        dialect.serve(log_metric, self.log_metric)
        dialect.serve(log_param, self.log_param)
        dialect.serve(set_tag, self.set_tag)
        dialect.serve(log_batch, self.log_batch, self.read_batch)
        dialect.serve(log_model, self.log_model)

    async def log_metric(self, caller: Caller, ask: LogMetric) -> Void:
        run = id_of(ask)
        await self._measure(caller, run, [ask])
        await self.log.keep_soon(caller, Items(points=[row_of(ask, "")]), run=run, may_amend=True)
        return Void()

    async def log_param(self, caller: Caller, ask: LogPair) -> Void:
        params: dict[str, Scalar] = {names.check_key(ask.key, "key"): cut(ask.value, LONGEST_PARAM, "value")}
        await self.log.keep_soon(caller, Items(params=params), run=id_of(ask), may_amend=True)
        return Void()

    async def set_tag(self, caller: Caller, ask: LogPair) -> Void:
        tags = {names.check_key(ask.key, "key"): cut(ask.value, LONGEST_TAG, "value")}
        await self._keep(caller, id_of(ask), Items(tags=tags))
        return Void()

    async def log_batch(self, caller: Caller, ask: LogBatch | Packed) -> Void:
        if isinstance(ask, Packed):
            await self.log.keep_batch_soon(caller, ask.batch, may_amend=True)
            return Void()
        run = names.check_run_id(ask.run_id)
        check_sizes(ask)
        items = Items(series=series_of(ask.metrics), params=params_of(ask.params), tags=given_tags(ask.tags))
        await self._measure(caller, run, ask.metrics)
        await self._keep(caller, run, items)
        return Void()

    def log_model(self, caller: Caller, ask: LogModel) -> Void:
        """Adds the model to the tag that lists a run's models."""
        run = names.check_run_id(ask.run_id)
        model = read_model(ask.model_json)
        known = dict(self.runs.sheet(run).tags).get(MODELS_TAG, "[]")
        models = [*msgspec.json.decode(known, type=list[object]), model]
        text = msgspec.json.encode(models).decode()
        if len(text) > LONGEST_TAG:  # a list that is cut is none
            raise invalid("model_json", ask.model_json, f"less: the run's list of models has {LONGEST_TAG} characters")
        self.log.keep(caller, Items(tags={MODELS_TAG: text}), run=run, may_amend=True)
        return Void()

    async def _keep(self, caller: Caller, run: str, items: Items) -> None:
        """Keeps items; the tag that is the run's name renames it."""
        tags = dict(items.tags)
        name = check_name(tags.pop(NAME_TAG, ""))
        if name:
            await run_in_threadpool(self.runs.update, caller, UpdateRun(name=name), run=run)
        given = msgspec.structs.replace(items, tags=tags)
        await self.log.keep_soon(caller, given, run=run, may_amend=True)

    async def _measure(self, caller: Caller, run: str, metrics: Sequence[MetricIn | LogMetric]) -> None:
        """Tells the models what was measured on them, before the run is told: a model's refusal changes nothing."""
        points = [
            ModelPoint(one.model_id, row_of(one, ""), one.dataset_name, one.dataset_digest)
            for one in metrics
            if one.model_id
        ]
        if points:
            await run_in_threadpool(self.models.measure, caller, points, run=run)


def read_model(text: str) -> dict[str, object]:
    """Raises ParameterInvalid for what describes no model."""
    try:
        model: dict[str, object] = msgspec.json.decode(text, type=dict[str, object])
    except (msgspec.MsgspecError, RecursionError) as e:
        raise invalid("model_json", text, "a valid JSON object") from e
    if missing := MODEL_FIELDS - model.keys():
        raise invalid("model_json", text, f"one with the mandatory fields {', '.join(sorted(missing))}")
    return {name: value for name, value in model.items() if name in SHOWN_FIELDS}


def row_of(metric: MetricIn | LogMetric, at: str) -> Row:
    """A point as it is stored. Raises ParameterInvalid."""
    key = names.check_key(metric.key, f"{at}key")
    most = names.LAST_MS if metric.model_id else times.MOST_MS  # a logged model's metrics are kept by the calendar
    if not 0 <= metric.timestamp <= most:
        raise invalid(f"{at}timestamp", metric.timestamp, f"milliseconds since 1970, at most {most}")
    return Row(key, metric.step, times.from_ms(metric.timestamp), from_wire(metric.value))


def series_of(metrics: Sequence[MetricIn]) -> dict[str, History]:
    """Many points as they are stored, by key. Raises ParameterInvalid, naming the first that cannot be."""
    keys, said = [metric.key for metric in metrics], [metric.timestamp for metric in metrics]
    for number in {keys.index(key) for key in set(keys)}:
        names.check_key(keys[number], f"metrics[{number}].key")
    points = history([metric.step for metric in metrics], said, [metric.value for metric in metrics])
    if said and not 0 <= points.at.min() <= points.at.max() <= names.LAST_MS:
        for number, metric in enumerate(metrics):
            row_of(metric, f"metrics[{number}].")
    return by_key(keys, History(points.steps, times.array_from_ms(points.at), points.values))


def params_of(given: Sequence[Tag]) -> dict[str, Scalar]:
    """Parameters by key. Raises ParameterInvalid, also for a key that comes twice."""
    found: dict[str, Scalar] = {}
    for number, param in enumerate(given):
        key = names.check_key(param.key, f"params[{number}].key")
        if key in found:
            raise invalid(f"params[{number}].key", key, "each parameter once: Duplicate parameter keys are refused")
        found[key] = cut(param.value, LONGEST_PARAM, f"params[{number}].value")
    return found


def check_sizes(ask: LogBatch) -> None:
    """Raises CallRefused for a batch that is larger than MLflow's may be."""
    sizes = {"metrics": len(ask.metrics), "params": len(ask.params), "tags": len(ask.tags)}
    for what, size in sizes.items():
        refuse_over(what, size, MOST[what])
    refuse_over("metrics, params, and tags", sum(sizes.values()), MOST_TOGETHER)


def refuse_over(what: str, size: int, most: int) -> None:
    if size > most:
        message = (
            f"A batch logging request can contain at most {most} {what}. Got {size} {what}. "
            f"Please split up {what} across multiple requests and try again."
        )
        raise refused(message)
