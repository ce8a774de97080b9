"""What estimators compute, as twins know it: scikit-learn's trees, lines and pipelines; others by their files."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from taxiway.adapters.lightgbm_twin import SMALL
from taxiway.adapters.sklearn_predictor import SklearnPredictor, classes_of
from taxiway.adapters.sklearn_steps import Preparing
from taxiway.models.bundles.bundle import Manifest
from taxiway.models.predicting.infer import example_columns
from taxiway.models.predicting.signature import Column
from taxiway.models.twins.forms import Form, Weights
from taxiway.models.twins.making import Given, with_twin
from taxiway.models.twins.record import Link, NoTwin
from taxiway.models.twins.steps import Step, Swap
from taxiway.models.twins.trees import Ensemble, Tree, places

# Rows that leave out their zeros: XGBoost takes these for gaps, and LightGBM a number that is nearly zero as it stands.
SPARSE: dict[str, tuple[Step, ...]] = {"xgboost": (Swap(0.0, np.nan),), "lightgbm": (Swap(-SMALL, -2 * SMALL),)}
MOST_LABELS = 20  # each has trees of its own in a twin of a forest
COMPARED_WITH = 512  # rows of the training
OTHERS = {"lightgbm": "taxiway.adapters.lightgbm_twin", "xgboost": "taxiway.adapters.xgboost_twin"}
TREES = ("DecisionTreeClassifier", "DecisionTreeRegressor", "ExtraTreeClassifier", "ExtraTreeRegressor")


def add_twin(model: Any, manifest: Manifest, example: Any, folder: Path) -> Manifest:
    """The manifest's draft with what became of a twin, whose files are in the folder where it is to answer."""
    native = SklearnPredictor(model, manifest)
    form: Form | NoTwin
    try:
        form = native.form()
    except NoTwin as reason:
        form = reason
    from threadpoolctl import threadpool_limits

    rows = example_columns(example, rows=COMPARED_WITH)
    with threadpool_limits(1):  # as in a worker, where threads would fight over the cores that workers share
        return with_twin(native, form, Given(manifest, rows, folder))


def form_of(model: Any, inputs: Sequence[Column]) -> Form:
    """What a model computes of the columns of its signature. Raises NoTwin for one that is made of something else."""
    preparing = Preparing(inputs)
    final = model
    if type(model).__name__ == "Pipeline" and genuine(model, "Pipeline"):
        for _, step in model.steps[:-1]:
            preparing.take(step)
        final = model.steps[-1][1]
    answers = answers_of(final)
    preparing.check_numbers()
    if preparing.is_sparse:
        preparing.steps += SPARSE.get(type(final).__module__.partition(".")[0], ())
    if answers_width(answers) != len(preparing.columns):
        raise NoTwin("the model knows another number of columns than it is given")
    classes = classes_of(final)
    labels = None if classes is None else tuple(classes.tolist())
    if labels is not None and not hasattr(final, "predict_proba"):
        raise NoTwin(f"{type(final).__name__} gives labels without probabilities")
    words = {name: tuple(known) for name, known in preparing.words.items()}
    return Form(len(inputs), answers, labels, tuple(preparing.steps), words, tuple(sorted(preparing.refused)))


def answers_width(answers: Ensemble | Weights) -> int:
    return answers.width if isinstance(answers, Ensemble) else len(answers.coefficients)


def answers_of(model: Any) -> Ensemble | Weights:
    """The trees or the weights of an estimator. Raises NoTwin."""
    kind = type(model).__name__
    library = type(model).__module__.partition(".")[0]
    if library in OTHERS and genuine(model, kind):
        found: Ensemble = import_module(OTHERS[library]).ensemble_of(model)
        return found
    if kind not in KINDS or not genuine(model, kind):
        known = "trees, linear models and pipelines of these"
        raise NoTwin(f"twins are made of {known}, and {kind} is none that Taxiway knows")
    return KINDS[kind](model)


def genuine(model: Any, *kinds: str) -> bool:
    """Whether a model is of the library's own class, whose methods answer: no namesake, and none with others put in."""
    cls = type(model)
    if cls.__name__ not in kinds or cls.__module__.partition(".")[0] not in ("sklearn", *OTHERS):
        return False
    is_own = getattr(sys.modules.get(cls.__module__), cls.__name__, None) is cls
    return is_own and not any(callable(getattr(cls, name, None)) for name in vars(model))


