"""What XGBoost trains, logged by itself: each iteration's metrics through a callback of its own interface."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from taxiway.adapters.boosters import python_function, tell_model, tell_params, training
from taxiway.runs.autologging.autolog import Autolog, Fit
from taxiway.runs.autologging.patching import Patch


class XgBoost:
    """Wraps `train`, as it is called directly and by the estimators."""

    module = "xgboost"

    def patch(self, autolog: Autolog) -> list[Patch]:
        import xgboost
        import xgboost.sklearn
        import xgboost.training

        places = (xgboost, xgboost.training, xgboost.sklearn)
        return [Patch(place, "train", logged) for place in places if hasattr(place, "train")]

    def save(self, booster: Any, folder: Path) -> Mapping[str, Mapping[str, Any]]:
        import xgboost

        booster.save_model(str(folder / "model.ubj"))
        flavor = {
            "data": "model.ubj",
            "model_class": "xgboost.core.Booster",
            "model_format": "ubj",
            "xgb_version": xgboost.__version__,
        }
        return {"xgboost": flavor, "python_function": python_function("xgboost", "model.ubj")}

    def importances(self, booster: Any) -> tuple[Sequence[str], Sequence[float]]:
        gains = booster.get_score(importance_type="gain")
        names = list(booster.feature_names or [f"f{index}" for index in range(booster.num_features())])
        return names, [float(gains.get(name, 0.0)) for name in names]


library = XgBoost()


def logged(before: Callable[..., Any]) -> Callable[..., Any]:
    def train(*arguments: Any, **named: Any) -> Any:
        with training(before, arguments, named, about="xgboost") as call:
            if call is None:
                return before(*arguments, **named)
            call.fit.quietly(tell_params, call, "num_boost_round")
            callbacks = [*(call.given.get("callbacks") or ()), each_iteration(call.fit)]
            booster = before(**{**call.given, "callbacks": callbacks})
            if (best := booster.attributes().get("best_iteration")) is not None:
                call.fit.quietly(call.fit.metrics, {"best_iteration": float(best)})
            call.fit.quietly(tell_model, call, booster, library)
            return booster

    return train


def each_iteration(fit: Fit) -> Any:
    """A callback that logs what XGBoost evaluated, as `validation_0_logloss` and the like."""
    from xgboost.callback import TrainingCallback

    class Telling(TrainingCallback):
        def after_iteration(self, model: Any, epoch: int, evals_log: Any) -> bool:
            found = {
                f"{data}_{metric}": last_of(values)
                for data, measured in evals_log.items()
                for metric, values in measured.items()
            }
            fit.quietly(fit.metrics, found, epoch)
            return False

    return Telling()


def last_of(values: Any) -> float:
    """The newest value; of a cross-validation its mean."""
    newest = values[-1]
    return float(newest[0] if isinstance(newest, tuple) else newest)
