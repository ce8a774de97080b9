"""Answers of a twin: ONNX Runtime adds up, and what libraries do with the sum is done here, bit for bit."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from taxiway.models.bundles.bundle import Manifest
from taxiway.models.predicting.arrays import Arrays, Block, check_block
from taxiway.models.predicting.matrices import Matrix
from taxiway.models.predicting.predictor import ColumnsIn, Prediction, Rows
from taxiway.models.predicting.signature import Signature, check_columns, check_rows
from taxiway.models.twins.links import LINKS
from taxiway.models.twins.record import Twin
from taxiway.models.twins.words import to_matrix

LARGEST_NARROW = float(np.finfo(np.float32).max)


class TwinPredictor:
    """A twin behind the ports `Predictor` and `MatrixPredictor`, deciding by the manifest's threshold."""

    def __init__(self, manifest: Manifest, twin: Twin, data: bytes) -> None:
        """Raises what ONNX Runtime raises, ImportError where it is not installed included."""
        self.signature: Signature = manifest.signature
        self.threshold = manifest.threshold
        self.takes_matrix = not twin.words
        self._words, self._refused = twin.words, twin.refused
        self._run = session(data, ["sums", "prepared"] if twin.prepared else ["sums"])
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
        return as_predictions(self.predict_matrix(to_matrix(columns, self._words, self._refused)))

    def predict_arrays(self, columns: Block) -> Arrays:
        """As `predict`, for a block of columns."""
        checked = check_block(self.signature.inputs, columns)
        return self.predict_matrix(to_matrix(checked, self._words, self._refused))

    def predict_matrix(self, matrix: Matrix) -> Arrays:
        """As `predict_arrays`, for numbers that were checked. Each row is added up on its own, so company is nothing.

        Raises ValueError for a number that the model's library would refuse as too large for 32 bits.
        """
        sums, *prepared = self._run(np.ascontiguousarray(matrix))
        if self._narrow and (np.abs(prepared[0] if prepared else matrix) > LARGEST_NARROW).any():
            raise ValueError("Input X contains infinity or a value too large for dtype('float32').")
        found = self._link(sums)
        if self._divisor != 1.0:
            found = found / self._divisor
        if self._labels is None:
            return {"prediction": found[:, 0]}
        if self.threshold is not None:
            scores = found[:, 0]
            return {"prediction": self._labels[(scores >= self.threshold).astype(int)], "score": scores}
        return {"prediction": self._labels[found.argmax(axis=1)], "score": found.max(axis=1)}


def session(data: bytes, outputs: list[str]) -> Callable[[Matrix], list[Matrix]]:
    """What adds up the trees of a file for each row, with one thread: several would add in another order."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 4
    # It would leave out steps that change little, such as a division by 0.9999999999999998.
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    run = onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"]).run
    only_these = onnxruntime.RunOptions()
    only_these.only_execute_path_to_fetches = True

    def asked(matrix: Matrix) -> list[Matrix]:
        found: list[Matrix] = run(outputs, {"rows": matrix}, only_these)
        return found

    return asked


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
