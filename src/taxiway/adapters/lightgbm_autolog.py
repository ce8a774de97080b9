"""What LightGBM trains, logged by itself: each iteration's metrics through a callback of its own interface."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from taxiway.adapters.boosters import python_function, tell_model, tell_params, training
from taxiway.runs.autologging.autolog import Autolog, Fit
from taxiway.runs.autologging.patching import Patch


class LightGbm:
    """Wraps `train`, as it is called directly and by the estimators."""

    module = "lightgbm"

    def patch(self, autolog: Autolog) -> list[Patch]:
        import lightgbm
        import lightgbm.engine
        import lightgbm.sklearn

        places = (lightgbm, lightgbm.engine, lightgbm.sklearn)
        return [Patch(place, "train", logged) for place in places if hasattr(place, "train")]

    def save(self, booster: Any, folder: Path) -> Mapping[str, Mapping[str, Any]]:
        import lightgbm

        booster.save_model(str(folder / "model.lgb"))
        flavor = {
            "data": "model.lgb",
            "lgb_version": lightgbm.__version__,
            "model_class": "lightgbm.basic.Booster",
        }
        return {"lightgbm": flavor, "python_function": python_function("lightgbm", "model.lgb")}

    def importances(self, booster: Any) -> tuple[Sequence[str], Sequence[float]]:
        return list(booster.feature_name()), list(booster.feature_importance(importance_type="gain"))


library = LightGbm()


def logged(before: Callable[..., Any]) -> Callable[..., Any]:
    def train(*arguments: Any, **named: Any) -> Any:
        with training(before, arguments, named, about="lightgbm") as call:
            if call is None:
                return before(*arguments, **named)
            call.fit.quietly(tell_params, call, "num_boost_round")
            callbacks = [*(call.given.get("callbacks") or ()), each_iteration(call.fit)]
            booster = before(**{**call.given, "callbacks": callbacks})
            if booster.best_iteration > 0:
                call.fit.quietly(call.fit.metrics, {"best_iteration": booster.best_iteration})
            call.fit.quietly(tell_model, call, booster, library)
            return booster

    return train


def each_iteration(fit: Fit) -> Callable[[Any], None]:
    """A callback that logs what LightGBM evaluated, as `valid_0_auc` and the like."""

    def tell(environment: Any) -> None:
        found = {f"{one[0]}_{one[1]}": float(one[2]) for one in environment.evaluation_result_list or ()}
        fit.quietly(fit.metrics, found, environment.iteration)

    tell.order = 25  # type: ignore[attr-defined] # after the evaluation is recorded, before early stopping ends it
    return tell
