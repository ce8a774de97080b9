"""One pass over an endpoint's inference log: what each window holds. One segment is in memory at a time.

Histograms of parts add up to that of the whole, so a window's counts are gathered segment by segment; of labelled
rows only the label, the score and the block stay.
"""

from __future__ import annotations

import math
from array import array
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from taxiway.endpoints.inferences.log import read_lines, segments, walk, wherever
from taxiway.endpoints.inferences.record import schema, to_table
from taxiway.monitors.contract import ColumnReference
from taxiway.monitors.cutting import NUMERIC
from taxiway.monitors.statistics import NotNumbers, histogram
from taxiway.monitors.terms import Cluster, WindowSize

Label = Any  # as it was sent: 0, 1, true, a name
LabelsOf = Callable[[str, str], Mapping[tuple[str, int], Label]]
"""The labels of the predictions whose ids lie between two ids, both counted, by prediction id and row."""

SLICE: Final = 5_000  # rows whose inputs are Python objects at a time
KEYS: Final = ("prediction_id", "row", "event_at", "status")
NON_FINITE: Final = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}
EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
Moments = NDArray[np.datetime64]


def floats() -> array[float]:
    return array("d")


def integers() -> array[int]:
    return array("q")


@dataclass
class Seen:
    """How much a window holds: enough to tell whether it holds anything new, as log and labels only grow."""

    rows: int = 0
    failed: int = 0
    labelled: int = 0


@dataclass
class Tally(Seen):
    """What a window holds, gathered. `odd` counts values that a column of numbers cannot hold."""

    counts: dict[str, NDArray[np.int64]] = field(default_factory=dict)
    odd: dict[str, int] = field(default_factory=dict)
    score_counts: NDArray[np.int64] | None = None
    labels: array[float] = field(default_factory=floats)  # NaN for a label that is neither 0 nor 1
    scores: array[float] = field(default_factory=floats)  # NaN where the answer has none
    hits: array[float] = field(default_factory=floats)
    blocks: array[int] = field(default_factory=integers)
    models: dict[str, None] = field(default_factory=dict)
    sample: str = ""


@dataclass(frozen=True)
class Plan:
    """What to gather: the columns as the reference cuts them, and how time is divided."""

    size: WindowSize
    cluster: Cluster
    features: list[ColumnReference]
    score: ColumnReference | None


def survey(home: Path, endpoint: str, size: WindowSize, labels_of: LabelsOf) -> dict[datetime, Seen]:
    """How much each window holds, by its beginning. Reads no inputs and no outputs of sealed segments."""
    found: dict[datetime, Seen] = {}
    for table in read_segments(home, endpoint, KEYS):
        starts = window_starts(moments(table), size)
        labels = labels_of(*id_range(table))
        keys = zip(table["prediction_id"].to_pylist(), table["row"].to_pylist(), strict=True)
        is_answered, is_failed = (pc.equal(table["status"], each).to_numpy() for each in ("answered", "failed"))
        has_label = np.fromiter((key in labels for key in keys), dtype=bool, count=len(table)) & is_answered
        for start in np.unique(starts):
            is_here = starts == start
            seen = found.setdefault(to_datetime(start), Seen())
            seen.rows += int((is_here & is_answered).sum())
            seen.failed += int((is_here & is_failed).sum())
            seen.labelled += int((is_here & has_label).sum())
    return found


def tally(
    home: Path, endpoint: str, plan: Plan, labels_of: LabelsOf, wanted: Collection[datetime]
) -> dict[datetime, Tally]:
    """What each of the wanted windows holds, by its beginning."""
    found: dict[datetime, Tally] = {}
    names = ("inputs", "outputs", "model")
    for table in read_segments(home, endpoint, (*KEYS, *names)):
        starts = window_starts(moments(table), plan.size)
        labels: Mapping[tuple[str, int], Label] | None = None
        for start in np.unique(starts):
            if (at := to_datetime(start)) not in wanted:
                continue
            labels = labels_of(*id_range(table)) if labels is None else labels
            mine = table.filter(pa.array(starts == start))
            answered = mine.filter(pc.equal(mine["status"], "answered"))
            into = found.setdefault(at, Tally())
            into.failed += pc.sum(pc.equal(mine["status"], "failed")).as_py() or 0
            for first in range(0, len(answered), SLICE):
                add_rows(into, answered.slice(first, SLICE), plan, labels)
    pa.default_memory_pool().release_unused()  # else a server keeps the largest segment's room for good
    return found


