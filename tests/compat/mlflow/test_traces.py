"""Traces as MLflow's tracing sends and reads them, and as older clients did."""

from __future__ import annotations

import base64
import json
from typing import Any

from taxiway.compat.mlflow.spans import downloaded, plain, shown_value
from taxiway.traces.contract import Span
from tests.compat.mlflow.conftest import Tracking
from tests.compat.mlflow.wire import ask
from tests.web.browse import Visitor


def test_decorated_functions_are_traced_and_found(tracking: Tracking) -> None:
    def script(mlflow: Any, client: Any) -> Any:
        import contextlib

        mlflow.set_experiment("traced")
        experiment = mlflow.get_experiment_by_name("traced").experiment_id

        noted = {"k": 1, "nested": {"a": [1, 2.5, None, True]}}

        @mlflow.trace(span_type="TOOL", attributes=noted)  # type: ignore[untyped-decorator]
        def add(a: Any, b: Any) -> Any:
            return a + b

        @mlflow.trace  # type: ignore[untyped-decorator]
        def main(x: Any) -> Any:
            with mlflow.start_span("inner") as span:
                span.set_inputs({"x": x})
                span.set_attribute("f", 1.5)
                span.set_outputs([1, 2])
            return add(x, 2)

        @mlflow.trace  # type: ignore[untyped-decorator]
        def bad() -> None:
            raise ValueError("no")

        main(3)
        with contextlib.suppress(ValueError):
            bad()
        with mlflow.start_run() as run:
            main(5)
        mlflow.flush_trace_async_logging()
        locations = [experiment]
        found = mlflow.search_traces(locations=locations, return_type="list", order_by=["timestamp_ms ASC"])
        first = mlflow.get_trace(found[0].info.trace_id)
        return {
            "states": [str(trace.info.state.value) for trace in found],
            "spans": [
                [s.name, s.span_type, s.inputs, s.outputs, s.attributes.get("k"), s.attributes.get("f")]
                for s in first.data.spans
            ],
            "nested": first.data.spans[2].attributes["nested"],
            "parents": [s.parent_id == first.data.spans[0].span_id for s in first.data.spans[1:]],
            "preview": [first.info.request_preview, first.info.response_preview],
            "event": found[1].data.spans[0].events[0].attributes["exception.message"],
            "errors": len(
                mlflow.search_traces(locations=locations, filter_string="status = 'ERROR'", return_type="list")
            ),
            "named": len(mlflow.search_traces(locations=locations, filter_string="name = 'main'", return_type="list")),
            "tools": len(
                mlflow.search_traces(locations=locations, filter_string="span.type = 'TOOL'", return_type="list")
            ),
            "of run": len(mlflow.search_traces(locations=locations, run_id=run.info.run_id, return_type="list")),
            "paged": len(mlflow.search_traces(locations=locations, max_results=2, return_type="list")),
        }

    assert tracking.run(script) == {
        "states": ["OK", "ERROR", "OK"],
        "spans": [
            ["main", "UNKNOWN", {"x": 3}, 5, None, None],
            ["inner", "UNKNOWN", {"x": 3}, [1, 2], None, 1.5],
            ["add", "TOOL", {"a": 3, "b": 2}, 5, 1, None],
        ],
        "nested": {"a": [1, 2.5, None, True]},
        "parents": [True, True],
        "preview": ['{"x": 3}', "5"],
        "event": "no",
        "errors": 1,
        "named": 2,
        "tools": 2,
        "of run": 1,
        "paged": 2,
    }


def test_tags_and_assessments_come_and_go(tracking: Tracking) -> None:
    def script(mlflow: Any, client: Any) -> Any:
        mlflow.set_experiment("judged")
        experiment = mlflow.get_experiment_by_name("judged").experiment_id
        with mlflow.start_span("asked"):
            pass
        mlflow.flush_trace_async_logging()
        trace = mlflow.search_traces(locations=[experiment], return_type="list")[0].info.trace_id
        client.set_trace_tag(trace, "team", "x")
        tagged = mlflow.get_trace(trace).info.tags["team"]
        client.delete_trace_tag(trace, "team")
        said = mlflow.log_feedback(trace_id=trace, name="ok", value=True, rationale="because")
        other = mlflow.log_expectation(trace_id=trace, name="answer", value={"a": [1]})
        found = mlflow.get_assessment(trace, said.assessment_id)
        changed = mlflow.update_assessment(trace, said.assessment_id, mlflow.entities.Feedback(name="ok", value=0.3))
        low = mlflow.search_traces(locations=[experiment], filter_string="feedback.ok < 0.5", return_type="list")
        overriding = mlflow.override_feedback(trace_id=trace, assessment_id=said.assessment_id, value=0.9)
        valid = {a.assessment_id: a.valid for a in mlflow.get_trace(trace).info.assessments}
        mlflow.delete_assessment(trace, other.assessment_id)
        return {
            "tag": [tagged, "team" in mlflow.get_trace(trace).info.tags],
            "found": [found.name, found.value, found.rationale],
            "changed": changed.value,
            "low": len(low),
            "overridden": [valid[said.assessment_id], valid[overriding.assessment_id]],
            "left": sorted(a.name for a in mlflow.get_trace(trace).info.assessments),
            "deleted": client.delete_traces(experiment, trace_ids=[trace]),
            "after": len(mlflow.search_traces(locations=[experiment], return_type="list")),
        }

    assert tracking.run(script) == {
        "tag": ["x", False],
        "found": ["ok", True, "because"],
        "changed": 0.3,
        "low": 1,
        "overridden": [False, True],
        "left": ["ok", "ok"],
        "deleted": 1,
        "after": 0,
    }


