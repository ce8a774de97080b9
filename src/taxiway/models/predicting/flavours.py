"""The technologies that models can be of: each an entry point of `taxiway.flavours`, imported when it is needed."""

from __future__ import annotations

from collections.abc import Collection
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Any, Protocol, cast

from taxiway.kernel.errors import TaxiwayError
from taxiway.models.bundles.bundle import Manifest
from taxiway.models.predicting.predictor import Predictor

GROUP = "taxiway.flavours"
PYTHON = "python"  # a plain class with `load` and `predict`


class Flavour(Protocol):
    """The module that an entry point lies in: how models of one technology are written and read."""

    def save(
        self,
        model: Any,
        folder: Path,
        example: Any,
        *,
        name: str,
        threshold: float | None = None,
        nullable: Collection[str] = (),
    ) -> Manifest:
        """Writes a model into an empty folder and gives the draft of its manifest."""
        ...

    def load(self, folder: Path, digest: str | None = None, *, may_run_code: bool = False) -> Predictor:
        """The model of a bundle, after a check of every byte against the digest."""
        ...


class FlavourMissing(TaxiwayError):
    """Nothing installed here writes or reads this kind of model."""

    status = 422
    what: str
    installed: list[str]

    def __str__(self) -> str:
        known = ", ".join(self.installed) or "none"
        return (
            f"Nothing here handles {self.what}; installed flavours: {known}. `pip install 'taxiway[sklearn]'` adds one."
        )


def flavour(name: str) -> Flavour:
    """The flavour of that name. Raises FlavourMissing where it, or the library it stands on, is not installed."""
    entry = installed().get(name) or installed().get(family(name))
    if entry is None:
        raise FlavourMissing(what=f"models of flavour {name!r}", installed=sorted(installed()))
    try:
        return cast("Flavour", import_module(entry.module))
    except ModuleNotFoundError as e:
        raise FlavourMissing(what=f"models of flavour {name!r} without {e.name}", installed=[]) from e


def flavour_of(model: Any) -> str:
    """The flavour of a model object: the installed one whose library a class of the model comes from,
    or `python` for a plain class with `load` and `predict`.

    Raises FlavourMissing.
    """
    libraries = {cls.__module__.partition(".")[0] for cls in type(model).__mro__}
    for name in installed():
        if name in libraries:
            return name
    kind = f"{type(model).__module__}.{type(model).__qualname__}"
    if PYTHON in installed() and all(callable(getattr(type(model), name, None)) for name in ("load", "predict")):
        return PYTHON
    raise FlavourMissing(what=f"a {kind}", installed=sorted(installed()))


def settle(*predictors: Predictor) -> None:
    """Tells models that this process is there to answer by them: what they import stays in place."""
    for predictor in predictors:
        stay = getattr(predictor, "settle", None)
        if stay is not None:
            stay()


def family(flavour: str) -> str:
    """The flavour that reads all of a kind, such as `mlflow` for `mlflow.sklearn`."""
    return flavour.partition(".")[0]


def installed() -> dict[str, EntryPoint]:
    return {entry.name: entry for entry in entry_points(group=GROUP)}
