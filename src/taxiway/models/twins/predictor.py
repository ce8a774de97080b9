"""Answers of a twin: ONNX Runtime adds up the trees, and what libraries do with the sum is done here, bit for bit."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from taxiway.models.bundles.bundle import Manifest
from taxiway.models.predicting.arrays import Arrays, Block, check_block
from taxiway.models.predicting.matrices import Matrix
from taxiway.models.predicting.predictor import ColumnsIn, Prediction, Rows
from taxiway.models.predicting.signature import Signature, check_columns, check_rows
from taxiway.models.twins.record import Link, Twin

LARGEST_NARROW = float(np.finfo(np.float32).max)


class TwinPredictor:
    """A twin behind the ports `Predictor` and `MatrixPredictor`, deciding by the manifest's threshold."""

    takes_matrix = True

    def __init__(self, manifest: Manifest, twin: Twin, data: bytes) -> None:
        """Raises what ONNX Runtime raises, ImportError where it is not installed included."""
        self.signature: Signature = manifest.signature
        self.threshold = manifest.threshold
        self._run = session(data)
        self._link: Callable[[Matrix], Matrix] = LINKS[twin.link]
        self._divisor = float(twin.divisor) if twin.link == "mean" else 1.0
        self._narrow = twin.narrow
        self._labels = None if twin.labels is None else np.array(twin.labels)

    def predict(self, data: Rows | ColumnsIn) -> list[Prediction]:
        """One answer per row, in order. Raises InputMismatch for the first row and field that do not fit."""
        inputs = self.signature.inputs
        columns = check_columns(inputs, data) if isinstance(data, Mapping) else check_rows(inputs, data)
        if not next(iter(columns.values()), None):
            return []
        return as_predictions(self.predict_matrix(np.array(list(columns.values()), dtype=np.float64).T))

    def predict_arrays(self, columns: Block) -> Arrays:
        """As `predict`, for a block of columns."""
        checked = check_block(self.signature.inputs, columns)
        return self.predict_matrix(np.array(list(checked.values()), dtype=np.float64).T)

    def predict_matrix(self, matrix: Matrix) -> Arrays:
        """As `predict_arrays`, for numbers that were checked. Each row is added up on its own, so company is nothing.

        Raises ValueError for a number that the model's library would refuse as too large for 32 bits.
        """
        if self._narrow and (np.abs(matrix) > LARGEST_NARROW).any():
            raise ValueError("Input X contains infinity or a value too large for dtype('float32').")
        found = self._link(self._run(np.ascontiguousarray(matrix)))
        if self._divisor != 1.0:
            found = found / self._divisor
        if self._labels is None:
            return {"prediction": found[:, 0]}
        if self.threshold is not None:
            scores = found[:, 0]
            return {"prediction": self._labels[(scores >= self.threshold).astype(int)], "score": scores}
        return {"prediction": self._labels[found.argmax(axis=1)], "score": found.max(axis=1)}


def session(data: bytes) -> Callable[[Matrix], Matrix]:
    """What adds up the trees of a file for each row, with one thread: several would add in another order."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 4
    run = onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"]).run
    only_these = onnxruntime.RunOptions()
    only_these.only_execute_path_to_fetches = True

    def sums(matrix: Matrix) -> Matrix:
        found: Matrix = run(["sums"], {"rows": matrix}, only_these)[0]
        return found

    return sums


def runtime_version() -> str:
    """The installed release of ONNX Runtime; empty where there is none."""
    from importlib.metadata import PackageNotFoundError, version

    try:
        return f"onnxruntime {version('onnxruntime')}"
    except PackageNotFoundError:
        return ""


def as_predictions(answers: Arrays) -> list[Prediction]:
    """Arrays as one object per row."""
    labels = answers["prediction"].tolist()
    if "score" not in answers:
        return [{"prediction": label} for label in labels]
    pairs = zip(labels, answers["score"].tolist(), strict=True)
    return [{"prediction": label, "score": score} for label, score in pairs]


# --- what becomes of a sum. The exponential is C's, one number at a time: NumPy's own rounds differently ---


def exponential(value: float) -> float:
    try:
        return math.exp(value)
    except OverflowError:
        return math.inf


def logistic(sums: Matrix) -> Matrix:
    """The probability of the second of two labels."""
    exp = exponential
    return np.array([1.0 / (1.0 + exp(-each)) for each in sums[:, 0].tolist()]).reshape(-1, 1)


def exp(sums: Matrix) -> Matrix:
    return np.array([exponential(each) for each in sums[:, 0].tolist()]).reshape(-1, 1)


def softmax(sums: Matrix) -> Matrix:
    found = []
    for row in sums.tolist():
        most = max(row)
        powers = [math.exp(each - most) for each in row]
        total = 0.0
        for each in powers:  # `sum` keeps what is lost in rounding, and C does not
            total += each
        found.append([each / total for each in powers])
    return np.array(found)


def softmax_numpy(sums: Matrix) -> Matrix:
    powers = np.exp(sums - sums.max(axis=1, keepdims=True))
    found: Matrix = powers / powers.sum(axis=1, keepdims=True)
    return found


def same(sums: Matrix) -> Matrix:
    return sums


LINKS: dict[Link, Any] = {
    "identity": same,
    "mean": same,
    "logistic": logistic,
    "exp": exp,
    "exp-numpy": np.exp,
    "softmax": softmax,
    "softmax-numpy": softmax_numpy,
}
