"""What LightGBM and XGBoost have in common when their training is logged: where a fit belongs, and its model's file."""

from __future__ import annotations

import inspect
import platform
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

from msgspec import Struct

from taxiway.adapters.importances import draw_importances
from taxiway.models.bundles.mlmodel import MLMODEL, mlmodel_file
from taxiway.models.predicting.signature import Column, Signature
from taxiway.runs.autologging.autolog import Fit, current


class Training(Struct):
    """A call of a library's `train`: its arguments by name, the fit that it is or belongs to."""

    given: dict[str, Any]
    fit: Fit
    is_part: bool


class Booster(Protocol):
    """How a trained booster is looked at."""

    def save(self, booster: Any, folder: Path) -> Mapping[str, Mapping[str, Any]]:
        """Writes the model in its native format, and says how MLflow reads it."""
        ...

    def importances(self, booster: Any) -> tuple[Sequence[str], Sequence[float]]:
        """The names of its features, and how much each one gained."""
        ...


@contextmanager
def training(
    before: Callable[..., Any], arguments: tuple[Any, ...], named: dict[str, Any], *, about: str
) -> Iterator[Training | None]:
    """A call of `train` that is to be logged: on its own, or as the inside of an estimator's fit.

    None where it is part of something else, such as one fold of a search, or autolog is off.
    """
    autolog = current()
    if autolog is None:
        yield None
        return
    given = inspect.signature(before).bind(*arguments, **named).arguments
    outer = autolog.enclosing()
    if outer is not None:
        is_inside = type(outer.subject).__module__.partition(".")[0] == about
        yield Training(given, outer, is_part=True) if is_inside else None
        return
    with autolog.fit(about) as fit:
        yield Training(given, fit, is_part=False) if fit is not None else None


def tell_params(call: Training, rounds: str) -> None:
    """The parameters of a training of its own; those of an estimator are told already."""
    if call.is_part:
        return
    params = {name: value for name, value in dict(call.given.get("params") or {}).items() if not callable(value)}
    call.fit.params(params)
    if rounds in call.given:
        call.fit.params({rounds: call.given[rounds]})


def tell_model(call: Training, booster: Any, how: Booster) -> None:
    """Importances and model of a training of its own."""
    if call.is_part:
        return
    names, gains = how.importances(booster)
    if call.fit.options.figures and len(gains):
        call.fit.figure("importances", draw_importances(names, gains, title="Gain of the features"))
    if not call.fit.options.models:
        return
    with tempfile.TemporaryDirectory(prefix="taxiway-") as place:
        folder = Path(place)
        flavors = how.save(booster, folder)
        inputs = tuple(Column(name=name, type="number", nullable=True) for name in names)
        signature = Signature(inputs=inputs, outputs=(Column(name="prediction", type="number"),))
        (folder / MLMODEL).write_bytes(mlmodel_file(signature, flavors))
        call.fit.folder(folder, "model")


def python_function(library: str, data: str) -> dict[str, Any]:
    """How MLflow's generic reader finds the model."""
    return {"loader_module": f"mlflow.{library}", "data": data, "python_version": platform.python_version()}
