"""Trees of estimators in one form: scikit-learn's forests and histogram boosting, and LightGBM's by its own file."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from taxiway.adapters.sklearn_predictor import SklearnPredictor, classes_of
from taxiway.models.bundles.bundle import Manifest
from taxiway.models.predicting.infer import example_columns
from taxiway.models.twins.checking import Given, twin_of
from taxiway.models.twins.record import Link, NoTwin, Twin
from taxiway.models.twins.trees import Ensemble, Tree

NUMERIC = frozenset({"boolean", "integer", "number"})
MOST_LABELS = 20  # each has trees of its own in a twin of a forest
COMPARED_WITH = 512  # rows of the training


def with_twin(model: Any, manifest: Manifest, example: Any, folder: Path) -> Manifest:
    """The manifest's draft with what became of a twin, whose files are in the folder where it is to answer."""
    try:
        twin = made(model, manifest, example, folder)
    except NoTwin as reason:
        twin = Twin(runs="native", why=str(reason))
    return msgspec.structs.replace(manifest, twin=twin)


def made(model: Any, manifest: Manifest, example: Any, folder: Path) -> Twin:
    """Raises NoTwin."""
    ensemble = ensemble_of(model)
    other = next((c for c in manifest.signature.inputs if c.type not in NUMERIC), None)
    native = SklearnPredictor(model, manifest)
    if other is not None or not native.takes_matrix:
        raise NoTwin(f"its column {other.name} holds no numbers" if other else "it asks for the names of its columns")
    if ensemble.width != len(manifest.signature.inputs):
        raise NoTwin("its trees know another number of columns than its example")
    classes = classes_of(model)
    labels = None if classes is None else tuple(classes.tolist())
    from threadpoolctl import threadpool_limits

    rows = as_matrix(example_columns(example, rows=COMPARED_WITH))
    with threadpool_limits(1):  # as in a worker, where threads would fight over the cores that workers share
        return twin_of(native, ensemble, labels, given=Given(manifest, rows, folder))


def as_matrix(columns: dict[str, list[Any]]) -> Any:
    return np.array(list(columns.values()), dtype=np.float64).T


def ensemble_of(model: Any) -> Ensemble:
    """The trees of a model. Raises NoTwin for one that is made of something else."""
    kind = type(model).__name__
    if type(model).__module__.startswith("lightgbm."):
        found: Ensemble = import_module("taxiway.adapters.lightgbm_twin").ensemble_of(model)
        return found
    if kind == "Pipeline":
        raise NoTwin(f"{type(model.steps[0][1]).__name__} prepares its rows, and twins are made of trees alone")
    if not type(model).__module__.startswith("sklearn.") or kind not in KINDS:
        raise NoTwin(f"twins are made of ensembles of trees, and {kind} is none that Taxiway knows")
    return KINDS[kind](model)


# --- forests: each tree's leaves are shares of the labels, or a mean; a row is looked at in 32 bits ---


def of_forest(model: Any) -> Ensemble:
    return of_trees(model, model.estimators_, "mean")


def of_one_tree(model: Any) -> Ensemble:
    return of_trees(model, [model], "identity")


def of_trees(model: Any, estimators: list[Any], link: Link) -> Ensemble:
    """Of two labels only the second is added up, of more each one."""
    if getattr(model, "n_outputs_", 1) != 1:
        raise NoTwin("it answers several things at once")
    classes = classes_of(model)
    count = 1 if classes is None else len(classes)
    if count > MOST_LABELS:
        raise NoTwin(f"it knows {count} labels, and a twin of a forest at most {MOST_LABELS}")
    if classes is not None and count == 1:
        raise NoTwin("it knows one label only")
    targets = [1] if count == 2 else range(count)
    trees = [forest_tree(each.tree_, column, target) for each in estimators for target, column in enumerate(targets)]
    return Ensemble(model.n_features_in_, trees, [0.0] * len(targets), link, narrow=True, divisor=len(estimators))


def forest_tree(tree: Any, column: int, target: int) -> Tree:
    if getattr(tree, "n_categories", None) is not None and (np.asarray(tree.n_categories) > 0).any():
        raise NoTwin("its trees split by categories")
    is_leaf = tree.children_left < 0
    left, right = (renumbered(is_leaf, side) for side in (tree.children_left, tree.children_right))
    inner = ~is_leaf
    return Tree(
        tree.feature[inner].astype(np.int64),
        tree.threshold[inner].astype(np.float64),
        left[inner],
        right[inner],
        np.asarray(tree.missing_go_to_left)[inner].astype(bool),
        tree.value[is_leaf, 0, column].astype(np.float64),
        target,
    )


def renumbered(is_leaf: Any, children: Any) -> Any:
    """The children's numbers where inner nodes and leaves are counted apart: a leaf is `-1 - its place`."""
    places = np.where(is_leaf, -np.cumsum(is_leaf), np.cumsum(~is_leaf) - 1)
    return places[children].astype(np.int64)


# --- histogram gradient boosting ---

HISTOGRAM_LINKS: dict[str, Link] = {
    "HalfBinomialLoss": "logistic",
    "HalfMultinomialLoss": "softmax-numpy",
    "HalfSquaredError": "identity",
    "AbsoluteError": "identity",
    "PinballLoss": "identity",
    "HalfPoissonLoss": "exp-numpy",
    "HalfGammaLoss": "exp-numpy",
}


def of_histogram(model: Any) -> Ensemble:
    loss = type(model._loss).__name__  # noqa: SLF001  scikit-learn says it nowhere else
    if loss not in HISTOGRAM_LINKS:
        raise NoTwin(f"what scikit-learn makes of the sum of trees for the loss {loss} has no twin")
    if model.is_categorical_ is not None:
        raise NoTwin("its trees split by categories")
    first = np.ravel(model._baseline_prediction).astype(np.float64)  # noqa: SLF001  as above
    rounds = model._predictors  # noqa: SLF001  as above
    trees = [histogram_tree(each.nodes, target) for row in rounds for target, each in enumerate(row)]
    return Ensemble(model.n_features_in_, trees, first.tolist(), HISTOGRAM_LINKS[loss])


def histogram_tree(nodes: Any, target: int) -> Tree:
    is_leaf = nodes["is_leaf"].astype(bool)
    inner = ~is_leaf
    if nodes["is_categorical"][inner].any():
        raise NoTwin("its trees split by categories")
    left, right = (renumbered(is_leaf, nodes[side].astype(np.int64)) for side in ("left", "right"))
    return Tree(
        nodes["feature_idx"][inner].astype(np.int64),
        nodes["num_threshold"][inner].astype(np.float64),
        left[inner],
        right[inner],
        nodes["missing_go_to_left"][inner].astype(bool),
        nodes["value"][is_leaf].astype(np.float64),
        target,
    )


KINDS: dict[str, Callable[[Any], Ensemble]] = {
    **dict.fromkeys(
        ("RandomForestClassifier", "RandomForestRegressor", "ExtraTreesClassifier", "ExtraTreesRegressor"), of_forest
    ),
    **dict.fromkeys(
        ("DecisionTreeClassifier", "DecisionTreeRegressor", "ExtraTreeClassifier", "ExtraTreeRegressor"), of_one_tree
    ),
    **dict.fromkeys(("HistGradientBoostingClassifier", "HistGradientBoostingRegressor"), of_histogram),
}
