"""What MLflow's own client does for the tests of moving: fills a store, and says what it finds in one."""

from __future__ import annotations

from typing import Any


def fill(mlflow: Any, client: Any, folder: str) -> dict[str, str]:
    """One of everything that imports must bring over; the ids of the runs by what they are."""
    import math
    import tempfile
    from pathlib import Path

    from mlflow.entities import Metric, Param, RunTag

    is_remote = mlflow.get_tracking_uri().startswith("http")
    place = None if is_remote else Path(folder).as_uri()
    first = client.create_experiment("fraud/baseline", place and f"{place}/first", tags={"team": "risk"})
    second = client.create_experiment("Ünusual näme", place and f"{place}/second")
    gone = client.create_experiment("gone", place and f"{place}/gone")
    start = 1_700_000_000_000

    full = client.create_run(first, start_time=start, run_name="with everything").info.run_id
    points = [Metric("loss", 1 / (step + 1), start + step, step) for step in range(200)]
    odd = [math.nan, math.inf, -math.inf, 0.1, 1e-300]
    points += [Metric("odd", value, start + i, i) for i, value in enumerate(odd)]
    points += [Metric("twice", 1.0, start, 1), Metric("twice", 2.0, start, 1), Metric("deep/name", 5.0, start + 9, -3)]
    params = [Param("alpha", "0.5"), Param("text", "x" * 3000), Param("empty", "")]
    client.log_batch(full, points, params, [RunTag("kind", "demo"), RunTag("mlflow.note.content", "A *note*")])
    with tempfile.TemporaryDirectory() as made:
        model = Path(made) / "model"
        model.mkdir()
        flavors = (
            "flavors:\n  python_function:\n    loader_module: mlflow.sklearn\n  sklearn:\n    pickled_model: m.pkl\n"
        )
        (model / "MLmodel").write_text(flavors)
        (model / "m.pkl").write_bytes(b"not really a pickle")
        client.log_artifacts(full, str(model), "model")
        (Path(made) / "roc curve.txt").write_text("0 0\n1 1\n")
        client.log_artifact(full, str(Path(made) / "roc curve.txt"), "figures/deep")
    client.set_terminated(full, "FINISHED", start + 100_000)

    failed = client.create_run(second, start_time=start + 1).info.run_id
    client.log_param(failed, "alpha", "1")
    client.set_terminated(failed, "FAILED", start + 2)
    live = client.create_run(second, start_time=start + 3).info.run_id
    client.log_metric(live, "loss", 0.5, start + 4, 1)
    trash = client.create_run(first, start_time=start + 5).info.run_id
    client.delete_run(trash)
    client.delete_experiment(gone)

    client.create_registered_model("fraud", {"owner": "risk"}, "Finds fraud")
    for _ in range(3):
        client.create_model_version("fraud", f"runs:/{full}/model", full, {"made": "by hand"}, description="The model")
    client.delete_model_version("fraud", "2")
    client.transition_model_version_stage("fraud", "1", "Production")
    client.set_registered_model_alias("fraud", "newest-try", "3")
    client.create_registered_model("empty model")
    return {"full": full, "failed": failed, "live": live, "trash": trash}


def fill_traces(mlflow: Any, client: Any) -> dict[str, str]:
    """A logged model that was measured on data, and traces with remarks: what hangs on runs."""
    from mlflow.entities import Dataset, DatasetInput, InputTag, LoggedModelInput, LoggedModelOutput, Metric

    experiment = mlflow.set_experiment("hanging").experiment_id
    with mlflow.start_run() as run:
        id_ = run.info.run_id
        model = client.create_logged_model(experiment, "net", id_, {"team": "risk"}, {"depth": "3"}, "classifier")
        data = Dataset("loans", "d1g3st", "local", '{"uri": "loans.csv"}', '{"a": "long"}', '{"rows": 3}')
        inputs = [DatasetInput(data, [InputTag("mlflow.data.context", "training")])]
        client.log_inputs(id_, inputs, [LoggedModelInput(model.model_id)])
        client.log_outputs(id_, [LoggedModelOutput(model.model_id, 7)])
        on_data = {"model_id": model.model_id, "dataset_name": "loans", "dataset_digest": "d1g3st"}
        points = [
            Metric("acc", value, 1_700_000_000_000 + step, step, **on_data) for step, value in enumerate((0.5, 0.75))
        ]
        client.log_batch(id_, [*points, Metric("acc", 0.25, 1_700_000_000_000, 9, model_id=model.model_id)])
        client.finalize_logged_model(model.model_id, "READY")
        with mlflow.start_span("ask", span_type="CHAIN") as span:
            span.set_inputs({"question": "Is it a loan?"})
            span.set_outputs({"answer": "yes"})
            with mlflow.start_span("look up", span_type="TOOL") as inner:
                inner.set_attributes({"rows": 3, "share": 0.5, "deep": {"list": [1, "two", None]}})
    trace = span.trace_id
    with mlflow.start_span("fails") as failing:
        failing.record_exception("no such loan")
    mlflow.flush_trace_async_logging()
    client.set_trace_tag(trace, "colour", "red")
    mlflow.log_feedback(trace_id=trace, name="good", value=True, rationale="It is one")
    mlflow.log_expectation(trace_id=trace, name="answer", value="yes")
    return {"run": id_, "model": model.model_id, "trace": trace}


