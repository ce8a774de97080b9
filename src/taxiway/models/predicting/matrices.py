"""Models that take numbers alone: one matrix in, arrays out, and nothing per row in between."""

from __future__ import annotations

from typing import Any, Protocol, TypeAlias, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from taxiway.models.predicting.arrays import Arrays
from taxiway.models.predicting.signature import Signature

Matrix: TypeAlias = NDArray[np.float64]

# Linear algebra works on several rows at once and rounds those that are left over otherwise. In whole groups, and in
# this order of memory, OpenBLAS gave each row the same bits whatever came with it, for 8 to 256 rows.
GROUP = 8
CHECKS_NAMES = ("sklearn.", "lightgbm.", "xgboost.")


@runtime_checkable
class MatrixPredictor(Protocol):
    """A predictor that may answer numbers without a table around them."""

    @property
    def signature(self) -> Signature: ...

    @property
    def takes_matrix(self) -> bool:
        """Whether this model can: whether all of its columns are numbers."""
        ...

    def predict_matrix(self, matrix: Matrix) -> Arrays:
        """The answers' fields to rows whose values were checked, columns in the signature's order, gaps being NaN."""
        ...


def in_groups(matrix: Matrix) -> Matrix:
    """The rows by columns in memory, filled up with the first one, so that each is answered the same in any company."""
    height = -(-len(matrix) // GROUP) * GROUP
    if height == len(matrix):
        return np.asfortranarray(matrix)
    filled = np.empty((height, matrix.shape[1]), order="F")
    filled[: len(matrix)] = matrix
    filled[len(matrix) :] = matrix[0]
    return filled


def nameless(model: object) -> None:
    raise AttributeError("feature_names_in_", name="feature_names_in_", obj=model)


NAMELESS = property(nameless, doc="The names of a model that was trained on a plain array: none.")


def without_names(model: Any) -> Any:
    """The model as one that was trained on a plain array; None where it, or a step of it, may ask for column names.

    The libraries compare the names of each table with those of the training and use the numbers then, which costs more
    than many models do. Somebody's own class, or one that picks columns, sees the table that it was trained with.
    """
    import copy

    kind = type(model)
    if not kind.__module__.startswith(CHECKS_NAMES) or kind.__module__.startswith("sklearn.compose"):
        return None
    steps = getattr(model, "steps", None)
    if kind.__name__ == "FunctionTransformer" or (steps is not None and kind.__name__ != "Pipeline"):
        return None
    bare = copy.copy(model)
    bare.__dict__.pop("feature_names_in_", None)
    if hasattr(kind, "feature_names_in_"):  # LightGBM asks its trees
        bare.__class__ = type(kind.__name__, (kind,), {"__module__": kind.__module__, "feature_names_in_": NAMELESS})
    if steps is not None:
        bare.steps = [(name, step if isinstance(step, str) else without_names(step)) for name, step in steps]
        if any(step is None for _, step in bare.steps):
            return None
    return bare
