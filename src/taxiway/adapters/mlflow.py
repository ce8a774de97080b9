"""Models that MLflow logged: scikit-learn's and LightGBM's are read as they are, others through an installed MLflow.

MLflow's loaders may run any code that lies in a model's folder. They are called for an approved digest only, in a
process where code may run: a worker.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from taxiway.adapters.sklearn import CodeInModel, ModelNotSaved, ModelUnreadable, read_model
from taxiway.adapters.sklearn_predictor import SklearnPredictor, classes_of, pandas_column
from taxiway.models.bundles.bundle import Bundle, Manifest, read_verified, verify_bundle
from taxiway.models.bundles.mlmodel import MLMODEL
from taxiway.models.predicting.arrays import Arrays, Block, check_block
from taxiway.models.predicting.flavours import FlavourMissing
from taxiway.models.predicting.predictor import ColumnsIn, Prediction, Predictor, Rows
from taxiway.models.predicting.signature import Columns, Signature, check_columns, check_rows
from taxiway.models.twins.forms import Form
from taxiway.models.twins.predictor import as_predictions
from taxiway.models.twins.record import NoTwin

# How a manifest says what reads the model: MLflow alone, or LightGBM, whose format is text and runs nothing.
WHOLE_FOLDER, BOOSTER = "mlflow", "lightgbm"


def save(
    model: Any,
    folder: Path,
    example: Any,
    *,
    name: str,
    threshold: float | None = None,
    nullable: Collection[str] = (),
) -> Manifest:
    """Raises ModelNotSaved: what MLflow wrapped is logged by MLflow, whose client this server understands."""
    reason = "MLflow wrote it; log it with MLflow's `log_model`, and register that"
    raise ModelNotSaved(model=type(model).__name__, reason=reason)


def load(folder: Path, digest: str | None = None, *, may_run_code: bool = False) -> Predictor:
    """The model of a bundle that MLflow logged, after a check of every byte.

    Raises BundleTampered, NotABundle, CodeInModel, FlavourMissing, ModelUnreadable.
    """
    bundle = verify_bundle(folder, digest)
    native = bundle.manifest.native
    if native.serialization == WHOLE_FOLDER:
        return load_by_mlflow(bundle, has_digest=digest is not None, may_run_code=may_run_code)
    if native.serialization == BOOSTER:
        return load_booster(bundle)
    model = read_model(bundle, has_digest=digest is not None, may_run_code=may_run_code)
    return LabelPredictor(model, bundle.manifest)


def load_by_mlflow(bundle: Bundle, *, has_digest: bool, may_run_code: bool) -> Predictor:
    flavour = bundle.manifest.flavour
    if not (may_run_code and has_digest):
        raise CodeInModel(file=MLMODEL, reason=f"a model of flavour {flavour} may run code while MLflow reads it")
    try:
        import mlflow.pyfunc
    except ModuleNotFoundError as e:
        raise FlavourMissing(what=f"models of flavour {flavour!r} without mlflow", installed=[]) from e
    try:
        model = mlflow.pyfunc.load_model(str(bundle.folder))
    except Exception as e:  # a plug-in call: another library reads a folder
        raise ModelUnreadable(file=MLMODEL, cause=f"{type(e).__name__}: {e}") from e
    return FunctionPredictor(model, bundle.manifest)


def load_booster(bundle: Bundle) -> Predictor:
    file = bundle.manifest.native.file
    try:
        import lightgbm
    except ModuleNotFoundError as e:
        raise FlavourMissing(
            what=f"models of flavour {bundle.manifest.flavour!r} without lightgbm", installed=[]
        ) from e
    try:
        booster = lightgbm.Booster(model_str=read_verified(bundle, file).decode())
    except Exception as e:  # a plug-in call: another library reads a file
        raise ModelUnreadable(file=file, cause=f"{type(e).__name__}: {e}") from e
    return FunctionPredictor(booster, bundle.manifest)


class LabelPredictor(SklearnPredictor):
    """A fitted estimator that answers what its own `predict` says, as MLflow would; the probability stands beside."""

    def __init__(self, model: Any, manifest: Manifest) -> None:
        super().__init__(model, manifest)
        self.takes_matrix = False  # it asks the model for labels and chances both
        known = [column.name for column in manifest.signature.inputs]
        if self._names is not None and set(self._names) != set(known):
            cause = f"it was trained on the columns {', '.join(self._names)}; its signature has {', '.join(known)}"
            raise ModelUnreadable(file=manifest.native.file, cause=cause)

    def form(self) -> Form:
        raise NoTwin("MLflow wrote it, and twins are made of what Taxiway writes")

    def _answers(self, columns: Columns) -> Arrays:
        if self._names is not None:  # the order of training, whatever the signature's is
            columns = {name: columns[name] for name in self._names}
        table = self._table(columns)
        if self._names is not None:
            table = table[list(self._names)]
        labels = np.asarray(self.model.predict(table))
        if classes_of(self.model) is None or not hasattr(self.model, "predict_proba"):
            return {"prediction": labels}
        chances = np.asarray(self.model.predict_proba(table))
        return {"prediction": labels, "score": chances[:, 1] if chances.shape[1] == 2 else chances.max(axis=1)}


class FunctionPredictor:
    """A model that is one function, as MLflow sees all of them: a table in, an answer for each row out."""

    def __init__(self, model: Any, manifest: Manifest) -> None:
        self.model = model
        self.signature: Signature = manifest.signature

    def predict(self, data: Rows | ColumnsIn) -> list[Prediction]:
        """One answer per row, in order. Raises InputMismatch for the first row and field that do not fit."""
        inputs = self.signature.inputs
        columns = check_columns(inputs, data) if isinstance(data, Mapping) else check_rows(inputs, data)
        if not columns or not next(iter(columns.values())):
            return []
        return as_predictions(self._answers(columns))

    def predict_arrays(self, columns: Block) -> Arrays:
        """As `predict`, for a block of columns."""
        return self._answers(check_block(self.signature.inputs, columns))

    def _answers(self, columns: Columns) -> Arrays:
        import pandas as pd

        inputs = self.signature.inputs
        table = pd.DataFrame({column.name: pandas_column(column, columns[column.name]) for column in inputs})
        answers = np.asarray(self.model.predict(table)).reshape(len(table), -1)
        if answers.shape[1] != 1:
            raise ValueError(f"the model answers {answers.shape[1]} values for a row, and an endpoint answers one")
        return {"prediction": answers[:, 0]}
