"""Whether the twin in a bundle may answer: looked at by whoever serves it, since whoever logged it made it.

Rows alone cannot tell: a twin may be another model on rows that nobody draws. So its file is written anew from the
model that the library read, and must be the same, byte for byte. Nothing of any other is given to ONNX Runtime.
"""

from __future__ import annotations

import io
import secrets
from typing import NamedTuple

import numpy as np

from taxiway.models.bundles.bundle import Bundle, read_verified
from taxiway.models.predicting.matrices import Matrix
from taxiway.models.predicting.predictor import Predictor
from taxiway.models.twins.comparing import TOLERANCE, asking, compare, kept, same_file
from taxiway.models.twins.forms import Form, Formed, check_size, shape_of
from taxiway.models.twins.predictor import TwinPredictor, runtime_version
from taxiway.models.twins.probing import LARGE, probes
from taxiway.models.twins.record import ANSWERS, FILE, KEPT, ROWS, NoTwin, Twin

DRAWN = 128  # and as many on the edges
HEAD = 1024  # of a file of numbers, besides its numbers


class Proof(NamedTuple):
    """A twin that may answer, and what was found of it here: over how many rows, and the largest difference."""

    predictor: TwinPredictor
    rows: int
    difference: float

    def __str__(self) -> str:
        equal = "equal to the last bit" if not self.difference else f"within {self.difference:.2g}"
        return f"its file is the model's own, byte for byte, and {equal} on {self.rows:,} rows drawn here"


def opened(bundle: Bundle, native: Predictor) -> TwinPredictor:
    """As `proved`, the twin alone."""
    return proved(bundle, native).predictor


def proved(bundle: Bundle, native: Predictor) -> Proof:
    """The twin of a verified bundle, once it was found to be that of the model, which its library has read.

    Raises NoTwin with why it may not answer here.
    """
    twin = bundle.manifest.twin
    if twin is None or twin.runs != "twin":
        raise NoTwin("its bundle holds none" if twin is None else twin.why)
    if not runtime_version():
        raise NoTwin("ONNX Runtime is not installed where it is served")
    form, data = written_anew(bundle, twin, native)
    rows, expected = (numbers(bundle, path) for path in (ROWS, ANSWERS))
    try:
        predictor = TwinPredictor(bundle.manifest, twin, data)
        found = kept(predictor.predict_matrix(rows), twin.labels)
        drawn = drawn_anew(bundle, rows, form)
        said = predictor.predict_matrix(drawn)
    except Exception as e:  # a plug-in's call, and rows that somebody sent: the library still answers
        raise NoTwin(f"{runtime_version()} does not run it here ({type(e).__name__}: {str(e)[:200]})") from e
    check_kept(found, expected, twin)
    try:
        at_home = asking(native, form.words)(drawn)
    except Exception as e:  # a plug-in's call: what refuses some rows is not asked by a twin
        raise NoTwin(f"the model refuses rows that its signature allows ({type(e).__name__}: {str(e)[:100]})") from e
    return Proof(predictor, len(drawn), compare(at_home, said))


def written_anew(bundle: Bundle, twin: Twin, native: Predictor) -> tuple[Form, bytes]:
    """The form of a model and its twin's bytes. Raises NoTwin where those in the bundle, or its record, are others."""
    if not isinstance(native, Formed):
        raise NoTwin(f"models of flavour {bundle.manifest.flavour} have none, whatever their bundle holds")
    form = native.form()
    check_size(form)
    data = same_file(form, bundle.manifest)
    sizes = {file.path: file.size_bytes for file in bundle.manifest.files}
    if sizes.get(FILE) != len(data) or read_verified(bundle, FILE) != data:
        raise NoTwin("its file is not the one that Taxiway writes of the model")
    if not twin.reads_as(shape_of(form, twin.runtime)):
        raise NoTwin("what its bundle says of it is not what the model says")
    return form, data


def drawn_anew(bundle: Bundle, rows: Matrix, form: Form) -> Matrix:
    """Rows that nobody knew when the model was logged, within the ranges of those that are kept and not huge."""
    calm = rows[~(np.abs(rows) > LARGE / 2).any(axis=1)]
    inputs = bundle.manifest.signature.inputs
    example = calm if len(calm) else np.zeros((1, form.width))
    return probes(inputs, example, form, seed=secrets.randbits(64), drawn_rows=DRAWN)


def numbers(bundle: Bundle, path: str) -> Matrix:
    """Numbers that lie beside a twin. Raises NoTwin for what is none, or more than is ever kept."""
    twin, sizes = bundle.manifest.twin, {file.path: file.size_bytes for file in bundle.manifest.files}
    most = HEAD + 8 * KEPT * max(2, twin.width if twin else 0)
    if not 0 < sizes.get(path, 0) <= most:
        raise NoTwin(f"{path} is not what is kept with a twin")
    try:
        found = np.load(io.BytesIO(read_verified(bundle, path)), allow_pickle=False)
        if found.ndim == 2 and found.dtype == np.float64 and len(found):
            return np.ascontiguousarray(found)
    except (ValueError, TypeError, AttributeError, EOFError):  # no file of numbers at all, or of objects
        pass
    raise NoTwin(f"{path} is not what is kept with a twin")


def check_kept(found: Matrix, expected: Matrix, twin: Twin) -> None:
    """Raises NoTwin where kept rows are answered otherwise than where the model was logged."""
    if found.shape != expected.shape:
        raise NoTwin("the rows that are kept with it, and their answers, are not of one shape")
    apart = np.where((found == expected) | (np.isnan(found) & np.isnan(expected)), 0.0, np.abs(found - expected))
    most = TOLERANCE * np.maximum(1.0, np.abs(expected)) if twin.largest_difference else np.zeros_like(expected)
    if not (apart <= most).all():
        raise NoTwin(f"here it answers {float(apart.max()):.3g} apart from what was recorded when it was logged")