def test_older_clients_begin_and_end_a_trace(tracking: Tracking) -> None:
    experiment = tracking.new_experiment()
    pair = [{"key": "team", "value": "x"}]
    begun = {"experiment_id": experiment, "timestamp_ms": 1000, "tags": pair, "request_metadata": pair}
    made = tracking.call("POST", "/traces", begun).body["trace_info"]
    id_ = made["request_id"]
    ended = tracking.call("PATCH", f"/traces/{id_}", {"timestamp_ms": 2500, "status": "OK"}).body["trace_info"]
    data = b'{"spans":[]}'
    place = f"{experiment}/traces/{id_}/artifacts/traces.json"
    put = ask(tracking.url, "PUT", f"/api/2.0/mlflow-artifacts/artifacts/{place}", data)
    fetched = ask(tracking.url, "GET", f"/ajax-api/2.0/mlflow/get-trace-artifact?request_id={id_}")
    found = tracking.call("GET", f"/traces?experiment_ids={experiment}&filter=tags.team%3D'x'").body
    shown = tracking.call("GET", f"/traces/{id_}/info").body["trace_info"]

    assert (made["status"], ended["status"], ended["execution_time_ms"]) == ("IN_PROGRESS", "OK", 1500)
    assert {"key": "mlflow.artifactLocation", "value": f"mlflow-artifacts:/{place[:-12]}"} in made["tags"]
    assert (put.status, fetched.body) == (200, data)
    assert found == {"traces": [shown]}
    assert tracking.call(
        "POST", "/traces/delete-traces", {"experiment_id": experiment, "max_timestamp_millis": 1}
    ).body == {"traces_deleted": 0}


def test_what_a_trace_lacks_is_said(tracking: Tracking) -> None:
    experiment = tracking.new_experiment()
    info = {"trace_id": "tr-1", "trace_location": {"mlflow_experiment": {"experiment_id": experiment}}}
    refused = [
        tracking.call("POST", "//api/3.0/mlflow/traces", {"trace": {"trace_info": given}})
        for given in (
            info,
            info | {"request_time": "yesterday"},
            info | {"request_time": "2026-01-01T00:00:00Z", "execution_duration": "long"},
            info | {"request_time": "2026-01-01T00:00:00Z", "state": "FINE"},
            info | {"request_time": "2026-01-01T00:00:00Z", "trace_id": "../x"},
            info | {"request_time": "2026-01-01T00:00:00Z", "assessments": [{"assessment_name": "a"}]},
            info | {"request_time": "2026-01-01T00:00:00Z", "trace_location": {"type": "INFERENCE_TABLE"}},
        )
    ]
    deletions = [
        tracking.call("POST", "/traces/delete-traces", {"experiment_id": experiment, **more})
        for more in (
            {},
            {"request_ids": ["a"], "max_timestamp_millis": 1},
            {"max_timestamp_millis": 1, "max_traces": 0},
        )
    ]

    assert [(told.status, told.code) for told in refused + deletions] == [(400, "INVALID_PARAMETER_VALUE")] * 10
    assert "request_time" in refused[0].message
    assert tracking.call("GET", "//api/3.0/mlflow/traces/tr-none").code == "RESOURCE_DOES_NOT_EXIST"


def test_values_that_json_lacks_are_kept() -> None:
    odd = {"b": {"$bytes": base64.b64encode(b"\x00").decode()}, "n": {"$number": "NaN"}, "i": 2**60, "none": None}

    assert shown_value(odd) == {
        "kvlist_value": {
            "values": [
                {"key": "b", "value": {"bytes_value": "AA=="}},
                {"key": "n", "value": {"double_value": "NaN"}},
                {"key": "i", "value": {"int_value": 2**60}},
                {"key": "none", "value": {}},
            ]
        }
    }
    assert plain(odd) == {"b": "AA==", "n": "NaN", "i": 2**60, "none": None}
    assert b'"attributes":{"a":"[1]"}' in downloaded("tr-00", [Span("1", "s", 0, attributes={"a": [1]})])


def test_spans_may_come_as_json(tracking: Tracking) -> None:
    number, trace = tracking.new_experiment(), "5b8efff798038103d269b633813fc60c"
    span = {
        "traceId": trace,
        "spanId": "eee19b7ec3c1b174",
        "name": "ask",
        "kind": 2,
        "startTimeUnixNano": "1700000000000000000",
        "endTimeUnixNano": "1700000001000000000",
        "status": {"code": 1},
        "attributes": [{"key": "fruit", "value": {"stringValue": "apple"}}, {"key": "n", "value": {"intValue": "7"}}],
    }

    def told(body: object, kind: str = "application/json") -> int:
        headers = {"Content-Type": kind, "x-mlflow-experiment-id": number}
        return Visitor(tracking.url).ask("POST", "/v1/traces", body=json.dumps(body).encode(), headers=headers).status

    assert told({"resourceSpans": [{"scopeSpans": [{"spans": [span]}]}]}) == 200
    odd = [[], {}, {"resourceSpans": 5}, {"resourceSpans": [{"scopeSpans": [{"spans": [span | {"spanId": "xyz"}]}]}]}]
    assert [told(body) for body in (*odd, None, 1, True, "x")] == [400] * 8
    assert told({}, "text/plain") == 400
    found = tracking.call("GET", f"//api/3.0/mlflow/traces/get?trace_id=tr-{trace}").body["trace"]
    assert [one["name"] for one in found["spans"]] == ["ask"]
    assert {"key": "fruit", "value": {"string_value": "apple"}} in found["spans"][0]["attributes"]
    assert found["trace_info"]["execution_duration"] == "1.000s"