def add_rows(into: Tally, table: pa.Table, plan: Plan, labels: Mapping[tuple[str, int], Label]) -> None:
    """Adds some answered rows of one window."""
    ids, rows = table["prediction_id"].to_pylist(), table["row"].to_pylist()
    into.rows += len(ids)
    into.sample = into.sample or f"{ids[0]}/{rows[0]}"
    into.models.update(dict.fromkeys(pc.unique(table["model"]).to_pylist()))
    inputs = [msgspec.json.decode(text) for text in table["inputs"].to_pylist()]
    for column in plan.features:
        add_column(into, column, [row.get(column.name) for row in inputs])
    outputs = [msgspec.json.decode(text) if text else {} for text in table["outputs"].to_pylist()]
    if plan.score is not None:
        counts = histogram([as_number(row.get("score")) for row in outputs], plan.score.bins)
        into.score_counts = counts if into.score_counts is None else into.score_counts + counts
    blocks = block_numbers(moments(table), plan.cluster)
    for key, block, row in zip(zip(ids, rows, strict=True), blocks, outputs, strict=True):
        if key in labels:
            into.labelled += 1
            into.labels.append(as_binary(labels[key]))
            into.scores.append(as_number(row.get("score")))
            into.hits.append(float(is_same(labels[key], row.get("prediction"))))
            into.blocks.append(block)


def add_column(into: Tally, column: ColumnReference, values: list[Any]) -> None:
    """Adds some values of a feature; values that its bins cannot take are counted as odd, the others as usual."""
    if column.type in NUMERIC:
        values = [NON_FINITE.get(value, value) if isinstance(value, str) else value for value in values]
        values = [int(value) if isinstance(value, bool) else value for value in values]
    try:
        counts = histogram(values, column.bins)
    except NotNumbers:
        fitting = [value for value in values if value is None or isinstance(value, int | float)]
        into.odd[column.name] = into.odd.get(column.name, 0) + len(values) - len(fitting)
        counts = histogram(fitting, column.bins)
    into.counts[column.name] = into.counts[column.name] + counts if column.name in into.counts else counts


# --- the log ---


def read_segments(home: Path, endpoint: str, columns: tuple[str, ...]) -> Iterator[pa.Table]:
    """The named columns of each segment that has rows. Those of shadows answered nobody, and are left out."""
    names = [*columns, "shadow"]

    def load(path: Path) -> pa.Table:
        if path.suffix == ".parquet":
            return pq.read_table(path, schema=schema(), columns=names)
        return to_table(read_lines(path)[0]).select(names)

    for table in walk(home, endpoint, load):
        is_seen = pc.invert(pc.fill_null(table["shadow"], fill_value=False))
        seen = table.filter(is_seen).select(list(columns))
        if len(seen):
            yield seen


def log_size(home: Path, endpoint: str) -> int:
    """The bytes of an endpoint's log as it stands: it changes with every record."""
    return sum(wherever(segment, lambda path: path.stat().st_size, 0) for segment in segments(home, endpoint))


def id_range(table: pa.Table) -> tuple[str, str]:
    found = pc.min_max(table["prediction_id"]).as_py()
    return found["min"], found["max"]


# --- time ---


def moments(table: pa.Table) -> Moments:
    return np.asarray(table["event_at"].cast(pa.int64()).to_numpy()).astype("datetime64[us]")


def window_starts(at: Moments, size: WindowSize) -> Moments:
    """The beginning of each moment's window, as `windows.start_of` says it."""
    if size == "month":
        return at.astype("datetime64[M]").astype("datetime64[us]")
    days = at.astype("datetime64[D]").astype(np.int64)
    if size == "week":
        days = (days + 3) // 7 * 7 - 3  # 1970 began on a Thursday
    return days.astype("datetime64[D]").astype("datetime64[us]")


def block_numbers(at: Moments, cluster: Cluster) -> list[int]:
    """The number of the hour, day or week that each moment lies in."""
    if cluster == "hour":
        return list(at.astype("datetime64[h]").astype(np.int64).tolist())
    days = at.astype("datetime64[D]").astype(np.int64)
    return list(((days + 3) // 7 if cluster == "week" else days).tolist())


def to_datetime(start: np.datetime64) -> datetime:
    return EPOCH + timedelta(microseconds=int(start.astype("datetime64[us]").astype(np.int64)))


# --- values ---


def as_number(value: object) -> float:
    """A score as a float; NaN where it is none."""
    if isinstance(value, str):
        return NON_FINITE.get(value, math.nan)
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else math.nan


def as_binary(label: object) -> float:
    """A label as 0 or 1; NaN where it is neither."""
    return float(label) if isinstance(label, bool | int | float) and label in (0, 1) else math.nan


def is_same(label: object, prediction: object) -> bool:
    """Whether a prediction came true; 1, 1.0 and true are the same answer."""
    if isinstance(label, bool | int | float) and isinstance(prediction, bool | int | float):
        return float(label) == float(prediction)
    return label is not None and str(label) == str(prediction)
