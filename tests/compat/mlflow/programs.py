"""Programs as people write them for MLflow, which tell what they see: a real server and ours must tell them alike."""

from __future__ import annotations

from typing import Any


def days_work(mlflow: Any, client: Any) -> Any:
    """Parent and child, data frames of runs, deletion, and an experiment in the trash."""
    experiment = mlflow.set_experiment("every day")
    mlflow.set_experiment_tags({"a": "b"})
    with mlflow.start_run(tags={"x": "y"}) as parent:
        mlflow.log_metric("m", 1.5)
        with mlflow.start_run(nested=True) as child:
            mlflow.log_metric("m", 2)
    frame = mlflow.search_runs(order_by=["metrics.m DESC"])
    told = [sorted(frame.columns), frame["metrics.m"].tolist(), frame["status"].tolist()]
    told.append(client.get_parent_run(child.info.run_id).info.run_id == parent.info.run_id)
    mlflow.delete_run(child.info.run_id)
    told.append(len(mlflow.search_runs()))
    told.append([one.name for one in mlflow.search_experiments(filter_string="tags.a = 'b'")])
    mlflow.delete_experiment(experiment.experiment_id)
    try:
        mlflow.set_experiment("every day")
    except mlflow.exceptions.MlflowException as e:
        told.append([type(e).__name__, e.error_code])
    client.restore_experiment(experiment.experiment_id)
    client.rename_experiment(experiment.experiment_id, "every other day")
    return told


def logging_that_does_not_wait(mlflow: Any, client: Any) -> Any:
    """The client's own queue, flushed."""
    mlflow.set_experiment("queue")
    with mlflow.start_run() as run:
        for step in range(50):
            mlflow.log_metric("m", step, step=step, synchronous=False)
        mlflow.log_params({"a": 1, "b": 2}, synchronous=False)
        mlflow.set_tags({"t": "x"}, synchronous=False)
        mlflow.flush_async_logging()
    got = client.get_run(run.info.run_id)
    return [len(client.get_metric_history(run.info.run_id, "m")), got.data.params, got.data.tags["t"]]


def models_that_runs_read_and_made(mlflow: Any, client: Any) -> Any:
    """What is measured of a logged model on some data, and what ties it to the run."""
    import pandas as pd

    mlflow.set_experiment("ties")
    with mlflow.start_run() as run:
        model = mlflow.create_external_model(name="ext", params={"p": "1"})
        data = mlflow.data.from_pandas(pd.DataFrame({"x": [1]}), name="d")
        mlflow.log_metric("acc", 0.5, step=1, model_id=model.model_id, dataset=data)
        mlflow.log_metrics({"f1": 0.25}, model_id=model.model_id)
        mlflow.log_input(model=mlflow.entities.LoggedModelInput(model.model_id))
        client.log_outputs(run.info.run_id, [mlflow.entities.LoggedModelOutput(model.model_id, 3)])
    got, logged = client.get_run(run.info.run_id), client.get_logged_model(model.model_id)
    measured = sorted((one.key, one.value, one.step, one.dataset_name) for one in logged.metrics)
    made = [one.step for one in got.outputs.model_outputs]
    return [got.data.metrics, len(got.inputs.model_inputs), made, measured, len(got.inputs.dataset_inputs)]


def automatic_logging_of_scikit_learn(mlflow: Any, client: Any) -> Any:
    """A search over a grid with its child runs, models and data."""
    from sklearn.datasets import make_classification
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import GridSearchCV

    mlflow.set_experiment("grid")
    mlflow.sklearn.autolog(silent=True)
    x, y = make_classification(200, random_state=1)
    with mlflow.start_run() as run:
        GridSearchCV(LogisticRegression(), {"C": [0.1, 1]}, cv=2).fit(x, y)
    got = client.get_run(run.info.run_id)
    number = got.info.experiment_id
    children = client.search_runs([number], f"tags.`mlflow.parentRunId` = '{run.info.run_id}'")
    models = mlflow.search_logged_models([number], output_format="list")
    loaded = mlflow.sklearn.load_model(f"models:/{models[0].model_id}").predict(x[:3]).tolist()
    return [
        sorted(got.data.params),
        sorted(got.data.metrics),
        sorted(got.data.tags),
        len(children),
        sorted(one.path for one in client.list_artifacts(run.info.run_id)),
        sorted((one.name, str(one.status), sorted(one.params or {})) for one in models),
        loaded,
        [(one.dataset.name, [tag.value for tag in one.tags]) for one in got.inputs.dataset_inputs],
    ]


def automatic_logging_of_lightgbm(mlflow: Any, client: Any) -> Any:
    """Parameters, every iteration and a model."""
    import lightgbm
    from sklearn.datasets import make_classification

    mlflow.set_experiment("boosting")
    mlflow.lightgbm.autolog(silent=True)
    x, y = make_classification(200, random_state=1)
    with mlflow.start_run() as run:
        lightgbm.LGBMClassifier(n_estimators=5, verbose=-1).fit(x, y, eval_set=[(x, y)])
    got = client.get_run(run.info.run_id)
    files = sorted(one.path for one in client.list_artifacts(run.info.run_id))
    return [sorted(got.data.params), sorted(got.data.metrics), files, len(got.outputs.model_outputs)]


ALL = [
    days_work,
    logging_that_does_not_wait,
    models_that_runs_read_and_made,
    automatic_logging_of_scikit_learn,
    automatic_logging_of_lightgbm,
]
