"""Makes a twin where the model is logged: compared with it and timed against it, and left out unless it does well."""

from __future__ import annotations

import time
from pathlib import Path

import msgspec
import numpy as np

from taxiway.models.bundles.bundle import Manifest
from taxiway.models.predicting.arrays import Arrays
from taxiway.models.predicting.matrices import Matrix
from taxiway.models.predicting.predictor import Predictor
from taxiway.models.twins.comparing import MANY, Ask, asking, compare, kept, same_file
from taxiway.models.twins.forms import Form, check_size, shape_of
from taxiway.models.twins.predictor import TwinPredictor, runtime_version
from taxiway.models.twins.probing import probes
from taxiway.models.twins.record import ANSWERS, FILE, FOLDER, KEPT, ROWS, NoTwin, Speeds, Twin
from taxiway.models.twins.words import to_matrix

TIMED_S = 0.04  # about how long each of four timings takes
LEAST_TIMES, MOST_TIMES = 5, 200


class Given(msgspec.Struct, frozen=True):
    """What a twin is made beside: the manifest's draft, the training's rows by column, the bundle's folder."""

    manifest: Manifest
    example: dict[str, list[object]]
    folder: Path


def with_twin(native: Predictor, form: Form | NoTwin, given: Given) -> Manifest:
    """The manifest's draft with what became of a twin, whose files are in the folder where it is to answer."""
    try:
        if isinstance(form, NoTwin):
            raise form
        twin = twin_of(native, form, given)
    except NoTwin as reason:
        twin = Twin(runs="native", why=str(reason))
    return msgspec.structs.replace(given.manifest, twin=twin)


def twin_of(native: Predictor, form: Form, given: Given) -> Twin:
    """The twin's record; its files are in the folder afterwards where it is to answer. Raises NoTwin."""
    if not (runtime := runtime_version()):
        raise NoTwin("ONNX Runtime is not installed where it was logged; `pip install 'taxiway[twins]'` adds it")
    check_size(form)
    manifest = given.manifest
    if form.width != len(manifest.signature.inputs):
        raise NoTwin("the model knows another number of columns than its example")
    shape = shape_of(form, runtime)
    data = same_file(form, manifest)
    try:
        twin = TwinPredictor(manifest, shape, data)
    except Exception as e:  # a plug-in's call: another release may not read what ours wrote
        raise NoTwin(f"{runtime} does not read it ({type(e).__name__}: {str(e)[:200]})") from e
    rows = probes(manifest.signature.inputs, to_matrix(given.example, form.words), form)
    ask = asking(native, form.words)
    try:
        expected = ask(rows)
    except Exception as e:  # a plug-in's call: it may refuse what its signature allows
        raise NoTwin(f"the model refuses rows that its signature allows ({type(e).__name__}: {str(e)[:100]})") from e
    difference = compare(expected, twin.predict_matrix(rows))
    speeds = timed(ask, asking(twin, form.words), rows)
    found = msgspec.structs.replace(shape, rows=len(rows), largest_difference=difference, speeds=speeds)
    if is_slower(speeds):
        raise NoTwin(f"it is not faster: {spoken(speeds)}")
    keep(given.folder, data, rows, expected, form.labels)
    return msgspec.structs.replace(found, why=reason(found))


def timed(native: Ask, twin: Ask, rows: Matrix) -> Speeds:
    """Lower quartiles, taken in turns, so that whatever else the machine does falls on both and counts little."""
    found = []
    for block in (rows[:1], rows[:MANY]):
        took: tuple[list[float], list[float]] = ([], [])
        until = time.perf_counter() + 2 * TIMED_S
        while len(took[0]) < LEAST_TIMES or (time.perf_counter() < until and len(took[0]) < MOST_TIMES):
            for each, times in zip((native, twin), took, strict=True):
                began = time.perf_counter()
                each(block)
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


# --- the rows that go along ---


def keep(folder: Path, data: bytes, rows: Matrix, expected: Arrays, labels: tuple[object, ...] | None) -> None:
    """Writes the twin, some of the rows it was compared on, and what the model answered to them."""
    (folder / FOLDER).mkdir()
    (folder / FILE).write_bytes(data)
    chosen = np.linspace(0, len(rows) - 1, min(KEPT, len(rows))).astype(int)
    np.save(folder / ROWS, rows[chosen], allow_pickle=False)
    np.save(folder / ANSWERS, kept(expected, labels)[chosen], allow_pickle=False)
