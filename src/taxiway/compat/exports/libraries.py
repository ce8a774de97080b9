"""Which libraries an image needs beside our wheel: those that the bundle's own files name."""

from __future__ import annotations

import sys
from importlib.metadata import packages_distributions

from taxiway.models.bundles.bundle import LOCK, Bundle
from taxiway.models.predicting.flavours import PYTHON

PICKLES = frozenset(["pickle", "cloudpickle", "mlflow", "joblib"])
TABLES = "pandas"  # what the adapters give a model that was trained on named columns
OF_FLAVOUR = {"mlflow.lightgbm": ("lightgbm",), "mlflow.xgboost": ("xgboost", "mlflow"), "mlflow.pyfunc": ("mlflow",)}
COME_ALONG = frozenset(["numpy", "scipy", "sklearn", "skops", "joblib", "pandas", *sys.stdlib_module_names])
OPENMP = "libgomp1"
NEED_OPENMP = ("lightgbm", "xgboost")  # on slim images


def beside(bundle: Bundle) -> tuple[str, ...]:
    """What pip installs beside the wheel.

    A skops file names the types that it holds, and so their modules. What a pickle or a service imports nobody knows
    before it is read, so that they get all that was there when the model was made.
    """
    manifest, pins = bundle.manifest, tuple(pinned(bundle))
    if pins and (manifest.flavour == PYTHON or manifest.native.serialization in PICKLES):
        return pins
    needed = {TABLES, *OF_FLAVOUR.get(manifest.flavour, ())}
    modules = {name.partition(".")[0] for name in manifest.native.trusted_types} - COME_ALONG
    needed.update(distribution(module, pins) for module in modules)
    if any(file.path.endswith(".onnx") for file in manifest.files):
        needed.add("onnxruntime")
    return tuple(sorted(needed))


def system_libraries(names: tuple[str, ...]) -> tuple[str, ...]:
    """What slim images lack of the system's own libraries for those."""
    return (OPENMP,) if any(name.startswith(NEED_OPENMP) for name in names) else ()


def distribution(module: str, pins: tuple[str, ...]) -> str:
    """The name under which a module is installed: as the lock has it, else as it is here, else its own."""
    known = [module, *packages_distributions().get(module, [])]
    return next((name for name in known if name in pins), known[-1])


def pinned(bundle: Bundle) -> dict[str, str]:
    """The versions in the model's lock, by name; none where it has no lock."""
    lock = bundle.folder / LOCK
    if not lock.is_file():
        return {}
    lines = [line.strip().split(" ")[0] for line in lock.read_text(encoding="utf-8").splitlines()]
    kept = [line for line in lines if "==" in line and not line.startswith(("#", "-", "taxiway="))]
    return dict(line.split("==", 1) for line in kept)
