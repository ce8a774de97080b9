"""What LightGBM and XGBoost train is logged by itself, iteration by iteration."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import lightgbm
import numpy as np
import pandas as pd
import pytest
import xgboost
import yaml
from sklearn.model_selection import GridSearchCV

import taxiway as tw
from taxiway import client as clients
from taxiway.client import Client
from tests.support.live import Live, running

ROWS = pd.DataFrame({"age": np.linspace(20, 60, 200), "income": np.tile([1.0, 2.0], 100)})
LABELS = (ROWS["age"] > 40).astype(int)
QUIET: dict[str, Any] = {"verbosity": -1, "num_threads": 1}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    with running(tmp_path_factory.mktemp("server") / "home", login=False) as live:
        yield live


@pytest.fixture
def client(server: Live, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Client]:
    """The folder's own client, in an empty folder; autolog is off again in the end."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TAXIWAY_URL", server.url)
    monkeypatch.setenv("TAXIWAY_SPOOL", str(tmp_path / "spool"))
    monkeypatch.setattr(clients, "_default", [])
    client = clients.default_client()
    yield client
    tw.autolog(on=False)
    client.close()


def files_of(client: Client, run: str) -> set[str]:
    return {artifact.path for artifact in client.runs.artifacts(run)}


def signature_of(client: Client, run: str, folder: Path) -> Any:
    return yaml.safe_load(client.runs.download(run, "model/MLmodel", folder).read_text())["signature"]


def test_lightgbm_s_own_training_is_logged_whole(client: Client, tmp_path: Path) -> None:
    tw.autolog("lightgbm")
    data = lightgbm.Dataset(ROWS[::2], LABELS[::2])
    held = lightgbm.Dataset(ROWS[1::2], LABELS[1::2], reference=data)

    with tw.run() as run:
        booster = lightgbm.train({"objective": "binary", "metric": "auc", **QUIET}, data, 5, valid_sets=[held])

    shown = client.runs.show(run.id)
    assert booster.num_trees() == 5
    assert (shown.params["objective"], shown.params["num_boost_round"]) == ("binary", 5)
    assert [point.step for point in client.runs.metric(run.id, "valid_0_auc")] == list(range(5))
    assert {"model/model.lgb", "model/MLmodel", "figures/importances.svg"} <= files_of(client, run.id)
    assert "age" in str(signature_of(client, run.id, tmp_path))
    kept = client.runs.download(run.id, "model/model.lgb", tmp_path)
    assert np.allclose(lightgbm.Booster(model_file=str(kept)).predict(ROWS), booster.predict(ROWS))


def test_lightgbm_s_estimators_are_one_fit_with_their_iterations(client: Client) -> None:
    tw.autolog("sklearn", "lightgbm")
    model = lightgbm.LGBMClassifier(n_estimators=4, **QUIET)

    with tw.run() as run:
        model.fit(ROWS, LABELS, eval_X=ROWS, eval_y=LABELS)

    shown = client.runs.show(run.id)
    assert [point.step for point in client.runs.metric(run.id, "valid_0_binary_logloss")] == list(range(4))
    assert shown.params["n_estimators"] == 4
    assert not any(name.startswith("fit_2/") for name in shown.params)
    assert {"model/taxiway.json", "figures/importances.svg"} <= files_of(client, run.id)


def test_the_folds_of_a_search_are_not_logged_one_by_one(client: Client) -> None:
    tw.autolog(models=False)
    grid = GridSearchCV(lightgbm.LGBMClassifier(n_estimators=2, **QUIET), {"num_leaves": [2, 3]}, cv=2)

    with tw.run() as run:
        grid.fit(ROWS, LABELS)

    shown = client.runs.show(run.id)
    assert shown.params["best_num_leaves"] in (2, 3)
    assert not [name for name in shown.metrics if name.startswith("valid_")]


def test_xgboost_s_own_training_is_logged_whole(client: Client, tmp_path: Path) -> None:
    tw.autolog("xgboost")
    data = xgboost.DMatrix(ROWS, LABELS, nthread=1)

    with tw.run() as run:
        booster = xgboost.train(
            {"objective": "binary:logistic", "nthread": 1}, data, 5, evals=[(data, "train")], verbose_eval=False
        )

    shown = client.runs.show(run.id)
    assert (shown.params["objective"], shown.params["num_boost_round"]) == ("binary:logistic", 5)
    assert [point.step for point in client.runs.metric(run.id, "train_logloss")] == list(range(5))
    assert {"model/model.ubj", "model/MLmodel", "figures/importances.svg"} <= files_of(client, run.id)
    kept = xgboost.Booster(model_file=client.runs.download(run.id, "model/model.ubj", tmp_path))
    assert np.allclose(kept.predict(data), booster.predict(data))


def test_xgboost_s_estimators_are_one_fit_with_their_iterations(client: Client) -> None:
    tw.autolog("sklearn", "xgboost", models=False)

    with tw.run() as run:
        xgboost.XGBClassifier(n_estimators=3, n_jobs=1).fit(ROWS, LABELS, eval_set=[(ROWS, LABELS)], verbose=False)

    shown = client.runs.show(run.id)
    assert [point.step for point in client.runs.metric(run.id, "validation_0_logloss")] == [0, 1, 2]
    assert shown.params["model"] == "XGBClassifier"
    assert not any(name.startswith("fit_2/") for name in shown.params)


def test_a_training_that_fails_fails_as_without_us(client: Client) -> None:
    tw.autolog("lightgbm", "xgboost")

    with tw.run(), pytest.raises(lightgbm.basic.LightGBMError):
        lightgbm.train({"objective": "nonsense", **QUIET}, lightgbm.Dataset(ROWS, LABELS), 2)
    with pytest.raises(TypeError):
        lightgbm.train()  # type: ignore[call-arg]

    tw.autolog(on=False)
    assert not hasattr(lightgbm.train, "__wrapped__")
