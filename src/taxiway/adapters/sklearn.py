"""scikit-learn models: saved in skops' format where it can, and loaded at one place, after the check.

A skops file rebuilds the types it names and runs nothing else, so it is read anywhere once those types are
known to us. A pickle runs code while it is read: it is a last resort, marked as such in the manifest, and
loaded only where the caller says that code may run, which is a worker that holds an approved digest.
"""

from __future__ import annotations

import importlib.metadata
import pickle
import platform
from collections.abc import Collection, Iterable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from taxiway.adapters.sklearn_predictor import SklearnPredictor, classes_of
from taxiway.adapters.sklearn_trees import TREE, check_trees
from taxiway.adapters.sklearn_twin import add_twin
from taxiway.kernel.errors import TaxiwayError
from taxiway.models.bundles.bundle import Bundle, Manifest, NativeModel, read_verified, verify_bundle
from taxiway.models.bundles.mlmodel import EXAMPLE, MLMODEL, example_file, mlmodel_file, read_example
from taxiway.models.predicting.infer import example_columns, infer_signature, labels_column
from taxiway.models.predicting.predictor import Prediction
from taxiway.models.predicting.signature import Column

FLAVOUR = "sklearn"
EXAMPLE_ROWS = 5

# What skops asks about and we answer for. None runs code of its own when it is rebuilt; of a partial,
# skops asks about the function in it as well.
KNOWN_TYPES = frozenset(
    {
        "collections.OrderedDict",
        "functools.partial",
        "lightgbm.basic.Booster",  # its state is the text of a model, which the library parses
        "lightgbm.sklearn.LGBMClassifier",
        "lightgbm.sklearn.LGBMRegressor",
        "numpy.dtype",
        "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor",
        TREE,  # plain numbers, which `check_trees` looks at before they are followed
        "sklearn.utils.validation.check_array",
        "taxiway.adapters.fairlearn.GroupThresholds",
        "taxiway.adapters.fairlearn.WeightedMix",
    }
)


class CodeInModel(TaxiwayError):
    """A model file that may run code of its own while it is read, where that is not allowed."""

    status = 422
    file: str
    reason: str

    def __str__(self) -> str:
        return (
            f"{self.file} is not read here: {self.reason}. Only a worker that holds an approved digest reads "
            f"it; a model saved in skops' format, of types that Taxiway knows, is read anywhere."
        )


class ModelUnreadable(TaxiwayError):
    """A model file that its own library cannot read."""

    status = 422
    file: str
    cause: str

    def __str__(self) -> str:
        return f"{self.file} cannot be read: {self.cause}. Compare what is installed with requirements.lock."


class ModelNotSaved(TaxiwayError):
    """A model that does not fit what it came with: its example, its threshold, or any file format."""

    status = 400
    model: str
    reason: str

    def __str__(self) -> str:
        return f"This {self.model} was not saved: {self.reason}."


def save(
    model: Any,
    folder: Path,
    example: Any,
    *,
    name: str,
    threshold: float | None = None,
    nullable: Collection[str] = (),
) -> Manifest:
    """Writes a fitted estimator into an empty folder and returns the draft of its manifest.

    The draft lacks what the adapter cannot know (run, datasets, risk tier): fill that in with
    `msgspec.structs.replace`, then seal the folder with `write_bundle`.

    example: the rows the model was trained on, better all than a few, as they were given to `fit`: the
    signature learns from them which columns have gaps. The first five are stored as the input example.
    threshold: the probability from which the second of two labels is predicted; 0.5 unless given.
    nullable: further columns that may have gaps in use, for a model that copes with them.
    Raises ModelNotSaved when example, threshold and model do not fit together, NoSignature when the example
    is no table.
    """
    kind = type(model).__name__
    classes = classes_of(model)
    is_binary = classes is not None and len(classes) == 2 and hasattr(model, "predict_proba")
    if threshold is not None and not is_binary:
        raise ModelNotSaved(model=kind, reason="a threshold cuts the probability of two labels, which it does not have")
    signature = infer_signature(example, _outputs(model), nullable=nullable)
    _check_columns(model, kind, [column.name for column in signature.inputs])
    rows = example_columns(example, rows=EXAMPLE_ROWS)

    native, data = _serialized(model, kind)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / native.file).write_bytes(data)
    (folder / EXAMPLE).write_bytes(example_file(rows))
    (folder / MLMODEL).write_bytes(mlmodel_file(signature, _mlflow_flavors(native)))
    draft = Manifest(
        name=name,
        flavour=FLAVOUR,
        signature=signature,
        native=native,
        example=EXAMPLE,
        threshold=(threshold if threshold is not None else 0.5) if is_binary else None,
    )
    return add_twin(model, draft, example, folder)


