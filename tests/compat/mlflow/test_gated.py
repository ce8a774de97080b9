"""A promotion by MLflow's client passes the gates, and is refused in the very words of our own doors."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from msgspec.structs import replace

from taxiway.cli import main
from taxiway.gates.refusals import GateClosed
from taxiway.models.refusals import EvaluationPinned
from tests.compat.mlflow.conftest import Tracking
from tests.web.browse import Visitor

PROJECT = "lending"


@pytest.fixture(scope="module")
def gated(tracking: Tracking) -> Tracking:
    """A version of a model in a project of high risk, logged and registered by MLflow's client alone."""

    def script(mlflow: Any, client: Any) -> Any:
        from sklearn.linear_model import LogisticRegression

        mlflow.set_experiment("lending/first tries")
        with mlflow.start_run():
            model = LogisticRegression().fit([[0.0], [1.0], [2.0], [3.0]], [0, 0, 1, 1])
            mlflow.sklearn.log_model(
                model,
                name="model",
                input_example=[[0.5]],
                pip_requirements=["scikit-learn"],
                registered_model_name="loans",
            )

    tracking.live.client.projects.create(PROJECT, risk="high")
    tracking.run(script)
    return tracking


def refusal(tracking: Tracking, script: Any) -> tuple[str, str]:
    told = tracking.run(script)
    return told["code"], told["message"]


def test_the_first_version_takes_the_model_to_its_runs_project(gated: Tracking) -> None:
    version = gated.live.client.models.find("loans@1")

    assert (version.project, version.risk, version.flavour) == (PROJECT, "high", "mlflow.sklearn")


def test_every_door_refuses_in_the_same_words(
    gated: Tracking, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def by_stage(mlflow: Any, client: Any) -> Any:
        from mlflow.exceptions import RestException

        try:
            client.transition_model_version_stage("loans", 1, "Production")
        except RestException as e:
            return {"code": e.error_code, "message": e.json["message"]}

    def by_alias(mlflow: Any, client: Any) -> Any:
        from mlflow.exceptions import RestException

        try:
            client.set_registered_model_alias("loans", "champion", 1)
        except RestException as e:
            return {"code": e.error_code, "message": e.json["message"]}

    before = gated.live.client.models.find("loans@1").aliases
    with pytest.raises(GateClosed) as closed:
        gated.live.client.models.promote("loans@1", "production")
    words = str(closed.value)
    monkeypatch.setenv("TAXIWAY_URL", gated.url)
    exit_code = main(["models", "promote", "loans@1", "production"])
    answer = Visitor(gated.url).ask(
        "POST",
        "/api/models/loans/versions/1/stage",
        body=json.dumps({"stage": "production"}).encode(),
        headers={"Content-Type": "application/json"},
    )

    assert "may not enter production" in words
    assert refusal(gated, by_stage) == ("PERMISSION_DENIED", words)
    assert refusal(gated, by_alias) == ("PERMISSION_DENIED", words)
    assert (exit_code, words in capsys.readouterr().err) == (1, True)
    assert (answer.status, json.loads(answer.text)["detail"]) == (409, words)
    assert gated.live.last_verb() == "models.promote.refused"
    assert gated.live.client.models.find("loans@1").aliases == before
    assert "champion" not in before


@pytest.mark.parametrize("alias", ["champion", "production", "staging"])
def test_an_alias_that_stands_for_a_stage_passes_its_gates(gated: Tracking, alias: str) -> None:
    told = gated.call("POST", "/registered-models/alias", {"name": "loans", "alias": alias, "version": "1"})

    assert (told.status, "may not enter" in told.message) == (403, True)


def test_an_alias_spelt_almost_like_it_is_no_way_around(gated: Tracking) -> None:
    told = gated.call("POST", "/registered-models/alias", {"name": "loans", "alias": "Champion", "version": "1"})

    assert (told.status, "moves only with the stage production" in told.message) == (409, True)


def test_a_free_alias_is_free(gated: Tracking) -> None:
    told = gated.call("POST", "/registered-models/alias", {"name": "loans", "alias": "blue", "version": "1"})

    assert told.status == 200
    assert gated.live.client.models.find("loans@blue").version == 1


def test_a_label_passes_no_gate_either(gated: Tracking) -> None:
    gated.call("POST", "/model-versions/create", {"name": "loans", "source": "made elsewhere"})

    told = gated.call("POST", "/model-versions/transition-stage", {"name": "loans", "version": "2", "stage": "Staging"})

    assert (told.status, "may not enter staging" in told.message) == (403, True)


def test_a_run_of_another_project_makes_no_version_here(gated: Tracking) -> None:
    run = gated.new_run()

    told = gated.call(
        "POST", "/model-versions/create", {"name": "loans", "source": f"runs:/{run}/model", "run_id": run}
    )

    assert (told.status, told.code) == (409, "RESOURCE_CONFLICT")
    assert "not of the project lending" in told.message


def test_a_logged_model_of_another_project_makes_no_version_here(gated: Tracking) -> None:
    model = gated.call("POST", "/logged-models", {"experiment_id": "0"}).body["model"]["info"]["model_id"]
    body = {"name": "loans", "source": f"models:/{model}", "model_id": model}

    told = gated.call("POST", "/model-versions/create", body)

    assert (told.status, "not of the project lending" in told.message) == (409, True)


def test_a_version_of_mlflows_client_goes_to_production_once_its_gates_are_open(
    gated: Tracking, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def script(mlflow: Any, client: Any, run_id: str) -> Any:
        import numpy as np
        from sklearn.linear_model import LogisticRegression

        rows = np.array([[0.0], [1.0], [2.0], [3.0]])
        with mlflow.start_run(run_id=run_id):
            model = LogisticRegression().fit(rows, [0, 0, 1, 1])
            options = {"input_example": rows[:2], "pip_requirements": ["scikit-learn"]}
            mlflow.sklearn.log_model(model, name="model", registered_model_name="cards", **options)

    def promote(mlflow: Any, client: Any) -> Any:
        client.set_registered_model_alias("cards", "champion", 1)
        return client.get_model_version_by_alias("cards", "champion").current_stage

    monkeypatch.chdir(tmp_path)
    ours = gated.live.client
    ours.projects.create("cards", risk="low")
    table = pd.DataFrame({"x": [0.0, 1.0, 2.0, 3.0] * 50, "y": [0, 0, 1, 1] * 50})
    data = ours.datasets.register("rows", table, project="cards", contract="columns: {x: {type: number}}\n")
    with ours.runs.start(project="cards", source=tmp_path) as run:
        run.use(data)
        judged = pd.DataFrame({"y": table.y, "said": table.y, "p": (table.x + 1) / 5})
        pinned = run.log_predictions(judged, label="y", prediction="said", score="p", dataset=data)
    gated.run(script, run_id=run.id)

    version = ours.models.judge_by("cards@1", pinned)
    with pytest.raises(EvaluationPinned):
        ours.models.judge_by("cards@1", replace(pinned, split="another"))
    ours.gates.evaluate("cards@1")

    assert (version.project, version.datasets, version.run) == ("cards", [data.ref], run.id)
    assert gated.run(promote) == "Production"
