"""Whether a twin answers as its model does, and faster: compared and timed when the model is logged."""

from __future__ import annotations

import time
from pathlib import Path

import msgspec
import numpy as np

from taxiway.models.bundles.bundle import Bundle, Manifest, read_verified
from taxiway.models.predicting.arrays import Arrays
from taxiway.models.predicting.matrices import Matrix, MatrixPredictor
from taxiway.models.twins.onnx import to_file
from taxiway.models.twins.predictor import TwinPredictor, runtime_version
from taxiway.models.twins.probing import probes
from taxiway.models.twins.record import ANSWERS, FILE, FOLDER, ROWS, NoTwin, Speeds, Twin
from taxiway.models.twins.trees import MOST_NODES, Ensemble, graph_of

TOLERANCE = 1e-12  # of a score, or of a number in shares of itself where it is larger than one
KEPT = 64  # rows whose answers go along, so that whoever serves the twin can look again
MANY = 64
TIMED_S = 0.04  # about how long each of four timings takes
LEAST_TIMES, MOST_TIMES = 5, 200


def twin_of(
    native: MatrixPredictor, ensemble: Ensemble, labels: tuple[bool | int | float | str, ...] | None, *, given: Given
) -> Twin:
    """The twin's record; its files are in the folder afterwards where it is to answer. Raises NoTwin."""
    if not (runtime := runtime_version()):
        raise NoTwin("ONNX Runtime is not installed where it was logged; `pip install 'taxiway[twins]'` adds it")
    if (size := sum(len(tree.feature) for tree in ensemble.trees)) > MOST_NODES:
        raise NoTwin(f"its trees have {size:,} nodes, and a twin may have {MOST_NODES:,}")
    shape = Twin(
        runs="twin",
        why="",
        runtime=runtime,
        link=ensemble.link,
        divisor=ensemble.divisor,
        narrow=ensemble.narrow,
        width=ensemble.width,
        labels=labels,
    )
    manifest = given.manifest
    data = to_file(graph_of(ensemble), name=manifest.name, told=told(manifest, shape))
    try:
        twin = TwinPredictor(manifest, shape, data)
    except Exception as e:  # a plug-in's call: another release may not read what ours wrote
        raise NoTwin(f"{runtime} does not read it ({type(e).__name__}: {str(e)[:200]})") from e
    rows = probes(manifest.signature.inputs, given.example, ensemble)
    try:
        expected = native.predict_matrix(rows)
    except Exception as e:  # a plug-in's call: it may refuse what its signature allows
        raise NoTwin(f"the model refuses rows that its signature allows ({type(e).__name__}: {str(e)[:100]})") from e
    difference = compare(expected, twin.predict_matrix(rows))
    speeds = timed(native, twin, rows)
    found = msgspec.structs.replace(shape, rows=len(rows), largest_difference=difference, speeds=speeds)
    if is_slower(speeds):
        raise NoTwin(f"it is not faster: {spoken(speeds)}")
    keep(given.folder, data, rows, expected, labels)
    return msgspec.structs.replace(found, why=reason(found))


class Given(msgspec.Struct, frozen=True):
    """What a twin is made beside: the manifest's draft, the rows of the training as numbers, the bundle's folder."""

    manifest: Manifest
    example: Matrix
    folder: Path


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


