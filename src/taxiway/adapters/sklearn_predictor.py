"""Answers of a scikit-learn estimator: rows checked against the signature, then one call for all of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from taxiway.models.bundles.bundle import Manifest
from taxiway.models.predicting.arrays import Arrays, Block, check_block
from taxiway.models.predicting.matrices import Matrix, in_groups, without_names
from taxiway.models.predicting.predictor import ColumnsIn, Prediction, Rows
from taxiway.models.predicting.signature import Column, Columns, Signature, check_columns, check_rows
from taxiway.models.twins.forms import Form
from taxiway.models.twins.predictor import as_predictions

NUMERIC = frozenset({"boolean", "integer", "number"})


class SklearnPredictor:
    """A fitted estimator behind the port `Predictor`, deciding by the manifest's threshold.

    A score equal to the threshold says yes. (scikit-learn's own `predict` says no at exactly one half.)
    """

    def __init__(self, model: Any, manifest: Manifest) -> None:
        self.model = model
        self.signature: Signature = manifest.signature
        self.threshold = manifest.threshold
        self._classes = classes_of(model)
        self._names = pandas_index(model)
        self._is_numeric = all(column.type in NUMERIC for column in manifest.signature.inputs)
        self._bare = without_names(model) if self._is_numeric else None
        self.takes_matrix = self._bare is not None

    def predict(self, data: Rows | ColumnsIn) -> list[Prediction]:
        """One answer per row, in order. Raises InputMismatch for the first row and field that do not fit."""
        columns = self._checked(data)
        if not columns or not next(iter(columns.values())):
            return []
        return as_predictions(self._answers(columns))

    def predict_arrays(self, columns: Block) -> Arrays:
        """As `predict`, for a block of columns: the labels, and the scores where there are any, as arrays."""
        return self._answers(check_block(self.signature.inputs, columns))

    def predict_matrix(self, matrix: Matrix) -> Arrays:
        """As `predict_arrays`, for numbers that were checked: a row's answer has the same bits in any company."""
        said = self._said(self._bare, in_groups(matrix))
        return {name: each[: len(matrix)] for name, each in said.items()}

    def form(self) -> Form:
        """What the model computes, for a twin of it. Raises NoTwin."""
        from taxiway.adapters.sklearn_twin import form_of

        return form_of(self.model, self.signature.inputs)

    def _answers(self, columns: Columns) -> Arrays:
        if self.takes_matrix:
            return self.predict_matrix(np.array(list(columns.values()), dtype=np.float64).T)
        return self._said(self.model, self._table(columns))

    def _said(self, model: Any, table: Any) -> Arrays:
        if self._classes is None or not hasattr(model, "predict_proba"):
            return {"prediction": np.asarray(model.predict(table))}
        labels, scores = self._decided(model.predict_proba(table))
        return {"prediction": labels, "score": scores}

    def table(self, data: Rows | ColumnsIn) -> Any:
        """Rows as the estimator sees them, for what asks the estimator itself. Raises InputMismatch."""
        return self._table(self._checked(data))

    def _checked(self, data: Rows | ColumnsIn) -> Columns:
        inputs = self.signature.inputs
        return check_columns(inputs, data) if isinstance(data, Mapping) else check_rows(inputs, data)

    def _table(self, columns: Columns) -> Any:
        """The input as the estimator saw it when it was trained: a pandas table, or a plain array."""
        if self._names is None:
            kind = np.float64 if self._is_numeric else object
            return np.array(list(columns.values()), dtype=kind).T
        import pandas as pd

        if self._is_numeric:  # one block: ten times as fast as column by column; None becomes NaN
            matrix = np.array(list(columns.values()), dtype=np.float64).T
            return pd.DataFrame(matrix, columns=self._names, copy=False)
        inputs = self.signature.inputs
        return pd.DataFrame({column.name: pandas_column(column, columns[column.name]) for column in inputs})

    def _decided(self, probabilities: Any) -> tuple[Any, Any]:
        if self.threshold is not None:
            scores = probabilities[:, 1]
            return self._classes[(scores >= self.threshold).astype(int)], scores
        return self._classes[probabilities.argmax(axis=1)], probabilities.max(axis=1)


def classes_of(model: Any) -> Any:
    """The labels that a classifier knows, as a numpy array; None for a regressor."""
    classes = getattr(model, "classes_", None)
    return None if classes is None else np.asarray(classes)


def pandas_index(model: Any) -> Any:
    """The column names that an estimator was trained with, in pandas; None if it saw a plain array."""
    names = getattr(model, "feature_names_in_", None)
    if names is None:
        return None
    import pandas as pd

    return pd.Index(names)


def pandas_column(column: Column, values: Any) -> Any:
    """Checked values, a list or an array, as a pandas column of the type that the training table had."""
    import pandas as pd

    is_whole = values.dtype.kind != "f" if isinstance(values, np.ndarray) else None not in values

    match column.type:
        case "category":
            return pd.Categorical(values, categories=list(column.categories or ()))
        case "datetime":
            return pd.to_datetime(values, utc=True)
        case "string":
            return pd.array(values, dtype="str")
        case "boolean" if is_whole:
            return np.array(values, dtype=bool)
        case "integer" if is_whole:
            return np.array(values, dtype=np.int64)
        case _:
            return np.array(values, dtype=np.float64)
