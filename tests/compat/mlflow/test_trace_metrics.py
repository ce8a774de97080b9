"""Traces, spans and assessments measured with MLflow's client, and what is refused."""

from __future__ import annotations

import json
import statistics
from typing import Any

import pytest

from taxiway.compat.mlflow.trace_points import Aggregation
from tests.compat.mlflow.conftest import Tracking

PATH = "//api/3.0/mlflow/traces/metrics"
# Of each trace: name, state, begun in the hour of, seconds, session, tokens that went in
TOLD = [
    ("chat", "OK", 10, 1.0, "s1", 10),
    ("chat", "OK", 10, 2.0, "s1", 20),
    ("chat", "ERROR", 11, 4.0, "s2", 40),
    ("search", "OK", 11, 8.0, "", None),
]


@pytest.fixture(scope="module")
def experiment(tracking: Tracking) -> str:
    number = tracking.new_experiment("measured")
    for nth, (name, state, hour, seconds, session, tokens) in enumerate(TOLD):
        metadata = {"mlflow.trace.session": session} if session else {}
        if tokens:
            metadata["mlflow.trace.tokenUsage"] = json.dumps({"input_tokens": tokens, "output_tokens": 1})
        info = {
            "trace_id": f"tr-{int(number):016x}{nth:016x}",
            "trace_location": {"type": "MLFLOW_EXPERIMENT", "mlflow_experiment": {"experiment_id": number}},
            "request_time": f"2026-11-23T{hour}:00:00Z",
            "execution_duration": f"{seconds}s",
            "state": state,
            "tags": {"mlflow.traceName": name, "team": "a" if nth % 2 else "b"},
            "trace_metadata": metadata,
        }
        told = tracking.call("POST", "//api/3.0/mlflow/traces", {"trace": {"trace_info": info}})
        assert told.status == 200, told
    return number


def test_mlflows_client_is_told_counts_latencies_and_tokens(tracking: Tracking, experiment: str) -> None:
    def script(mlflow: Any, client: Any, *, experiment: str) -> Any:
        from mlflow.entities.trace_metrics import AggregationType, MetricAggregation, MetricViewType
        from mlflow.tracking._tracking_service.utils import _get_store

        def asked(metric: str, *kinds: Any, **given: Any) -> Any:
            wanted = [
                MetricAggregation(AggregationType.PERCENTILE, kind)
                if isinstance(kind, float)
                else MetricAggregation(AggregationType(kind))
                for kind in kinds
            ]
            found = _get_store().query_trace_metrics([experiment], MetricViewType.TRACES, metric, wanted, **given)
            return [[dict(point.dimensions), dict(point.values)] for point in found]

        hours = {"start_time_ms": 0, "end_time_ms": 1_900_000_000_000, "time_interval_seconds": 3600}
        return {
            "all": asked("trace_count", "COUNT"),
            "kinds": asked("trace_count", "COUNT", dimensions=["trace_name", "trace_status"]),
            "hours": asked("trace_count", "COUNT", **hours),
            "sessions": asked("session_count", "COUNT"),
            "latency": asked("latency", "AVG", "MIN", "MAX", 50.0, dimensions=["trace_name"]),
            "tokens": asked("input_tokens", "SUM", 25.0),
            "none": asked("cache_read_input_tokens", "SUM"),
            "filtered": asked("trace_count", "COUNT", filters=["trace.status = 'OK'", "trace.tag.team = 'b'"]),
            "nothing": asked("trace_count", "COUNT", filters=["trace.metadata.`mlflow.trace.session` = 'none'"]),
            "early": asked("trace_count", "COUNT", end_time_ms=1_795_428_000_000),
        }

    hour = "2026-11-23T{}:00:00+00:00"
    assert tracking.run(script, experiment=experiment) == {
        "all": [[{}, {"COUNT": 4}]],
        "kinds": [
            [{"trace_name": "chat", "trace_status": "ERROR"}, {"COUNT": 1}],
            [{"trace_name": "chat", "trace_status": "OK"}, {"COUNT": 2}],
            [{"trace_name": "search", "trace_status": "OK"}, {"COUNT": 1}],
        ],
        "hours": [[{"time_bucket": hour.format(each)}, {"COUNT": 2}] for each in (10, 11)],
        "sessions": [[{}, {"COUNT": 2}]],
        "latency": [
            [{"trace_name": "chat"}, {"AVG": pytest.approx(7000 / 3), "MIN": 1000, "MAX": 4000, "P50.0": 2000}],
            [{"trace_name": "search"}, {"AVG": 8000, "MIN": 8000, "MAX": 8000, "P50.0": 8000}],
        ],
        "tokens": [[{}, {"SUM": 70, "P25.0": 15}]],
        "none": [],
        "filtered": [[{}, {"COUNT": 1}]],
        "nothing": [[{}, {"COUNT": 0}]],
        "early": [[{}, {"COUNT": 2}]],
    }


