"""Models that MLflow's client logs: found, loaded, registered, and kept as they were registered."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression

from tests.compat.mlflow.conftest import Tracking


def test_a_logged_model_is_loaded_by_run_by_version_and_by_alias(tracking: Tracking) -> None:
    def script(mlflow: Any, client: Any) -> Any:
        import numpy as np
        from sklearn.linear_model import LogisticRegression

        mlflow.set_experiment("loading")
        rows = np.array([[0.0, 1.0], [1.0, 0.0], [2.0, 1.0], [3.0, 0.5]])
        model = LogisticRegression().fit(rows, [0, 0, 1, 1])
        with mlflow.start_run() as run:
            info = mlflow.sklearn.log_model(
                model,
                name="model",
                input_example=rows[:2],
                pip_requirements=["scikit-learn"],
                registered_model_name="loading",
                params={"c": 1},
            )
        client.set_registered_model_alias("loading", "champion", 1)
        version = client.get_model_version("loading", 1)
        logged = mlflow.get_logged_model(info.model_id)
        by = {
            "id": mlflow.sklearn.load_model(f"models:/{info.model_id}"),
            "run": mlflow.sklearn.load_model(f"runs:/{run.info.run_id}/model"),
            "version": mlflow.sklearn.load_model("models:/loading/1"),
            "alias": mlflow.pyfunc.load_model("models:/loading@champion"),
        }
        again = mlflow.register_model(f"runs:/{run.info.run_id}/model", "loading")
        client.create_model_version("loading", f"runs:/{run.info.run_id}/model", run.info.run_id)  # as older clients do
        found = mlflow.search_logged_models(
            experiment_ids=[run.info.experiment_id], filter_string="params.c = '1'", output_format="list"
        )
        return {
            "answers": {name: loaded.predict(rows).tolist() for name, loaded in by.items()},
            "status": str(logged.status),
            "source": version.source == f"models:/{info.model_id}",
            "run": version.run_id == run.info.run_id,
            "place": client.get_model_version_download_uri("loading", 1),
            "again": again.version,
            "found": [one.model_id for one in found] == [info.model_id],
            "outputs": [one.model_id for one in mlflow.get_run(run.info.run_id).outputs.model_outputs]
            == [info.model_id],
            "registrations": "loading" in logged.tags.get("mlflow.modelVersions", "")
            or "loading" in mlflow.get_logged_model(info.model_id).tags["mlflow.modelVersions"],
        }

    assert tracking.run(script) == {
        "answers": {key: [0, 0, 1, 1] for key in ("id", "run", "version", "alias")},
        "status": "READY",
        "source": True,
        "run": True,
        "place": "mlflow-artifacts:/versions/loading/1",
        "again": "2",
        "found": True,
        "outputs": True,
        "registrations": True,
    }
    assert tracking.live.client.models.find("loading@3").flavour == "mlflow.sklearn"
    version = tracking.live.client.models.find("loading@1")
    assert version.flavour == "mlflow.sklearn"
    assert version.unfit == ""
    assert [column.name for column in version.signature.inputs] == ["x0", "x1"]
    assert tracking.live.client.models.verify("loading@1").digest == version.bundle


def test_a_version_registered_before_its_files_gets_its_bundle_when_they_are_there(tracking: Tracking) -> None:
    def script(mlflow: Any, client: Any) -> Any:
        import tempfile

        import numpy as np
        from sklearn.linear_model import LinearRegression

        mlflow.set_experiment("late files")
        pending = mlflow.initialize_logged_model(name="late")
        client.create_registered_model("late")
        client.create_model_version("late", f"models:/{pending.model_id}", model_id=pending.model_id)
        before = client.get_model_version_download_uri("late", 1)
        with tempfile.TemporaryDirectory() as folder:
            model = LinearRegression().fit([[0.0], [1.0]], [0.0, 1.0])
            example = np.array([[0.5]])
            mlflow.sklearn.save_model(model, f"{folder}/m", pip_requirements=["scikit-learn"], input_example=example)
            client.log_model_artifacts(pending.model_id, f"{folder}/m")
        mlflow.finalize_logged_model(pending.model_id, "READY")
        loaded = mlflow.sklearn.load_model("models:/late/1")
        return [before == f"models:/{pending.model_id}", round(float(loaded.predict([[2.0]])[0]), 6)]

    assert tracking.run(script) == [True, 2.0]
    version = tracking.live.client.models.find("late@1")
    assert (version.flavour, version.unfit) == ("mlflow.sklearn", "")


def test_what_was_registered_is_loaded_though_the_runs_files_were_written_over(tracking: Tracking) -> None:
    def script(mlflow: Any, client: Any) -> Any:
        import tempfile

        from sklearn.dummy import DummyRegressor

        mlflow.set_experiment("written over")
        with mlflow.start_run() as run:
            for answer in (1.0, 2.0):
                model = DummyRegressor(strategy="constant", constant=answer).fit([[0.0]], [0.0])
                with tempfile.TemporaryDirectory() as folder:
                    mlflow.sklearn.save_model(model, f"{folder}/m", pip_requirements=["scikit-learn"])
                    mlflow.log_artifacts(f"{folder}/m", "model")
                if answer == 1.0:
                    client.create_registered_model("kept")
                    client.create_model_version("kept", f"runs:/{run.info.run_id}/model", run.info.run_id)
        return [
            float(mlflow.sklearn.load_model("models:/kept/1").predict([[0.0]])[0]),
            float(mlflow.sklearn.load_model(f"{run.info.artifact_uri}/model").predict([[0.0]])[0]),
        ]

    assert tracking.run(script) == [1.0, 2.0]


def test_logged_models_are_found_by_what_was_measured_of_them(tracking: Tracking) -> None:
    def script(mlflow: Any, client: Any) -> Any:
        experiment = mlflow.set_experiment("measured").experiment_id
        ids = {}
        with mlflow.start_run():
            for name, loss in (("low", 0.1), ("high", 0.9), ("none", None)):
                model = mlflow.create_external_model(name=name, params={"depth": name}, model_type="tree")
                ids[model.model_id] = name
                if loss is not None:
                    mlflow.log_metric("loss", loss, step=1, model_id=model.model_id)
        client.set_logged_model_tags(next(iter(ids)), {"kept": "yes", "other": "no"})
        client.delete_logged_model_tag(next(iter(ids)), "other")

        def found(filter_string: str, **more: Any) -> list[str]:
            models = mlflow.search_logged_models(
                experiment_ids=[experiment], filter_string=filter_string, output_format="list", **more
            )
            return [ids[each.model_id] for each in models]

        low = mlflow.get_logged_model(next(iter(ids)))
        client.delete_logged_model(list(ids)[2])
        by_loss = [{"field_name": "metrics.loss", "ascending": False}]
        return {
            "low": [
                low.params,
                {metric.key: metric.value for metric in low.metrics},
                low.tags["kept"],
                "other" in low.tags,
            ],
            "metric": found("metrics.loss < 0.5"),
            "ordered": found("", order_by=by_loss),
            "param": found("params.depth = 'high'"),
            "tag": found("tags.kept = 'yes' AND model_type = 'tree'"),
            "name": found("name LIKE '%w'"),
            "one": found("", max_results=1, order_by=[{"field_name": "name"}]),
        }

    assert tracking.run(script) == {
        "low": [{"depth": "low"}, {"loss": 0.1}, "yes", False],
        "metric": ["low"],
        "ordered": ["high", "low"],
        "param": ["high"],
        "tag": ["low"],
        "name": ["low"],
        "one": ["high"],
    }


def test_what_our_own_client_registered_is_loaded_by_alias(
    tracking: Tracking, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    table = pd.DataFrame({"age": [20.0, 30.0, 40.0, 50.0]})
    with tracking.live.client.runs.start(project="default") as run:
        run.log_model(LogisticRegression().fit(table, [0, 0, 1, 1]), "ours", example=table)
    tracking.live.client.models.point_alias("ours", "champion", version=1)

    def script(mlflow: Any, client: Any) -> Any:
        import pandas as pd

        table = pd.DataFrame({"age": [20.0, 50.0]})
        version = client.get_model_version_by_alias("ours", "champion")
        return [
            mlflow.pyfunc.load_model("models:/ours@champion").predict(table).tolist(),
            version.source,
            [each.name for each in client.search_model_versions("name = 'ours'")],
        ]

    assert tracking.run(script) == [[0, 1], "models:/ours/1", ["ours"]]
