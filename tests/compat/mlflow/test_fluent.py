"""Programs written for MLflow, unchanged but for the address."""

from __future__ import annotations

from typing import Any

from tests.compat.mlflow.conftest import Tracking


def test_the_fluent_api_logs_and_finds(tracking: Tracking) -> None:
    def script(mlflow: Any, client: Any) -> Any:
        mlflow.set_experiment("quick start")
        with mlflow.start_run(run_name="first", description="a *note*") as run:
            mlflow.log_param("alpha", 0.5)
            mlflow.log_params({"l1": 1, "solver": "lbfgs"})
            mlflow.log_metric("loss", 0.9, step=0)
            for step in range(1, 6):
                mlflow.log_metric("loss", 0.9 / step, step=step)
            mlflow.log_metrics({"auc": 0.8, "f1": float("nan")}, step=5)
            mlflow.set_tags({"team": "risk", "stage": "try"})
        found = mlflow.search_runs(filter_string="metrics.auc > 0.7 and params.solver = 'lbfgs'", output_format="list")
        got = mlflow.get_run(run.info.run_id)
        history = client.get_metric_history(run.info.run_id, "loss")
        return {
            "found": [one.info.run_id for one in found] == [run.info.run_id],
            "name": got.info.run_name,
            "status": got.info.status,
            "has_end": got.info.end_time is not None,
            "params": got.data.params,
            "auc": got.data.metrics["auc"],
            "is_nan": got.data.metrics["f1"] != got.data.metrics["f1"],
            "note": got.data.tags["mlflow.note.content"],
            "team": got.data.tags["team"],
            "steps": [point.step for point in history],
            "last": mlflow.last_active_run().info.run_id == run.info.run_id,
        }

    assert tracking.run(script) == {
        "found": True,
        "name": "first",
        "status": "FINISHED",
        "has_end": True,
        "params": {"alpha": "0.5", "l1": "1", "solver": "lbfgs"},
        "auc": 0.8,
        "is_nan": True,
        "note": "a *note*",
        "team": "risk",
        "steps": [0, 1, 2, 3, 4, 5],
        "last": True,
    }


def test_nested_runs_know_their_parent(tracking: Tracking) -> None:
    def script(mlflow: Any, client: Any) -> Any:
        mlflow.set_experiment("nested")
        with mlflow.start_run() as parent:
            for number in range(3):
                with mlflow.start_run(nested=True, run_name=f"child {number}"):
                    mlflow.log_metric("n", number)
        where = f"tags.mlflow.parentRunId = '{parent.info.run_id}'"
        children = mlflow.search_runs(filter_string=where, order_by=["metrics.n DESC"], output_format="list")
        return [child.info.run_name for child in children]

    assert tracking.run(script) == ["child 2", "child 1", "child 0"]


def test_a_run_that_raises_has_failed_and_one_may_be_taken_up_again(tracking: Tracking) -> None:
    def script(mlflow: Any, client: Any) -> Any:
        import contextlib

        mlflow.set_experiment("again")
        run = mlflow.start_run()
        with contextlib.suppress(ZeroDivisionError), run:
            mlflow.log_metric("share", 1 / 0)
        failed = client.get_run(run.info.run_id).info.status
        with mlflow.start_run(run_id=run.info.run_id):
            running = client.get_run(run.info.run_id).info
            mlflow.log_metric("late", 1)
        return [failed, running.status, running.end_time, client.get_run(run.info.run_id).data.metrics]

    assert tracking.run(script) == ["FAILED", "RUNNING", None, {"late": 1.0}]
    verbs = [entry.verb for entry in tracking.live.client.audit.entries(limit=5).items]
    assert "runs.reopen" in verbs


def test_datasets_are_inputs_and_are_searched(tracking: Tracking) -> None:
    def script(mlflow: Any, client: Any) -> Any:
        import pandas as pd

        mlflow.set_experiment("data")
        frame = pd.DataFrame({"x": [1.0, 2.0], "y": [0, 1]})
        with mlflow.start_run() as run:
            mlflow.log_input(mlflow.data.from_pandas(frame, source="loans.csv", name="loans"), context="training")
            mlflow.log_input(mlflow.data.from_pandas(frame, source="loans.csv", name="loans"), context="training")
            mlflow.log_input(mlflow.data.from_pandas(frame.tail(1), name="tail"), context="eval", tags={"part": "2"})
        inputs = client.get_run(run.info.run_id).inputs.dataset_inputs
        searches = [
            "dataset.name = 'loans'",
            "dataset.context = 'eval'",
            "datasets.name ILIKE 'L%'",
            "dataset.name = 'x'",
        ]
        found = [len(mlflow.search_runs(filter_string=where, output_format="list")) for where in searches]
        return [sorted((one.dataset.name, {t.key: t.value for t in one.tags}) for one in inputs), found]

    inputs, found = tracking.run(script)

    assert inputs == [
        ["loans", {"mlflow.data.context": "training"}],
        ["tail", {"mlflow.data.context": "eval", "part": "2"}],
    ]
    assert found == [1, 1, 1, 0]


def test_autolog_of_scikit_learn_tells_how_a_model_was_made(tracking: Tracking) -> None:
    def script(mlflow: Any, client: Any) -> Any:
        from sklearn.datasets import make_classification
        from sklearn.linear_model import LogisticRegression

        mlflow.set_experiment("autolog sklearn")
        mlflow.sklearn.autolog(log_models=False, silent=True)
        x, y = make_classification(200, random_state=1)
        with mlflow.start_run() as run:
            model = LogisticRegression(C=0.3).fit(x, y)
            model.score(x, y)
        got = client.get_run(run.info.run_id)
        return [got.data.params["C"], "training_accuracy_score" in got.data.metrics, got.data.tags["estimator_name"]]

    assert tracking.run(script) == ["0.3", True, "LogisticRegression"]


def test_autolog_of_lightgbm_logs_every_iteration(tracking: Tracking) -> None:
    def script(mlflow: Any, client: Any) -> Any:
        import lightgbm
        from sklearn.datasets import make_classification

        mlflow.set_experiment("autolog lightgbm")
        mlflow.lightgbm.autolog(log_models=False, silent=True)
        x, y = make_classification(200, random_state=1)
        data = lightgbm.Dataset(x, y)
        with mlflow.start_run() as run:
            given = {"objective": "binary", "verbose": -1, "num_leaves": 5}
            lightgbm.train(given, data, num_boost_round=7, valid_sets=[data], valid_names=["train"])
        got = client.get_run(run.info.run_id)
        return [got.data.params["num_leaves"], len(client.get_metric_history(run.info.run_id, "train-binary_logloss"))]

    assert tracking.run(script) == ["5", 7]