def test_spans_and_assessments_are_measured_too(tracking: Tracking) -> None:
    def script(mlflow: Any, client: Any) -> Any:
        from mlflow.entities.trace_metrics import AggregationType, MetricAggregation, MetricViewType
        from mlflow.tracking._tracking_service.utils import _get_store

        mlflow.set_experiment("measured steps")
        experiment = mlflow.get_experiment_by_name("measured steps").experiment_id
        for cost in (1.5, 2.5):
            with mlflow.start_span("answer", span_type="LLM") as span:
                span.set_attributes({"mlflow.llm.model": "small", "mlflow.llm.cost": {"total_cost": cost}})
                with mlflow.start_span("look", span_type="TOOL"):
                    pass
        mlflow.flush_trace_async_logging()
        found = mlflow.search_traces(locations=[experiment], return_type="list")
        for trace, value in zip(found, (True, False), strict=True):
            mlflow.log_feedback(trace_id=trace.info.trace_id, name="good", value=value)
        mlflow.log_feedback(trace_id=found[0].info.trace_id, name="score", value=0.25)

        def asked(view: str, metric: str, kind: str, **given: Any) -> Any:
            wanted = [MetricAggregation(AggregationType(kind))]
            told = _get_store().query_trace_metrics([experiment], MetricViewType(view), metric, wanted, **given)
            return [[*dict(sorted(point.dimensions.items())).values(), *point.values.values()] for point in told]

        return {
            "spans": asked("SPANS", "span_count", "COUNT", dimensions=["span_name", "span_type"]),
            "tools": asked("SPANS", "span_count", "COUNT", filters=["span.type = 'TOOL'"]),
            "costs": asked("SPANS", "total_cost", "SUM", dimensions=["span_model_name"]),
            "slow": [[name, took >= 0] for name, took in asked("SPANS", "latency", "MAX", dimensions=["span_name"])],
            "said": asked("ASSESSMENTS", "assessment_count", "COUNT", dimensions=["assessment_name"]),
            "good": asked("ASSESSMENTS", "assessment_value", "AVG", dimensions=["assessment_name"]),
            "score": asked("ASSESSMENTS", "assessment_count", "COUNT", filters=["assessment.name = 'score'"]),
        }

    assert tracking.run(script) == {
        "spans": [["answer", "LLM", 2], ["look", "TOOL", 2]],
        "tools": [[2]],
        "costs": [["small", 4.0]],
        "slow": [["answer", True], ["look", True]],
        "said": [["good", 2], ["score", 1]],
        "good": [["good", 0.5], ["score", 0.25]],
        "score": [[1]],
    }


@pytest.mark.parametrize(
    ("odd", "said"),
    [
        ({"metric_name": "joy"}, "metric_name"),
        ({"aggregations": []}, "at least one"),
        ({"aggregations": [{"aggregation_type": "SUM"}]}, "one of COUNT"),
        ({"metric_name": "latency", "aggregations": [{"aggregation_type": "PERCENTILE"}]}, "percentile_value"),
        (
            {"metric_name": "latency", "aggregations": [{"aggregation_type": "AVG", "percentile_value": 5}]},
            "percentile",
        ),
        ({"dimensions": ["span_name"]}, "dimensions"),
        ({"filters": ["status = 'OK'"]}, "trace.status"),
        ({"filters": ["trace.status = 'OK' AND trace.status = 'ERROR'"]}, "trace.status"),
        ({"filters": ["span.name = 'x'"]}, "trace.status"),
        ({"filters": ["trace.tag.a` = 'x' or 1=1 --"]}, "trace.status"),
        ({"time_interval_seconds": 60}, "start_time_ms"),
        ({"time_interval_seconds": 0}, "time_interval_seconds"),
        ({"view_type": "RUNS"}, "view_type"),
        ({"max_results": 0}, "max_results"),
    ],
)
def test_odd_questions_are_refused(tracking: Tracking, experiment: str, odd: dict[str, Any], said: str) -> None:
    asked: dict[str, Any] = {"experiment_ids": [experiment], "view_type": "TRACES", "metric_name": "trace_count"}
    asked |= {"aggregations": [{"aggregation_type": "COUNT"}]}

    told = tracking.call("POST", PATH, asked | odd)

    assert (told.status, told.code) == (400, "INVALID_PARAMETER_VALUE")
    assert said in told.message


def test_points_come_in_pages(tracking: Tracking, experiment: str) -> None:
    asked: dict[str, Any] = {
        "experiment_ids": [experiment],
        "view_type": "TRACES",
        "metric_name": "trace_count",
        "max_results": 1,
    }
    asked |= {"aggregations": [{"aggregation_type": "COUNT"}], "dimensions": ["trace_name"]}

    first = tracking.call("POST", PATH, asked).body
    last = tracking.call("POST", PATH, asked | {"page_token": first["next_page_token"]}).body

    assert [point["dimensions"]["trace_name"] for point in first["data_points"] + last["data_points"]] == [
        "chat",
        "search",
    ]
    assert "next_page_token" not in last


@pytest.mark.parametrize("share", [1, 25, 50, 77, 99])
def test_a_percentile_lies_between_the_values_that_it_falls_between(share: int) -> None:
    values = [3.0, 1.0, 4.0, 1.5, 9.0]
    of = Aggregation("P", None, percentile=share).of

    assert of(values) == pytest.approx(statistics.quantiles(values, n=100, method="inclusive")[share - 1])
    assert of([7.0]) == 7.0


def test_the_ends_are_the_least_and_the_greatest() -> None:
    ends = [Aggregation("P", None, percentile=share).of([3.0, 1.0, 9.0]) for share in (0.0, 100.0)]

    assert ends == [1.0, 9.0]
