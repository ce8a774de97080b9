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
