"""What scikit-learn fits, logged by itself: estimators, pipelines, searches, and whatever follows its interface."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from taxiway.adapters.importances import draw_importances
from taxiway.models.bundles.bundle import write_bundle
from taxiway.models.predicting.flavours import flavour, flavour_of
from taxiway.models.registering.origins import environment_lock
from taxiway.runs.autologging.autolog import Autolog, Fit, current
from taxiway.runs.autologging.patching import Patch

MOST_SCORED = 50_000  # rows of the training data that its scores are taken from
CURVES = {  # what estimators keep of their iterations, and what we call it
    "loss_curve_": "training_loss",
    "train_score_": "training_score",
    "validation_scores_": "validation_score",
    "validation_score_": "validation_score",
}


class Sklearn:
    """Wraps `fit` of every class of estimators, loaded now or later; those that predict are logged."""

    module = "sklearn"

    def patch(self, autolog: Autolog) -> list[Patch]:
        from sklearn.base import BaseEstimator

        patches = [patch for cls in family(BaseEstimator) if (patch := fit_patch(cls)) is not None]
        owner = next(cls for cls in BaseEstimator.__mro__ if "__init_subclass__" in vars(cls))
        if owner is not object:
            patches.append(Patch(owner, "__init_subclass__", lambda before: watching(before, autolog)))
        return patches


library = Sklearn()


def family(cls: type) -> Iterator[type]:
    """The classes below this one, each once."""
    seen: set[type] = set()
    waiting: list[type] = cls.__subclasses__()
    while waiting:
        one = waiting.pop()
        if one not in seen:
            seen.add(one)
            waiting += one.__subclasses__()
            yield one


def fit_patch(cls: type) -> Patch | None:
    """The patch of a class that has a `fit` of its own."""
    own = vars(cls).get("fit")
    if not callable(own) or hasattr(own, "__wrapped_by_taxiway__"):
        return None
    return Patch(cls, "fit", logged)


def watching(before: Callable[..., None], autolog: Autolog) -> Callable[..., None]:
    """`__init_subclass__` that patches the class as well."""
    from sklearn.base import BaseEstimator

    def init_subclass(cls: type, **options: Any) -> None:
        before(cls, **options)
        if autolog.is_on and issubclass(cls, BaseEstimator) and (patch := fit_patch(cls)) is not None:
            autolog.patches.append(patch)

    return init_subclass


def logged(before: Callable[..., Any]) -> Callable[..., Any]:
    """A `fit` that is logged. It holds nothing but the one before, so that a class with it can still be pickled."""

    def fit(estimator: Any, *arguments: Any, **named: Any) -> Any:
        return run_fit(before, estimator, arguments, named)

    fit.__wrapped_by_taxiway__ = True  # type: ignore[attr-defined]
    return fit


def run_fit(before: Callable[..., Any], estimator: Any, arguments: tuple[Any, ...], named: dict[str, Any]) -> Any:
    """Fits, and tells the run of it."""
    autolog = current()
    if autolog is None or not hasattr(type(estimator), "predict"):  # what only transforms is part of something
        return before(estimator, *arguments, **named)
    with autolog.fit(estimator) as fit:
        if fit is None:
            return before(estimator, *arguments, **named)
        fit.quietly(tell_params, fit, estimator)
        fitted = before(estimator, *arguments, **named)
        rows = arguments[0] if arguments else named.get("X")
        labels = arguments[1] if len(arguments) > 1 else named.get("y")
        for tell in (tell_scores, tell_curves, tell_search):
            fit.quietly(tell, fit, estimator, rows, labels)
        if fit.options.figures:
            fit.quietly(tell_importances, fit, estimator, rows, labels)
        if fit.options.models:
            fit.quietly(tell_model, fit, estimator, rows, labels)
        return fitted


def tell_params(fit: Fit, estimator: Any) -> None:
    fit.params({"model": type(estimator).__name__})
    fit.params({name: plain(value) for name, value in estimator.get_params(deep=True).items()})


def plain(value: Any) -> Any:
    """An estimator by its class, all else as it is."""
    return type(value).__name__ if hasattr(value, "get_params") else value


def tell_scores(fit: Fit, estimator: Any, rows: Any, labels: Any) -> None:
    """How the model does on the data it was fitted to, by the measures that one looks at first."""
    from sklearn import metrics
    from sklearn.base import is_classifier, is_regressor

    if labels is None or rows is None:
        return
    some, true = rows[:MOST_SCORED], np.asarray(labels)[:MOST_SCORED]
    if is_classifier(estimator):
        said = estimator.predict(some)
        fit.metrics(
            {
                "training_accuracy": metrics.accuracy_score(true, said),
                "training_f1": metrics.f1_score(true, said, average="weighted", zero_division=0.0),
            }
        )
        if hasattr(estimator, "predict_proba"):
            scores = estimator.predict_proba(some)
            fit.metrics({"training_log_loss": metrics.log_loss(true, scores, labels=estimator.classes_)})
            if scores.shape[1] == 2 and len(set(true.tolist())) == 2:
                fit.metrics({"training_auc": metrics.roc_auc_score(true, scores[:, 1])})
    elif is_regressor(estimator):
        said = estimator.predict(some)
        fit.metrics(
            {
                "training_r2": metrics.r2_score(true, said),
                "training_mae": metrics.mean_absolute_error(true, said),
                "training_rmse": metrics.mean_squared_error(true, said) ** 0.5,
            }
        )


def tell_curves(fit: Fit, estimator: Any, _rows: Any, _labels: Any) -> None:
    """The estimator's own record of its iterations, and how many they were."""
    for attribute, name in CURVES.items():
        curve = getattr(estimator, attribute, None)
        if curve is None or np.ndim(curve) != 1:
            continue
        for step, value in enumerate(np.asarray(curve, dtype=float)):
            fit.metrics({name: float(value)}, step=step)
    iterations = getattr(estimator, "n_iter_", None)
    if iterations is not None:
        fit.metrics({"iterations": float(np.max(iterations))})


