"""What each column gives to each answer: exact where the model's library gives it, else by shuffling columns."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from taxiway.gates.probing.perturbing import Inputs
from taxiway.models.predicting.predictor import Prediction, Predictor
from taxiway.models.predicting.signature import Signature

Floats = NDArray[np.float64]


class Contributions(Struct, frozen=True):
    """A row of numbers for each row of data, a column for each input. method: in words. gap: the largest difference
    between their sums and what the model itself says, where that could be held against them.
    """

    values: Any
    method: str
    gap: float | None = None


def exact(predictor: Predictor, inputs: Inputs) -> Contributions | None:
    """The library's own exact contributions, on the scale of the raw score; None where it has none for this model."""
    model, table_of = getattr(predictor, "model", None), getattr(predictor, "table", None)
    if model is None or table_of is None:
        return None
    table = table_of(inputs)
    before, last = steps_of(model)
    width = len(inputs)
    if before is not None:
        table = before.transform(table)
        if np.shape(table)[1] != width:  # one column became several: what they give is no input's own
            return None
    for kind in (of_lightgbm, of_xgboost, of_linear):
        if (found := kind(last, table)) is not None and found.values.shape[1] == width:
            return found
    return None


def steps_of(model: Any) -> tuple[Any, Any]:
    """What a pipeline does before its last step, if anything, and that step."""
    steps = getattr(model, "steps", None)
    if not steps:
        return None, model
    return (model[:-1] if len(steps) > 1 else None), steps[-1][1]


def of_lightgbm(model: Any, table: Any) -> Contributions | None:
    """TreeSHAP as LightGBM computes it (`pred_contrib`)."""
    if not type(model).__module__.startswith("lightgbm.") or not hasattr(model, "predict"):
        return None
    found = np.asarray(model.predict(table, pred_contrib=True), dtype=np.float64)
    raw = np.asarray(model.predict(table, raw_score=True), dtype=np.float64)
    return of_trees(found, raw, "exact: TreeSHAP by LightGBM")


def of_xgboost(model: Any, table: Any) -> Contributions | None:
    """TreeSHAP as XGBoost computes it (`pred_contribs`)."""
    if not type(model).__module__.startswith("xgboost.") or not hasattr(model, "get_booster"):
        return None
    import xgboost

    booster, data = model.get_booster(), xgboost.DMatrix(table)
    found = np.asarray(booster.predict(data, pred_contribs=True), dtype=np.float64)
    raw = np.asarray(booster.predict(data, output_margin=True), dtype=np.float64)
    return of_trees(found, raw, "exact: TreeSHAP by XGBoost")


def of_trees(found: Floats, raw: Floats, method: str) -> Contributions | None:
    if found.ndim != 2 or raw.ndim != 1:  # several classes
        return None
    return Contributions(found[:, :-1], method, float(np.abs(found.sum(axis=1) - raw).max()))


def of_linear(model: Any, table: Any) -> Contributions | None:
    """Of a linear model: each coefficient times how far the column is from its mean over these rows."""
    coefficients = np.asarray(getattr(model, "coef_", np.empty(0)), dtype=np.float64)
    coefficients = coefficients[0] if coefficients.ndim == 2 and coefficients.shape[0] == 1 else coefficients
    if coefficients.ndim != 1 or not coefficients.size or not hasattr(model, "intercept_"):
        return None
    values = np.asarray(table, dtype=np.float64)
    middle = values.mean(axis=0)
    found = (values - middle) * coefficients
    base = float(np.ravel(model.intercept_)[0] + middle @ coefficients)
    raw = model.decision_function(table) if hasattr(model, "decision_function") else model.predict(table)
    gap = float(np.abs(found.sum(axis=1) + base - np.asarray(raw, dtype=np.float64)).max())
    return Contributions(found, "exact: coefficient times distance from the mean", gap)


def shuffled(predictor: Predictor, signature: Signature, inputs: Inputs, draws: np.random.Generator) -> Contributions:
    """How far each row's answer moves when a column comes from another row, one column at a time."""
    answer = scored(predictor)
    before = answer(inputs)
    moved = []
    for column in signature.inputs:
        order = draws.permutation(len(before))
        given = inputs[column.name]
        moved.append(np.abs(answer(inputs | {column.name: [given[i] for i in order.tolist()]}) - before))
    return Contributions(np.column_stack(moved), "permutation: mean change of the answer")


def scored(predictor: Predictor) -> Callable[[Inputs], Floats]:
    """Answers as numbers: scores, else predicted numbers, else whether the label is what it was."""
    labels: dict[Any, int] = {}

    def number(answer: Prediction) -> float:
        if "score" in answer:
            return answer["score"]
        said = answer["prediction"]
        return float(said) if isinstance(said, int | float) else float(labels.setdefault(said, len(labels)))

    return lambda inputs: np.array([number(each) for each in predictor.predict(inputs)])
