"""A model that MLflow's client logged and registered answers on an endpoint of ours."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from taxiway.client import Client, connect
from taxiway.endpoints.steering.supervision import stop_gateway
from taxiway.models.refusals import NoBundle
from tests.compat.mlflow.real import RealClient


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory, real_client: RealClient) -> Iterator[Client]:
    """A server in a process of its own, with models that MLflow's client logged in production."""
    home = tmp_path_factory.mktemp("deploy") / "home"
    command = [sys.executable, "-m", "taxiway", "server", "--home", str(home), "--port", "0"]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("TAXIWAY_")}
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)
    assert process.stdout is not None
    url = next(word for word in process.stdout.readline().split() if word.startswith("http://")).rstrip(".,")
    client = connect(url)
    try:
        real_client.run(log_models, url)
        yield client
    finally:
        client.close()
        process.terminate()
        process.wait(30)
        process.stdout.close()
        stop_gateway(home)


def log_models(mlflow: Any, client: Any) -> None:
    import lightgbm
    import pandas as pd
    from sklearn.linear_model import LogisticRegression
    from sklearn.tree import DecisionTreeRegressor

    table = pd.DataFrame({"age": [20.0, 30.0, 40.0, 50.0], "income": [1.0, 4.0, 2.0, 3.0]})
    swapped = table[["income", "age"]]  # the signature's order need not be that of training
    mlflow.set_experiment("served")
    with mlflow.start_run():
        yes = LogisticRegression().fit(table, ["no", "no", "yes", "yes"])
        signature = mlflow.models.infer_signature(swapped, ["no"])
        mlflow.sklearn.log_model(
            yes, name="yes", signature=signature, pip_requirements=["scikit-learn"], registered_model_name="says-yes"
        )
        number = DecisionTreeRegressor(random_state=7).fit(table, [1.0, 2.0, 3.0, 4.0])
        mlflow.sklearn.log_model(
            number,
            name="number",
            serialization_format="cloudpickle",
            input_example=table[:2],
            pip_requirements=["scikit-learn"],
            registered_model_name="says-number",
        )
        mlflow.sklearn.log_model(
            yes, name="mute", pip_requirements=["scikit-learn"], registered_model_name="without-signature"
        )
        gradient = lightgbm.LGBMClassifier(n_estimators=3, min_child_samples=1, verbose=-1).fit(table, [0, 0, 1, 1])
        booster = {"name": "gradient", "input_example": table[:2], "pip_requirements": ["lightgbm"]}
        mlflow.lightgbm.log_model(gradient, registered_model_name="gradient", **booster)
        mlflow.lightgbm.log_model(gradient.booster_, registered_model_name="booster", **booster)
    for name in ("says-yes", "says-number", "without-signature", "gradient", "booster"):
        client.transition_model_version_stage(name, 1, "Production")


def test_it_answers_as_it_does_for_mlflow(served: Client) -> None:
    served.endpoints.deploy("yes", "says-yes@1")

    answer = served.endpoints.invoke("yes", [{"age": 22.0, "income": 2.0}, {"income": 2.5, "age": 49.0}])

    assert [row["prediction"] for row in answer.predictions] == ["no", "yes"]
    assert served.models.find("says-yes@1").flavour == "mlflow.sklearn"


def test_a_pickle_answers_only_where_code_may_run(served: Client) -> None:
    with pytest.raises(Exception, match="pickle"):
        served.endpoints.deploy("number", "says-number@1")
    served.endpoints.deploy("number", "says-number@1", may_run_code=True)

    answer = served.endpoints.invoke("number", [{"age": 41.0, "income": 2.0}])

    assert [row["prediction"] for row in answer.predictions] == [3.0]


def test_a_model_without_a_signature_is_refused_with_what_to_do(served: Client) -> None:
    with pytest.raises(NoBundle, match=r"has no signature.*input_example"):
        served.endpoints.deploy("mute", "without-signature@1")


def test_gradient_boosting_answers_by_its_labels_and_by_its_booster(served: Client) -> None:
    for name in ("gradient", "booster"):
        served.endpoints.deploy(name, f"{name}@1")

    labels = served.endpoints.invoke("gradient", [{"age": 20.0, "income": 1.0}, {"age": 50.0, "income": 3.0}])
    chances = served.endpoints.invoke("booster", [{"age": 20.0, "income": 1.0}, {"age": 50.0, "income": 3.0}])

    assert [row["prediction"] for row in labels.predictions] == [0, 1]
    assert [row["prediction"] for row in chances.predictions] == [row["score"] for row in labels.predictions]
