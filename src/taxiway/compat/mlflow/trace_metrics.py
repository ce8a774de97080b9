"""MLflow's call that measures traces, spans and assessments: counts, latencies, tokens, costs and values, by kind and
by time."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Literal, NamedTuple

from msgspec import Meta, Struct

from taxiway.access.service import Access
from taxiway.compat.mlflow import names
from taxiway.compat.mlflow.call import Call, Given, Int64
from taxiway.compat.mlflow.door import Dialect
from taxiway.compat.mlflow.paging import page, page_size
from taxiway.compat.mlflow.refusals import invalid
from taxiway.compat.mlflow.trace_points import KINDS, Aggregation, Point, points
from taxiway.kernel.caller import Caller
from taxiway.traces.filter import STATES, Term, parse_filter
from taxiway.traces.measured import Row, View
from taxiway.traces.query import Search
from taxiway.traces.service import Traces

USAGE = {f"{kind}_tokens": f"{kind}_tokens" for kind in ("input", "output", "total")}
USAGE |= {f"cache_{kind}_input_tokens": f"cache_{kind}_input_tokens" for kind in ("read", "creation")}
COSTS = {f"{kind}_cost": f"{kind}_cost" for kind in ("input", "output", "total")}
SUMS = ("SUM", "AVG", "MIN", "MAX", "PERCENTILE")
SPREAD = ("AVG", "MIN", "MAX", "PERCENTILE")
WORDS = {ours: theirs for theirs, ours in STATES.items()} | {"unknown": "STATE_UNSPECIFIED"}
CLAUSE = re.compile(
    r"\s*(trace|span|assessment)\.(\w+)(?:\.(`[^`]+`|\"[^\"]+\"|[\w.-]+))?\s*=\s*('[^']*'|\"[^\"]*\")\s*"
)
# What may be asked of the things themselves that are measured, and how it is called here.
OWN = {"SPANS": ("span", ("name", "status", "type")), "ASSESSMENTS": ("assessment", ("name", "type"))}
MOST_POINTS = 1000


class Metric(NamedTuple):
    """figure: what is measured of a row. dimensions: what it may be told apart by, as the client calls it."""

    figure: str
    aggregations: tuple[str, ...]
    dimensions: dict[str, str]


NAMED = {"trace_name": "name"}
BY_MODEL = {"span_model_name": "model", "span_model_provider": "provider"}
BY_SPAN = {"span_name": "name", "span_status": "state"}
METRICS: dict[str, tuple[View, dict[str, Metric]]] = {
    "TRACES": (
        "traces",
        {
            "trace_count": Metric("count", ("COUNT",), NAMED | {"trace_status": "state"}),
            "session_count": Metric("session", ("COUNT",), {}),
            "latency": Metric("latency", SPREAD, NAMED),
            **{name: Metric(figure, SUMS, NAMED) for name, figure in USAGE.items()},
        },
    ),
    "SPANS": (
        "spans",
        {
            "span_count": Metric("count", ("COUNT",), BY_SPAN | {"span_type": "kind"} | BY_MODEL),
            "latency": Metric("latency", SPREAD, BY_SPAN),
            **{name: Metric(figure, SUMS, BY_MODEL) for name, figure in COSTS.items()},
        },
    ),
    "ASSESSMENTS": (
        "remarks",
        {
            "assessment_count": Metric("count", ("COUNT",), {"assessment_name": "name", "assessment_value": "value"}),
            "assessment_value": Metric("value", SPREAD, {"assessment_name": "name"}),
        },
    ),
}


class AggregationIn(Struct, frozen=True):
    aggregation_type: Literal["COUNT", "SUM", "AVG", "PERCENTILE", "MIN", "MAX"]
    percentile_value: float | None = None


class Measure(Struct, frozen=True):
    experiment_ids: list[str]
    view_type: Literal["TRACES", "SPANS", "ASSESSMENTS"]
    metric_name: Given
    aggregations: list[AggregationIn]
    dimensions: list[str] = []
    filters: list[str] = []
    time_interval_seconds: Annotated[int, Meta(ge=1, le=10**9)] | None = None
    start_time_ms: Int64 | None = None
    end_time_ms: Int64 | None = None
    max_results: Int64 | None = None
    page_token: str = ""


class Measured(Struct, frozen=True, omit_defaults=True):
    data_points: list[Point] = []
    next_page_token: str = ""


measure = Call("POST", "/mlflow/traces/metrics", Measure, Measured, "runs.read", "platform", ("3.0",))


class TraceMetricCalls:
    """The handler. It measures only what the caller may see."""

    def __init__(self, traces: Traces, access: Access) -> None:
        self.traces = traces
        self.access = access

    def bind(self, dialect: Dialect) -> None:
        dialect.serve(measure, self.measure)

    def measure(self, caller: Caller, ask: Measure) -> Measured:
        view, metric = metric_of(ask)
        if ask.time_interval_seconds and (ask.start_time_ms is None or ask.end_time_ms is None):
            raise invalid("time_interval_seconds", ask.time_interval_seconds, "it with start_time_ms and end_time_ms")
        visible = self.access.visible(caller)
        terms, facts = conditions_of(ask)
        search = Search(
            terms=(*terms, *span_of_time(ask)),
            experiments=tuple(names.experiment_number(one) for one in ask.experiment_ids),
            projects=None if visible is None else tuple(visible),
        )
        size = page_size(ask.max_results, usual=MOST_POINTS, most=MOST_POINTS)
        found = points(
            (row for row in self.traces.measured(search, view) if facts.items() <= row.facts.items()),
            metric=ask.metric_name,
            figure=metric.figure,
            aggregations=aggregations_of(ask, metric),
            keys=lambda row: keys_of(row, ask, metric),
            is_whole=not ask.dimensions and not ask.time_interval_seconds,
        )
        shown, token = page(found, size=size, token=ask.page_token)
        return Measured(list(shown), token)


def metric_of(ask: Measure) -> tuple[View, Metric]:
    """Raises ParameterInvalid."""
    view, known = METRICS[ask.view_type]
    metric = known.get(ask.metric_name)
    if metric is None:
        raise invalid("metric_name", ask.metric_name, f"one of {', '.join(known)}")
    for dimension in ask.dimensions:
        if dimension not in metric.dimensions:
            raise invalid("dimensions", dimension, f"one of {', '.join(metric.dimensions) or 'none'}")
    return view, metric


def aggregations_of(ask: Measure, metric: Metric) -> list[Aggregation]:
    """Raises ParameterInvalid."""
    found = []
    for each in ask.aggregations:
        kind, share = each.aggregation_type, each.percentile_value
        if kind not in metric.aggregations:
            raise invalid("aggregations", kind, f"one of {', '.join(metric.aggregations)}")
        if (kind == "PERCENTILE") != (share is not None) or not 0 <= (share or 0) <= 100:
            raise invalid("aggregations", share, "a percentile_value from 0 to 100 with PERCENTILE, and with it alone")
        found.append(Aggregation(f"P{float(share)}" if share is not None else kind, KINDS.get(kind), share))
    if not found:
        raise invalid("aggregations", [], "at least one aggregation")
    return found


def conditions_of(ask: Measure) -> tuple[list[Term], dict[str, str]]:
    """What the traces must fulfil, and what the spans or assessments themselves must be. Raises ParameterInvalid."""
    terms: list[Term] = []
    facts: dict[str, str] = {}
    own_place, own_entities = OWN.get(ask.view_type, ("", ()))
    for text in ask.filters:
        clause = CLAUSE.fullmatch(text)
        place, entity, key, value = clause.groups() if clause else ("", "", "", "")
        if place == "trace" and entity == "status" and not key:
            terms += parse_filter(f"status = {value}")
        elif place == "trace" and entity in ("tag", "metadata") and key:
            bare = key.strip('`"')
            terms += parse_filter(f"{entity}.`{bare}` = {value}")
        elif place == own_place and entity in own_entities and not key:
            facts[{"status": "state", "type": "kind"}.get(entity, entity)] = stated(entity, value[1:-1])
        else:
            expected = "trace.status, trace.tag.KEY, trace.metadata.KEY, or what spans or assessments are, = 'VALUE'"
            raise invalid("filters", text, expected)
    return terms, facts


def stated(entity: str, value: str) -> str:
    return STATES.get(value, value) if entity == "status" else value


def span_of_time(ask: Measure) -> Iterator[Term]:
    """The traces that began within the time that is asked about, both ends included."""
    if ask.start_time_ms is not None:
        yield Term("trace", "started_ms", ">=", float(ask.start_time_ms))
    if ask.end_time_ms is not None:
        yield Term("trace", "started_ms", "<=", float(ask.end_time_ms))


def keys_of(row: Row, ask: Measure, metric: Metric) -> dict[str, str] | None:
    """What a row is told apart by; None where it lacks one of that."""
    found: dict[str, str] = {}
    if ask.time_interval_seconds:
        step_ms = ask.time_interval_seconds * 1000
        found["time_bucket"] = in_words(row.at_ms // step_ms * step_ms)
    for dimension in ask.dimensions:
        fact = metric.dimensions[dimension]
        value: Any = row.facts[fact]
        if value is None:
            return None
        found[dimension] = WORDS.get(value, value) if fact == "state" else value
    return found


def in_words(at_ms: int) -> str:
    return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=at_ms)).isoformat()