def load(folder: Path, digest: str | None = None, *, may_run_code: bool = False) -> SklearnPredictor:
    """The model of a bundle, ready to answer.

    Every file is checked first, and the bytes of the model once more as they are read.
    digest: the approved one. may_run_code: whether to read what may run code: a pickle, or a skops file
    with types we do not know. It takes a digest as well: code of nobody's approval is never run.
    Raises BundleTampered or NotABundle by the check, CodeInModel, and ModelUnreadable.
    """
    bundle = verify_bundle(folder, digest)
    model = read_model(bundle, has_digest=digest is not None, may_run_code=may_run_code)
    return SklearnPredictor(model, bundle.manifest)


def read_model(bundle: Bundle, *, has_digest: bool, may_run_code: bool) -> Any:
    """The estimator in a bundle that was verified: the one place where a scikit-learn model file is read.

    has_digest: whether it was verified against an approved digest. Raises CodeInModel, ModelUnreadable, BundleTampered.
    """
    native = bundle.manifest.native
    if reason := _reason_to_refuse(native, has_digest=has_digest, may_run_code=may_run_code):
        raise CodeInModel(file=native.file, reason=reason)
    data = read_verified(bundle, native.file)
    try:
        return _deserialized(native, data)
    except Exception as e:  # a plug-in call: another library reads a file
        raise ModelUnreadable(file=native.file, cause=f"{type(e).__name__}: {e}") from e


def example_rows(bundle: Bundle) -> list[dict[str, Any]]:
    """The rows of the bundle's input example, as a request would carry them."""
    return read_example(read_verified(bundle, bundle.manifest.example or EXAMPLE))


def example_answers(bundle: Bundle, predictor: SklearnPredictor) -> list[Prediction]:
    """What the model answers to its own example: the same wherever the bundle is loaded."""
    return predictor.predict(example_rows(bundle))


def _outputs(model: Any) -> list[Column]:
    classes = classes_of(model)
    if classes is None:
        return [Column(name="prediction", type="number")]
    label = labels_column("prediction", classes)
    return [label, Column(name="score", type="number")] if hasattr(model, "predict_proba") else [label]


def _check_columns(model: Any, kind: str, columns: Iterable[str]) -> None:
    trained = getattr(model, "feature_names_in_", None)
    if trained is not None and list(trained) != list(columns):
        reason = f"it was trained on the columns {', '.join(trained)}; the example has {', '.join(columns)}"
        raise ModelNotSaved(model=kind, reason=reason)


def _serialized(model: Any, kind: str) -> tuple[NativeModel, bytes]:
    """The model as a skops file, or where skops cannot, as a pickle."""
    import skops.io

    try:
        data = skops.io.dumps(model)
        asked = tuple(sorted(skops.io.get_untrusted_types(data=data)))
        skops.io.loads(data, trusted=list(asked))
    except Exception:  # noqa: BLE001 - a plug-in call: skops fails in many ways on what it does not support
        return _pickled(model, kind)
    return NativeModel(file="model.skops", serialization="skops", trusted_types=asked), data


def _pickled(model: Any, kind: str) -> tuple[NativeModel, bytes]:
    # cloudpickle also takes along what a notebook defined; a plain pickle needs it importable in the worker.
    is_cloud = find_spec("cloudpickle") is not None
    try:
        if is_cloud:
            import cloudpickle  # type: ignore[import-untyped]

            data = cloudpickle.dumps(model)
        else:
            data = pickle.dumps(model)
    except Exception as e:  # a plug-in call: any object may refuse in its own way
        raise ModelNotSaved(model=kind, reason=f"neither skops nor pickle can write it ({e})") from e
    return NativeModel(file="model.pkl", serialization="cloudpickle" if is_cloud else "pickle"), data


def _reason_to_refuse(native: NativeModel, *, has_digest: bool, may_run_code: bool) -> str | None:
    if native.serialization == "skops" and KNOWN_TYPES.issuperset(native.trusted_types):
        return None
    if may_run_code and has_digest:
        return None
    if native.serialization == "skops":
        unknown = sorted(set(native.trusted_types) - KNOWN_TYPES)
        return f"it holds types that Taxiway does not know ({', '.join(unknown)})"
    return "it is a pickle, which can run any code while it is read"


def _deserialized(native: NativeModel, data: bytes) -> Any:
    if native.serialization == "skops":
        import skops.io

        model = skops.io.loads(data, trusted=list(native.trusted_types))
        if TREE in native.trusted_types:
            check_trees(model)
        return model
    return pickle.loads(data)  # noqa: S301 - only after `_reason_to_refuse` and the digest


def _mlflow_flavors(native: NativeModel) -> dict[str, dict[str, Any]]:
    """How MLflow reads the same file. Its `predict` cuts at one half: it knows no threshold."""
    return {
        "python_function": {
            "loader_module": "mlflow.sklearn",
            "model_path": native.file,
            "predict_fn": "predict",
            "python_version": platform.python_version(),
        },
        "sklearn": {
            "code": None,
            "pickled_model": native.file,
            "serialization_format": native.serialization,
            "sklearn_version": importlib.metadata.version("scikit-learn"),
            "skops_trusted_types": list(native.trusted_types),
        },
    }