def tell_traces(mlflow: Any, client: Any) -> dict[str, Any]:
    """What the client finds of all that, in the same words whatever store it stands in."""
    experiment = client.get_experiment_by_name("hanging").experiment_id
    runs = {}
    for run in (client.get_run(found.info.run_id) for found in client.search_runs([experiment])):
        data = [[*dict(one.dataset).items(), {t.key: t.value for t in one.tags}] for one in run.inputs.dataset_inputs]
        read = [one.model_id for one in run.inputs.model_inputs]
        runs[run.info.run_id] = [data, read, [[one.model_id, one.step] for one in run.outputs.model_outputs]]
    models = {}
    for model in client.search_logged_models([experiment]):
        newest: dict[str, Any] = {}
        for m in sorted(model.metrics or [], key=lambda one: (one.step, one.timestamp)):
            newest[f"{m.key} {m.run_id} {m.dataset_name or ''}"] = [m.value, m.step, m.timestamp]
        facts = [model.name, model.model_type, model.source_run_id, str(model.status), model.creation_timestamp]
        models[model.model_id] = [facts, model.params, {"team": model.tags["team"]}, newest]
    traces = {}
    for found in client.search_traces([experiment]):
        trace = client.get_trace(found.info.trace_id)
        info = trace.info
        spans = []
        for s in trace.data.spans:
            facts = [s.name, s.span_id, s.parent_id or "", s.span_type, str(s.status.status_code)]
            facts += [s.start_time_ns, s.end_time_ns, [event.name for event in s.events]]
            spans.append([*facts, {key: s.attributes[key] for key in sorted(s.attributes)}])
        spans.sort(key=lambda one: one[1])
        said = sorted([a.assessment_id, a.name, a.value, a.rationale or "", a.create_time_ms] for a in info.assessments)
        own = {key: text for key, text in info.tags.items() if not key.startswith("mlflow.")}
        facts = [str(info.state), info.request_time, info.execution_duration, info.request_preview, own]
        traces[info.trace_id] = [facts, info.trace_metadata, spans, said]
    return {"runs": runs, "models": models, "traces": traces}


def tell(mlflow: Any, client: Any) -> dict[str, Any]:
    """Everything that the client finds, in the same words whatever store it stands in."""
    import tempfile
    from pathlib import Path

    def files(run: str, path: str = "") -> dict[str, str]:
        found = {}
        for one in client.list_artifacts(run, path or None):
            if one.is_dir:
                found.update(files(run, one.path))
            else:
                with tempfile.TemporaryDirectory() as to:
                    found[one.path] = Path(client.download_artifacts(run, one.path, to)).read_text()
        return found

    experiments = [e for e in client.search_experiments(view_type=3) if e.name not in ("Default", "default")]
    names = {e.experiment_id: e.name for e in experiments}
    runs = {}
    for run in client.search_runs(list(names), run_view_type=3):
        history = {
            key: sorted((m.step, m.timestamp, repr(m.value)) for m in client.get_metric_history(run.info.run_id, key))
            for key in run.data.metrics
        }
        runs[run.info.run_id] = {
            "experiment": names[run.info.experiment_id],
            "name": run.info.run_name,
            "status": run.info.status,
            "stage": run.info.lifecycle_stage,
            "times": [run.info.start_time, run.info.end_time],
            "params": run.data.params,
            "tags": run.data.tags,
            "history": history,
            "files": files(run.info.run_id),
        }
    models = {}
    for model in client.search_registered_models():
        versions = client.search_model_versions(f"name='{model.name}'")
        models[model.name] = {
            "description": model.description or "",
            "tags": model.tags,
            "aliases": {alias: int(number) for alias, number in model.aliases.items()},
            "versions": {int(v.version): [v.description or "", v.run_id, v.tags.get("made", "")] for v in versions},
        }
    tagged = {e.name: dict(e.tags) for e in experiments}
    stages = {e.name: e.lifecycle_stage for e in experiments}
    return {"experiments": stages, "tags": tagged, "runs": runs, "models": models}


def log_more(mlflow: Any, client: Any, run: str) -> str:
    """What happens in a store while somebody follows it: a point, an end, and another run."""
    client.log_metric(run, "loss", 0.25, 1_700_000_000_900, 2)
    client.set_terminated(run)
    another = client.create_run("0").info.run_id
    client.log_metric(another, "late", 1.0)
    return str(another)
