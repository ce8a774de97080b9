"""What scikit-learn fits is logged by itself, once, and never at the cost of the fit."""

from __future__ import annotations

import pickle
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.ensemble import GradientBoostingClassifier, RandomForestRegressor, VotingClassifier
from sklearn.ensemble._forest import BaseForest
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import taxiway as tw
from taxiway import client as clients
from taxiway.client import Client
from taxiway.kernel.errors import BadField
from taxiway.models.bundles.bundle import verify_bundle
from taxiway.runs.contract import Run
from tests.support.live import Live, running

ROWS = pd.DataFrame({"age": np.linspace(20, 60, 80), "income": np.tile([1.0, 2.0], 40)})
LABELS = (ROWS["age"] > 40).astype(int)


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
    monkeypatch.setenv("TAXIWAY_EXPERIMENT", tmp_path.name[-60:].strip("_").lower())
    monkeypatch.setattr(clients, "_default", [])
    client = clients.default_client()
    yield client
    tw.autolog(on=False)
    client.close()


def runs(client: Client) -> list[Run]:
    """This test's runs, the newest first."""
    return client.runs.list(experiment=client.settings.experiment)


def test_a_fit_without_a_run_gets_one_of_its_own(client: Client, tmp_path: Path) -> None:
    tw.autolog("sklearn")

    make_pipeline(StandardScaler(), LogisticRegression(C=0.5)).fit(ROWS, LABELS)

    (run,) = runs(client)
    files = {artifact.path for artifact in client.runs.artifacts(run.id)}
    assert (run.name, run.status) == ("Pipeline", "finished")
    assert run.params["logisticregression__C"] == 0.5
    assert {"training_accuracy", "training_auc", "training_log_loss", "iterations"} <= run.metrics.keys() | {
        "iterations"
    }
    assert {"figures/importances.svg", "model/MLmodel", "model/taxiway.json", "model/model.skops"} <= files
    for path in (path for path in files if path.startswith("model/")):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        client.runs.download(run.id, path, tmp_path / path)
    signature = verify_bundle(tmp_path / "model").manifest.signature
    assert [column.name for column in signature.inputs] == ["age", "income"]


def test_what_is_fitted_within_a_fit_is_part_of_it(client: Client) -> None:
    tw.autolog("sklearn", models=False)
    grid = GridSearchCV(LogisticRegression(), {"C": [0.1, 1.0, 10.0]}, cv=2)

    with tw.run("search") as run:
        grid.fit(ROWS, LABELS)
        VotingClassifier([("a", LogisticRegression()), ("b", LogisticRegression(C=2))], n_jobs=2).fit(ROWS, LABELS)

    (found,) = runs(client)
    assert found.id == run.id
    assert found.params["best_C"] in (0.1, 1.0, 10.0)
    assert [point.step for point in client.runs.metric(run.id, "cv_mean_test_score")] == [0, 1, 2]
    assert found.params["model"] == "GridSearchCV"
    assert found.params["fit_2/model"] == "VotingClassifier"
    assert not any(name.startswith("fit_3/") for name in found.params)


def test_iterations_are_points_of_a_metric(client: Client) -> None:
    tw.autolog("sklearn", models=False)

    with tw.run() as run:
        GradientBoostingClassifier(n_estimators=7).fit(ROWS, LABELS)
        RandomForestRegressor(n_estimators=3, n_jobs=2).fit(ROWS, LABELS)

    shown = client.runs.show(run.id)
    assert (shown.params["model"], shown.params["fit_2/model"]) == (
        "GradientBoostingClassifier",
        "RandomForestRegressor",
    )
    assert {"training_auc", "fit_2/training_r2"} <= shown.metrics.keys()
    assert [point.step for point in client.runs.metric(run.id, "training_score")] == list(range(7))


def test_a_fit_that_fails_fails_as_without_us_and_says_so_in_its_run(client: Client) -> None:
    tw.autolog("sklearn")

    with pytest.raises(ValueError, match="C"):
        LogisticRegression(C=-1).fit(ROWS, LABELS)

    (run,) = runs(client)
    assert run.status == "failed"
    assert "InvalidParameterError" in run.failure


class Odd(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """Fits, and breaks at whatever else it is asked."""

    def fit(self, rows: Any, labels: Any) -> Odd:
        return self

    def predict(self, rows: Any) -> Any:
        raise RuntimeError("do not ask")

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        raise RuntimeError("do not ask")


def test_a_model_that_cannot_be_looked_at_is_fitted_all_the_same(
    client: Client, caplog: pytest.LogCaptureFixture
) -> None:
    tw.autolog("sklearn", models=False)

    with tw.run():
        fitted = Odd().fit(ROWS, LABELS)

    assert isinstance(fitted, Odd)
    assert len([r for r in caplog.records if "autolog" in r.message]) == 1
    assert runs(client)[0].status == "finished"


def test_turned_off_everything_is_as_it_was(client: Client) -> None:
    before = {cls: vars(cls)["fit"] for cls in (LogisticRegression, BaseForest)}
    tw.autolog("sklearn")
    assert all(vars(cls)["fit"] is not fit for cls, fit in before.items())
    copied = pickle.loads(pickle.dumps(clone(LogisticRegression(C=3)).fit(ROWS, LABELS)))

    class Later(Odd):
        def fit(self, rows: Any, labels: Any) -> Later:
            return self

    own = vars(Later)["fit"].__wrapped__
    tw.autolog(on=False)
    LogisticRegression().fit(ROWS, LABELS)

    assert copied.C == 3
    assert all(vars(cls)["fit"] is fit for cls, fit in before.items())
    assert vars(Later)["fit"] is own
    assert len(runs(client)) == 1


def test_an_unknown_library_is_named() -> None:
    with pytest.raises(BadField, match="tensorflow"):
        tw.autolog("tensorflow")