def check_parts(estimators: Sequence[Any], *kinds: str) -> None:
    """Raises NoTwin where what a model is made of is not what its library makes it of."""
    for each in estimators:
        if not genuine(each, *kinds):
            raise NoTwin(f"{type(each).__name__} is not what such a model is made of")


# --- forests: each tree's leaves are shares of the labels, or a mean; a row is looked at in 32 bits ---


def of_forest(model: Any) -> Ensemble:
    return of_trees(model, model.estimators_, "mean")


def of_one_tree(model: Any) -> Ensemble:
    return of_trees(model, [model], "identity")


def of_trees(model: Any, estimators: list[Any], link: Link) -> Ensemble:
    """Of two labels only the second is added up, of more each one."""
    check_parts(estimators, *TREES)
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
    left, right = (places(is_leaf, side) for side in (tree.children_left, tree.children_right))
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
    left, right = (places(is_leaf, nodes[side].astype(np.int64)) for side in ("left", "right"))
    return Tree(
        nodes["feature_idx"][inner].astype(np.int64),
        nodes["num_threshold"][inner].astype(np.float64),
        left[inner],
        right[inner],
        nodes["missing_go_to_left"][inner].astype(bool),
        nodes["value"][is_leaf].astype(np.float64),
        target,
    )


# --- gradient boosting over plain trees ---

BOOSTING_LINKS: dict[str, Link] = {
    "HalfBinomialLoss": "logistic",
    "HalfMultinomialLoss": "softmax-numpy",
    **dict.fromkeys(("HalfSquaredError", "AbsoluteError", "HuberLoss", "PinballLoss"), "identity"),
}


def of_boosting(model: Any) -> Ensemble:
    """Each leaf is multiplied by the rate before it is added, as scikit-learn does it."""
    loss = type(model._loss).__name__  # noqa: SLF001  scikit-learn says it nowhere else
    if loss not in BOOSTING_LINKS:
        raise NoTwin(f"what scikit-learn makes of the sum of trees for the loss {loss} has no twin")
    rounds = model.estimators_
    check_parts(rounds.ravel().tolist(), "DecisionTreeRegressor")
    if isinstance(model.init_, str):
        first = np.zeros(rounds.shape[1])
    else:
        check_parts([model.init_], "DummyClassifier", "DummyRegressor")
        row = np.zeros((1, model.n_features_in_), dtype=np.float32)
        first = np.asarray(model._raw_predict_init(row), dtype=np.float64)[0]  # noqa: SLF001  as above
    trees = []
    for row in rounds:
        for target, each in enumerate(row):
            tree = forest_tree(each.tree_, 0, target)
            trees.append(tree._replace(leaves=tree.leaves * model.learning_rate))
    return Ensemble(model.n_features_in_, trees, first.tolist(), BOOSTING_LINKS[loss], narrow=True)


# --- linear models ---


def of_line(model: Any) -> Weights:
    coefficients = np.asarray(model.coef_, dtype=np.float64)
    if coefficients.ndim == 2 and len(coefficients) == 1:
        coefficients = coefficients[0]
    if coefficients.ndim != 1:
        raise NoTwin("it answers several things at once")
    return Weights(coefficients.reshape(-1, 1), np.ravel(model.intercept_).astype(np.float64)[:1], "identity")


def of_logistic(model: Any) -> Weights:
    """Of two labels the second one's probability, of more a share for each."""
    if len(model.classes_) < 2:
        raise NoTwin("it knows one label only")
    weights = np.ascontiguousarray(np.asarray(model.coef_, dtype=np.float64).T)
    added = np.broadcast_to(np.asarray(model.intercept_, dtype=np.float64), weights.shape[1:]).copy()
    return Weights(weights, added, "logistic" if weights.shape[1] == 1 else "softmax-numpy")


KINDS: dict[str, Callable[[Any], Ensemble | Weights]] = {
    **dict.fromkeys(
        ("RandomForestClassifier", "RandomForestRegressor", "ExtraTreesClassifier", "ExtraTreesRegressor"), of_forest
    ),
    **dict.fromkeys(TREES, of_one_tree),
    **dict.fromkeys(("HistGradientBoostingClassifier", "HistGradientBoostingRegressor"), of_histogram),
    **dict.fromkeys(("GradientBoostingClassifier", "GradientBoostingRegressor"), of_boosting),
    **dict.fromkeys(
        ("LinearRegression", "Ridge", "RidgeCV", "Lasso", "LassoCV", "ElasticNet", "ElasticNetCV"), of_line
    ),
    **dict.fromkeys(("LogisticRegression", "LogisticRegressionCV"), of_logistic),
}
