"""Models of MLflow's making, loaded where nothing of MLflow is installed."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import skops.io
from sklearn.linear_model import LinearRegression, LogisticRegression

from taxiway.adapters import mlflow
from taxiway.adapters.sklearn import CodeInModel, ModelNotSaved, ModelUnreadable
from taxiway.models.bundles.bundle import Bundle, Manifest, NativeModel, write_bundle
from taxiway.models.predicting.flavours import FlavourMissing
from taxiway.models.predicting.signature import Column, InputMismatch, Signature

ROWS = pd.DataFrame({"age": [20.0, 30.0, 40.0, 50.0], "income": [1.0, 4.0, 2.0, 3.0]})


def bundled(folder: Path, model: Any, *columns: str, serialization: str = "skops") -> Bundle:
    """A bundle as the server makes one of an MLflow model."""
    folder.mkdir()
    data = skops.io.dumps(model) if serialization == "skops" else pickle.dumps(model)
    (folder / "model.bin").write_bytes(data)
    inputs = tuple(Column(name=name, type="number") for name in columns)
    draft = Manifest(
        name="loans",
        flavour="mlflow.sklearn",
        signature=Signature(inputs=inputs, outputs=()),
        native=NativeModel(file="model.bin", serialization=serialization),
    )
    return write_bundle(folder, draft)


def test_labels_are_the_models_own_whatever_the_order_of_the_columns(tmp_path: Path) -> None:
    model = LogisticRegression().fit(ROWS, ["no", "no", "yes", "yes"])
    bundle = bundled(tmp_path / "model", model, "income", "age")

    answers = mlflow.load(bundle.folder, bundle.digest).predict(
        [{"income": 1.0, "age": 20.0}, {"age": 50.0, "income": 3.0}]
    )

    assert [answer["prediction"] for answer in answers] == list(model.predict(ROWS.iloc[[0, 3]]))
    assert [answer["score"] for answer in answers] == pytest.approx(model.predict_proba(ROWS.iloc[[0, 3]])[:, 1])


def test_a_regressor_has_no_score_and_no_rows_no_answers(tmp_path: Path) -> None:
    model = LinearRegression().fit(ROWS.to_numpy(), [1.0, 2.0, 3.0, 4.0])
    bundle = bundled(tmp_path / "model", model, "x0", "x1")
    loaded = mlflow.load(bundle.folder, bundle.digest)

    assert loaded.predict([]) == []
    assert loaded.predict([{"x0": 20.0, "x1": 1.0}]) == [{"prediction": float(model.predict([[20.0, 1.0]])[0])}]
    with pytest.raises(InputMismatch):
        loaded.predict([{"x0": "much", "x1": 1.0}])


def test_other_columns_than_it_was_trained_on_are_refused_at_once(tmp_path: Path) -> None:
    model = LogisticRegression().fit(ROWS, [0, 0, 1, 1])
    bundle = bundled(tmp_path / "model", model, "age", "height")

    with pytest.raises(ModelUnreadable, match="trained on the columns age, income"):
        mlflow.load(bundle.folder, bundle.digest)


def test_a_pickle_is_read_for_an_approved_digest_where_code_may_run(tmp_path: Path) -> None:
    model = LogisticRegression().fit(ROWS, [0, 0, 1, 1])
    bundle = bundled(tmp_path / "model", model, "age", "income", serialization="pickle")

    with pytest.raises(CodeInModel):
        mlflow.load(bundle.folder, bundle.digest)
    with pytest.raises(CodeInModel):
        mlflow.load(bundle.folder, may_run_code=True)
    loaded = mlflow.load(bundle.folder, bundle.digest, may_run_code=True)

    assert loaded.predict([{"age": 50.0, "income": 3.0}])[0]["prediction"] == 1


def test_what_only_mlflow_reads_needs_it_and_leave_to_run_code(tmp_path: Path) -> None:
    bundle = bundled(tmp_path / "model", LinearRegression(), "x", serialization="mlflow")

    with pytest.raises(CodeInModel, match=r"flavour mlflow\.sklearn may run code"):
        mlflow.load(bundle.folder, bundle.digest)
    with pytest.raises(FlavourMissing, match="without mlflow"):
        mlflow.load(bundle.folder, bundle.digest, may_run_code=True)


def test_mlflows_own_objects_are_logged_by_its_own_client(tmp_path: Path) -> None:
    with pytest.raises(ModelNotSaved, match="log_model"):
        mlflow.save(object(), tmp_path, ROWS, name="loans")