def tell_search(fit: Fit, estimator: Any, _rows: Any, _labels: Any) -> None:
    """What a search tried, and what it found best."""
    results = getattr(estimator, "cv_results_", None)
    if results is None:
        return
    if hasattr(estimator, "best_params_"):
        fit.params({f"best_{name}": plain(value) for name, value in estimator.best_params_.items()})
        fit.metrics({"best_cv_score": float(estimator.best_score_)})
    means = [name for name in results if name.startswith("mean_test_")]
    for step in range(len(results["params"])):
        fit.metrics({f"cv_{name}": float(results[name][step]) for name in means}, step=step)
    fit.text("search/candidates.json", json.dumps(results["params"], default=str, indent=1))


def tell_importances(fit: Fit, estimator: Any, rows: Any, _labels: Any) -> None:
    """A figure of what the model looks at most, where it tells: importances of features, or weights."""
    model = getattr(estimator, "best_estimator_", estimator)
    last = model[-1] if hasattr(model, "steps") else model
    values = getattr(last, "feature_importances_", None)
    title = "Importances of the features"
    if values is None and (weights := getattr(last, "coef_", None)) is not None:
        values = np.atleast_2d(weights)
        values = values[0] if len(values) == 1 else np.abs(values).mean(axis=0)
        title = "Weights of the features"
    if values is None:
        return
    fit.figure("importances", draw_importances(feature_names(model, rows, len(values)), values, title=title))


def feature_names(model: Any, rows: Any, count: int) -> list[str]:
    """What the columns that the last step sees are called."""
    if hasattr(model, "steps") and len(model.steps) > 1 and hasattr(model[:-1], "get_feature_names_out"):
        return [str(name) for name in model[:-1].get_feature_names_out()]
    names = getattr(rows, "columns", None)
    return [str(name) for name in names] if names is not None else [f"x{index}" for index in range(count)]


def tell_model(fit: Fit, estimator: Any, rows: Any, _labels: Any) -> None:
    """The model as a sealed bundle with its signature: `client.models.register` takes the downloaded folder."""
    model = getattr(estimator, "best_estimator_", estimator)
    with tempfile.TemporaryDirectory(prefix="taxiway-") as place:
        folder = Path(place) / "model"
        draft = flavour(flavour_of(model)).save(model, folder, rows, name=type(model).__name__.lower()[:60])
        write_bundle(folder, draft, lock=environment_lock())
        fit.folder(folder, "model")
