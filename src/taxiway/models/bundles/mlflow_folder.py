"""A folder as MLflow writes models, read for what its bundle must say. Only `MLmodel` is read, and only as data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from msgspec import Struct

from taxiway.kernel.errors import TaxiwayError
from taxiway.models.bundles.bundle import BundleFile, Manifest, NativeModel
from taxiway.models.bundles.mlmodel import MLMODEL, read_columns
from taxiway.models.predicting.signature import Signature
from taxiway.storage.yaml_text import read_tree

LARGEST_MLMODEL_BYTES = 1 << 20
MOST_EXAMPLE_BYTES = 1 << 20
PYFUNC = "python_function"
FILES = {"sklearn": "pickled_model", "lightgbm": "data"}  # the key that names the model's own file
BOOSTER = ".lgb"  # LightGBM's own format, which is text
ASK_FOR_SIGNATURE = "log it again with `input_example=` (or `signature=`) and register that"


class Unreadable(TaxiwayError):
    """An MLmodel file that says nothing we can go by."""

    status = 422
    problem: str

    def __str__(self) -> str:
        return f"{self.problem}. Log the model again with MLflow's `log_model` and register that."


class Example(Struct, frozen=True):
    artifact_path: str = ""
    type: str = ""
    pandas_orient: str = ""


class Schemas(Struct, frozen=True):
    inputs: str | None = None
    outputs: str | None = None


class MLmodel(Struct, frozen=True):
    """What we read of an `MLmodel` file; there is more in it."""

    flavors: dict[str, dict[str, Any]] = {}
    signature: Schemas | None = None
    saved_input_example_info: Example | None = None


class Read(Struct, frozen=True):
    """The draft of a bundle, its files listed. unfit: why it could not answer; empty where it can."""

    manifest: Manifest
    unfit: str


def read_folder(files: Sequence[BundleFile], mlmodel: bytes, *, name: str, run: str | None) -> Read:
    """The manifest of a folder that MLflow wrote. Raises Unreadable.

    files: all of the folder, `MLmodel` among them. mlmodel: the bytes of that one.
    """
    found = read_mlmodel(mlmodel)
    listed = {file.path: file for file in files}
    flavour = main_flavour(found.flavors)
    signature, unfit = signature_of(found.signature)
    manifest = Manifest(
        name=name,
        flavour=f"mlflow.{flavour}",
        signature=signature,
        native=native_file(flavour, found.flavors.get(flavour, {}), listed),
        example=example_path(found.saved_input_example_info, listed),
        run=run,
        files=tuple(sorted(files, key=lambda file: file.path)),
        format=1,
    )
    return Read(manifest, unfit)


def read_mlmodel(data: bytes) -> MLmodel:
    """Raises Unreadable for what is no plain YAML, or names no flavour."""
    if len(data) > LARGEST_MLMODEL_BYTES:
        raise Unreadable(problem=f"Its {MLMODEL} is larger than any model's")
    try:
        found = msgspec.convert(read_tree(data.decode(), MLMODEL).value, MLmodel)
    except (UnicodeDecodeError, msgspec.ValidationError) as e:
        raise Unreadable(problem=f"Its {MLMODEL} cannot be read ({e})") from e
    except TaxiwayError as e:
        raise Unreadable(problem=f"Its {MLMODEL} cannot be read: {str(e).rstrip('.')}") from e
    if not found.flavors:
        raise Unreadable(problem=f"Its {MLMODEL} names no flavour")
    return found


def main_flavour(flavors: Mapping[str, Any]) -> str:
    """The library that the model is of: the first one beside MLflow's own function, which wraps any."""
    own = [name for name in flavors if name != PYFUNC]
    return own[0] if own else "pyfunc"


def native_file(flavour: str, said: Mapping[str, Any], listed: Mapping[str, BundleFile]) -> NativeModel:
    """What the model's library reads. Where we do not read it ourselves, it is all of the folder, by its MLmodel."""
    file = said.get(FILES.get(flavour, ""))
    if not isinstance(file, str) or file not in listed:
        return NativeModel(file=MLMODEL, serialization="mlflow")
    if file.endswith(BOOSTER):
        return NativeModel(file=file, serialization="lightgbm")
    types = said.get("skops_trusted_types") or []
    trusted = tuple(str(each) for each in types) if isinstance(types, list) else ()
    serialization = "skops" if file.endswith(".skops") else str(said.get("serialization_format", "pickle"))
    return NativeModel(
        file=file, serialization=serialization, trusted_types=trusted if serialization == "skops" else ()
    )


def signature_of(schemas: Schemas | None) -> tuple[Signature, str]:
    """The columns, and why they do not do; a model without them cannot be asked row by row."""
    empty = Signature(inputs=(), outputs=())
    if schemas is None or not schemas.inputs:
        return empty, f"its {MLMODEL} has no signature, so nobody knows what a row is: {ASK_FOR_SIGNATURE}."
    inputs, problem = read_columns(schemas.inputs, unnamed="x")
    if problem:
        return empty, f"its signature {problem}, which a row of fields cannot hold: {ASK_FOR_SIGNATURE}."
    outputs, _ = read_columns(schemas.outputs or "[]", unnamed="prediction")
    return Signature(inputs=inputs, outputs=outputs[:1]), ""


def example_path(example: Example | None, listed: Mapping[str, BundleFile]) -> str | None:
    """The example's file, if it holds rows with named columns and is small enough to be answered at every start."""
    if example is None or example.type != "dataframe" or example.pandas_orient != "split":
        return None
    file = listed.get(example.artifact_path)
    return example.artifact_path if file is not None and file.size_bytes <= MOST_EXAMPLE_BYTES else None
