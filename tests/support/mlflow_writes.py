"""Fills an MLflow with what imports must bring over; run by MLflow's own Python: mlflow_writes.py URI FOLDER."""

import math
import sys
import tempfile
from pathlib import Path

import mlflow
from mlflow import MlflowClient
from mlflow.entities import Metric, Param, RunTag

MLMODEL = """\
artifact_path: model
flavors:
  python_function:
    loader_module: mlflow.sklearn
    model_path: model.pkl
    python_version: 3.11.7
  sklearn:
    pickled_model: model.pkl
    sklearn_version: 1.7.0
mlflow_version: 3.17.2
model_uuid: 0123456789abcdef0123456789abcdef
"""


def main(uri: str, folder: Path) -> None:
    mlflow.set_tracking_uri(uri)
    client = MlflowClient()
    place = None if uri.startswith("http") else folder.as_uri()
    first = client.create_experiment("fraud/baseline", place and f"{place}/first", tags={"team": "risk"})
    second = client.create_experiment("Ünusual näme ✈", place and f"{place}/second")
    gone = client.create_experiment("gone", place and f"{place}/gone")

    run = client.create_run(first, start_time=1_700_000_000_000, run_name="with everything").info.run_id
    points = [Metric("loss", 1 / (step + 1), 1_700_000_000_000 + step, step) for step in range(800)]
    odd = [math.nan, math.inf, -math.inf, 0.1, -0.0, 1e-300]
    points += [Metric("odd", value, 1_700_000_000_000 + i, i) for i, value in enumerate(odd)]
    points += [Metric("twice", 1.0, 1_700_000_000_000, 1), Metric("twice", 2.0, 1_700_000_000_000, 1)]
    points += [Metric("backwards", 5.0, 1_700_000_000_009, -3)]
    params = [Param("alpha", "0.5"), Param("text", "x" * 3000), Param("empty", "")]
    client.log_batch(run, points, params, [RunTag("kind", "demo"), RunTag("mlflow.note.content", "A *note*")])
    client.set_terminated(run, "FINISHED", 1_700_000_100_000)
    with tempfile.TemporaryDirectory() as made:
        model = Path(made) / "model"
        model.mkdir()
        (model / "MLmodel").write_text(MLMODEL)
        (model / "model.pkl").write_bytes(b"not really a pickle")
        client.log_artifacts(run, str(model), "model")
        (Path(made) / "roc curve.txt").write_text("0 0\n1 1\n")
        client.log_artifact(run, str(Path(made) / "roc curve.txt"), "figures/deep")

    failed = client.create_run(second, start_time=1_700_000_200_000).info.run_id
    client.log_param(failed, "alpha", "1")
    client.set_terminated(failed, "FAILED", 1_700_000_300_000)
    live = client.create_run(second, start_time=1_700_000_400_000).info.run_id
    client.log_metric(live, "loss", 0.5, 1_700_000_400_001, 1)
    trash = client.create_run(first, start_time=1_700_000_500_000).info.run_id
    client.delete_run(trash)
    client.delete_experiment(gone)

    client.create_registered_model("fraud", {"owner": "risk"}, "Finds fraud")
    for _ in range(3):
        client.create_model_version("fraud", f"runs:/{run}/model", run, {"made": "by hand"}, description="The model")
    client.delete_model_version("fraud", "2")
    client.transition_model_version_stage("fraud", "1", "Production")
    client.set_registered_model_alias("fraud", "champion", "3")
    client.create_registered_model("empty model")
    print(run, failed, live, trash)


main(sys.argv[1], Path(sys.argv[2]))
