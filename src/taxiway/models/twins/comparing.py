"""Two forms of a model side by side: how both are asked the same rows, and what may lie between their answers."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import msgspec
import numpy as np

from taxiway.models.bundles.bundle import Manifest
from taxiway.models.predicting.arrays import Arrays, predict_arrays
from taxiway.models.predicting.matrices import Matrix, MatrixPredictor
from taxiway.models.predicting.predictor import Predictor
from taxiway.models.twins.forms import Form, graph_of
from taxiway.models.twins.onnx import to_file
from taxiway.models.twins.record import NoTwin
from taxiway.models.twins.words import Words, to_columns

TOLERANCE = 1e-12  # of a score, or of a number in shares of itself where it is larger than one
MANY = 64
Ask: TypeAlias = Callable[[Matrix], Arrays]


def asking(predictor: Predictor, words: Words) -> Ask:
    """How a predictor is asked rows of numbers, words being their places: as a worker would ask it."""
    if isinstance(predictor, MatrixPredictor) and predictor.takes_matrix:
        return predictor.predict_matrix
    inputs = predictor.signature.inputs
    return lambda rows: predict_arrays(predictor, to_columns(rows, inputs, words))


def same_file(form: Form, manifest: Manifest) -> bytes:
    """The bytes that a twin of this form has."""
    return to_file(graph_of(form), told=told(form, manifest))


def told(form: Form, manifest: Manifest) -> dict[str, str]:
    """What the file says of itself to whoever reads it elsewhere."""
    names = ", ".join(column.name for column in manifest.signature.inputs)
    said = {"inputs": names, "scores": f"sums by the link {form.answers.link}"}
    if form.words:
        said["words"] = msgspec.json.encode(form.words).decode()  # each is its place in these, any other -1
    if form.labels is not None:
        said["labels"] = msgspec.json.encode(form.labels).decode()
    if manifest.threshold is not None:
        said["threshold"] = f"{manifest.threshold!r}: from this score of the second label on the answer is the second"
    return said


def compare(native: Arrays, twin: Arrays) -> float:
    """The largest difference between two numbers that stand for the same. Raises NoTwin for what cannot pass."""
    ours, theirs = (answers.get("score", answers["prediction"]).astype(np.float64) for answers in (twin, native))
    is_same = (ours == theirs) | (np.isnan(ours) & np.isnan(theirs))
    with np.errstate(invalid="ignore"):
        apart = np.where(is_same, 0.0, np.abs(ours - theirs))
    largest = float(apart.max(initial=0.0))
    if not (apart <= TOLERANCE * np.maximum(1.0, np.abs(theirs))).all():
        raise NoTwin(f"its answers differ by up to {largest:.3g} from the model's, over {len(ours):,} rows")
    if "score" in native and (flips := int((native["prediction"] != twin["prediction"]).sum())):
        raise NoTwin(f"it decides {flips} of {len(ours):,} rows otherwise than the model")
    return largest


def kept(answers: Arrays, labels: tuple[object, ...] | None) -> Matrix:
    """Answers as numbers: the score and the place of the label, or the number that was predicted."""
    if labels is None:
        return answers["prediction"].astype(np.float64).reshape(-1, 1)
    places = {label: at for at, label in enumerate(labels)}
    decided = [float(places[label]) for label in answers["prediction"].tolist()]
    return np.column_stack([answers["score"].astype(np.float64), decided])
