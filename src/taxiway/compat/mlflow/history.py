"""MLflow's calls that read metrics: whole histories, and samples of many runs for a chart."""

from __future__ import annotations

from typing import Any

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from taxiway.compat.mlflow.call import Call, Given, Int64
from taxiway.compat.mlflow.door import Dialect
from taxiway.compat.mlflow.paging import page_size, read_offset, write_token
from taxiway.compat.mlflow.refusals import ParameterMissing, refused
from taxiway.compat.mlflow.runs import id_of
from taxiway.compat.mlflow.shown import Metric
from taxiway.kernel.caller import Caller
from taxiway.kernel.numbers import Number, to_wire
from taxiway.runs.points import times
from taxiway.runs.points.log import Log
from taxiway.runs.points.segments import History

MOST_RUNS = 100
MOST_IN_BULK = 25_000
MOST_SAMPLED = 2_500
MOST_PAGE = 1_000_000


class GetHistory(Struct, frozen=True):
    metric_key: Given
    run_id: str = ""
    run_uuid: str = ""
    page_token: str = ""
    max_results: Int64 | None = None


class GetBulk(Struct, frozen=True):
    run_id: list[str] = []
    metric_key: str = ""
    max_results: Int64 | None = None

    @property
    def run_ids(self) -> list[str]:
        return self.run_id


class GetInterval(Struct, frozen=True):
    metric_key: Given
    run_ids: list[str] = []
    start_step: Int64 | None = None
    end_step: Int64 | None = None
    max_results: Int64 | None = None


class Points(Struct, frozen=True, omit_defaults=True):
    metrics: list[Metric] = []
    next_page_token: str = ""


class MetricOfRun(Struct, frozen=True):
    key: str
    value: Number
    timestamp: int
    step: int
    run_id: str


class PointsOfRuns(Struct, frozen=True, omit_defaults=True):
    metrics: list[MetricOfRun] = []


get_history = Call("GET", "/mlflow/metrics/get-history", GetHistory, Points, "runs.read", "run")
get_bulk = Call("GET", "/mlflow/metrics/get-history-bulk", GetBulk, PointsOfRuns, "runs.read", "runs")
get_interval = Call("GET", "/mlflow/metrics/get-history-bulk-interval", GetInterval, PointsOfRuns, "runs.read", "runs")


class HistoryCalls:
    """The handlers."""

    def __init__(self, log: Log) -> None:
        self.log = log

    def bind(self, dialect: Dialect) -> None:
        dialect.serve(get_history, self.get_history)
        dialect.serve(get_bulk, self.get_bulk)
        dialect.serve(get_interval, self.get_interval)

    def get_history(self, caller: Caller, ask: GetHistory) -> Points:
        """Every point, unless pages are asked for: the client without a size wants all in one answer."""
        found = self.log.history(id_of(ask), ask.metric_key).distinct()
        start, total = read_offset(ask.page_token), found.steps.size
        size = total if ask.max_results is None else page_size(ask.max_results, usual=None, most=MOST_PAGE)
        end = start + size
        some = part(found, slice(start, end))
        metrics = [Metric(ask.metric_key, *point) for point in told(some)]
        return Points(metrics, write_token(str(end)) if end < total else "")

    def get_bulk(self, caller: Caller, ask: GetBulk) -> PointsOfRuns:
        """The points of several runs, by run, then time, step and value."""
        if not ask.run_id:
            raise refused("GetMetricHistoryBulk request must specify at least one run_id.")
        if len(ask.run_id) > MOST_RUNS:
            words = f"cannot specify more than {MOST_RUNS} run_ids. Received {len(ask.run_id)} run_ids."
            raise refused(f"GetMetricHistoryBulk request {words}")
        if not ask.metric_key:
            raise refused("GetMetricHistoryBulk request must specify a metric_key.")
        size = page_size(ask.max_results, usual=MOST_IN_BULK, most=MOST_IN_BULK)
        metrics: list[MetricOfRun] = []
        for run in sorted(set(ask.run_id)):
            found = self.log.history(run, ask.metric_key).distinct()
            order = np.lexsort((found.values, found.steps, times.unsigned(found.at)))
            some = told(part(found, order[: size - len(metrics)]))
            metrics += [MetricOfRun(ask.metric_key, *point, run) for point in some]
        return PointsOfRuns(metrics)

    def get_interval(self, caller: Caller, ask: GetInterval) -> PointsOfRuns:
        """Points of each run, evenly spread over those there are, the first and the last among them."""
        if not ask.run_ids:
            raise ParameterMissing(parameter="run_ids")
        if len(ask.run_ids) > MOST_RUNS:
            words = f"must specify at most {MOST_RUNS} run_ids. Received {len(ask.run_ids)} run_ids."
            raise refused(f"GetMetricHistoryBulkInterval request {words}")
        size = page_size(ask.max_results, usual=MOST_SAMPLED, most=MOST_SAMPLED)
        first, last = steps_of(ask)
        metrics: list[MetricOfRun] = []
        for run in ask.run_ids:
            found = self.log.history(run, ask.metric_key).distinct()
            if first is not None and last is not None:
                found = part(found, (found.steps >= first) & (found.steps <= last))
            some = told(part(found, sample(found.steps.size, size)))
            metrics += [MetricOfRun(ask.metric_key, *point, run) for point in some]
        return PointsOfRuns(metrics)


def steps_of(ask: GetInterval) -> tuple[int | None, int | None]:
    first, last = ask.start_step, ask.end_step
    if (first is None) != (last is None):
        raise refused("If either start step or end step are specified, both must be specified.")
    if first is not None and last is not None and first > last:
        found = f"Found start_step={first} and end_step={last}."
        raise refused(f"end_step must be greater than start_step. {found}")
    return first, last


def sample(total: int, size: int) -> list[int]:
    """Which of `total` points to take: the first of each of `size` equal parts, but the last point of all at the end.

    >>> sample(10, 4)
    [0, 3, 6, 9]
    """
    if total <= size:
        return list(range(total))
    whole, larger = divmod(total, size)  # the first parts are one larger where it does not come out even
    return [number * whole + min(number, larger) for number in range(size - 1)] + [total - 1]


def part(history: History, which: slice | list[int] | NDArray[Any]) -> History:
    return History(history.steps[which], history.at[which], history.values[which])


def told(history: History) -> list[tuple[Number, int, int]]:
    """Value, milliseconds and step of every point."""
    moments = times.array_to_ms(history.at).tolist()
    return [
        (to_wire(value), at, step)
        for value, at, step in zip(history.values.tolist(), moments, history.steps.tolist(), strict=True)
    ]