def timed(native: MatrixPredictor, twin: MatrixPredictor, rows: Matrix) -> Speeds:
    """Lower quartiles, taken in turns, so that whatever else the machine does falls on both and counts little."""
    found = []
    for block in (rows[:1], rows[:MANY]):
        took: tuple[list[float], list[float]] = ([], [])
        until = time.perf_counter() + 2 * TIMED_S
        while len(took[0]) < LEAST_TIMES or (time.perf_counter() < until and len(took[0]) < MOST_TIMES):
            for each, times in zip((native, twin), took, strict=True):
                began = time.perf_counter()
                each.predict_matrix(block)
                times.append(time.perf_counter() - began)
        found += [round(sorted(times)[len(times) // 4] * 1e6, 1) for times in took]
    return Speeds(*found)


def is_slower(speeds: Speeds) -> bool:
    """Whether it is slower for one row, or for many."""
    return speeds.twin_one >= speeds.native_one or speeds.twin_many >= speeds.native_many


def spoken(speeds: Speeds) -> str:
    return (
        f"one row took {speeds.twin_one:,.0f} µs, {speeds.native_one:,.0f} by the library; "
        f"{MANY} rows {speeds.twin_many:,.0f} µs, {speeds.native_many:,.0f} by the library"
    )


def reason(twin: Twin) -> str:
    """Why the twin runs."""
    assert twin.speeds is not None, "it was timed"
    times = twin.speeds.native_one / max(twin.speeds.twin_one, 0.1)
    equal = (
        f"equal to the last bit on {twin.rows:,} rows"
        if twin.largest_difference == 0
        else f"within {twin.largest_difference:.2g} on {twin.rows:,} rows, every decision the same"
    )
    return f"{equal}, and {times:,.0f} times as fast for one row ({spoken(twin.speeds)})"


def told(manifest: Manifest, twin: Twin) -> dict[str, str]:
    """What the file says of itself to whoever reads it elsewhere."""
    names = ", ".join(column.name for column in manifest.signature.inputs)
    said = {"inputs": names, "scores": f"the sum of the trees by the link {twin.link}"}
    if twin.labels is not None:
        said["labels"] = msgspec.json.encode(twin.labels).decode()
    if manifest.threshold is not None:
        said["threshold"] = f"{manifest.threshold!r}: from this score of the second label on the answer is the second"
    return said


# --- the rows that go along ---


def keep(folder: Path, data: bytes, rows: Matrix, expected: Arrays, labels: tuple[object, ...] | None) -> None:
    """Writes the twin, some of the rows it was compared on, and what the model answered to them."""
    (folder / FOLDER).mkdir()
    (folder / FILE).write_bytes(data)
    chosen = np.linspace(0, len(rows) - 1, min(KEPT, len(rows))).astype(int)
    np.save(folder / ROWS, rows[chosen], allow_pickle=False)
    np.save(folder / ANSWERS, kept(expected, labels)[chosen], allow_pickle=False)


def kept(answers: Arrays, labels: tuple[object, ...] | None) -> Matrix:
    """Answers as numbers: the score and the place of the label, or the number that was predicted."""
    if labels is None:
        return answers["prediction"].astype(np.float64).reshape(-1, 1)
    places = {label: at for at, label in enumerate(labels)}
    decided = [float(places[label]) for label in answers["prediction"].tolist()]
    return np.column_stack([answers["score"].astype(np.float64), decided])


def opened(bundle: Bundle) -> TwinPredictor:
    """The twin of a verified bundle, once it gave the kept rows the answers that it was recorded with.

    Raises NoTwin with why it may not answer here.
    """
    import io

    twin = bundle.manifest.twin
    if twin is None or twin.runs != "twin":
        raise NoTwin("its bundle holds none" if twin is None else twin.why)
    data, *arrays = (read_verified(bundle, path) for path in (FILE, ROWS, ANSWERS))
    if not runtime_version():
        raise NoTwin("ONNX Runtime is not installed where it is served")
    rows, expected = (np.load(io.BytesIO(each), allow_pickle=False) for each in arrays)
    try:
        predictor = TwinPredictor(bundle.manifest, twin, data)
        found = kept(predictor.predict_matrix(rows), twin.labels)
    except Exception as e:  # a plug-in's call: the library still answers
        raise NoTwin(f"{runtime_version()} does not run it here ({type(e).__name__}: {str(e)[:200]})") from e
    apart = np.abs(found - expected)
    if not (apart <= twin.largest_difference).all():
        raise NoTwin(f"here it answers {float(apart.max()):.3g} apart from what was recorded when it was logged")
    return predictor
