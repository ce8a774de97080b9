"""The law of profiles: what a column looks like. Pure."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.types as pt
from numpy.typing import NDArray

from taxiway.datasets.contract import ColumnProfile, Histogram, ValueCount
from taxiway.datasets.kinds import ORDERED, column_type, plain, scalars

MOST_DISTINCT = 100_000
MOST_BINS = 20
FEW_VALUES = 20  # a number column with at most so many different values is shown by value
TOP = 10
SHARES = (0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99)
COUNTED_AT_ONCE = 1 << 20

Floats = NDArray[np.float64]


def profile_column(name: str, column: Any) -> ColumnProfile:
    """The summary of a column."""
    array = plain(column)
    kind = column_type(array.type)
    nulls = array.null_count
    present = array.drop_null()
    nans = int(pc.sum(pc.is_nan(present)).as_py() or 0) if pt.is_floating(array.type) else 0
    if nans:
        present = present.filter(pc.invert(pc.is_nan(present)))
    facts: dict[str, Any] = {"count": len(present), "nulls": nulls, "nans": nans}
    if kind not in ("list", "struct", "null"):
        facts |= distinct_facts(present)
    if len(present) and kind in ORDERED:
        facts |= extremes(present)
    if len(present) and kind in ("integer", "number", "date", "datetime"):
        facts |= number_facts(present, kind)
    is_continuous = kind in ("number", "datetime", "duration", "time") and (facts.get("distinct") or 0) > FEW_VALUES
    if len(present) and facts.get("distinct") and not is_continuous:
        facts["top"] = most_frequent(present)
    return ColumnProfile(name=name, type=kind, **facts)


def distinct_facts(present: Any) -> dict[str, Any]:
    """How many different values there are, counted until there are more than `MOST_DISTINCT`."""
    if pt.is_float32(present.type) or pt.is_float64(present.type):
        present = pc.add(present, 0.0)  # zero has one value, also where it came with a minus
    seen = present.slice(0, 0)
    for start in range(0, len(present), COUNTED_AT_ONCE):
        seen = pa.concat_arrays([seen, present.slice(start, COUNTED_AT_ONCE).unique()]).unique()
        if len(seen) > MOST_DISTINCT:
            return {"distinct": MOST_DISTINCT, "is_distinct_capped": True}
    return {"distinct": len(seen)}


def extremes(present: Any) -> dict[str, Any]:
    """The least and the greatest value."""
    kind = present.type
    if pt.is_float16(kind):
        present = present.cast(pa.float32())
    is_moment = pt.is_timestamp(kind) or pt.is_time64(kind) or pt.is_duration(kind)
    found = pc.min_max(present.view(pa.int64()) if is_moment else present)
    ends = [found["min"], found["max"]]
    typed = [end.cast(kind) for end in ends] if is_moment else ends
    least, most = (scalars(pa.array([end], end.type))[0] for end in typed)
    return {"min": least, "max": most}


def number_facts(present: Any, kind: str) -> dict[str, Any]:
    """Mean, spread, quantiles and histogram of the finite values; of moments the histogram alone."""
    is_time = kind in ("date", "datetime")
    values = seconds(present) if is_time else floats(present)
    finite = values[np.isfinite(values)]
    infinite = len(values) - len(finite)
    if not len(finite):
        return {"infinite": infinite}
    facts: dict[str, Any] = {"histogram": histogram(finite, is_time=is_time, is_whole=kind == "integer")}
    if is_time:
        return facts
    with np.errstate(over="ignore", invalid="ignore"):
        mean, sd = float(finite.mean()), float(finite.std(ddof=1)) if len(finite) > 1 else None
        quantiles = np.quantile(finite, SHARES)
    facts["mean"] = mean if np.isfinite(mean) else None
    facts["sd"] = sd if sd is not None and np.isfinite(sd) else None
    facts["quantiles"] = {str(share): float(q) for share, q in zip(SHARES, quantiles, strict=True) if np.isfinite(q)}
    return {**facts, "infinite": infinite}


def floats(present: Any) -> Floats:
    values: Floats = present.cast(pa.float64(), safe=False).to_numpy(zero_copy_only=False)
    return values


def seconds(present: Any) -> Floats:
    """Dates and moments as seconds since 1970."""
    moments = present.cast(pa.timestamp("us"), safe=False) if not pt.is_timestamp(present.type) else present
    per_second = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}[moments.type.unit]
    values: Floats = moments.view(pa.int64()).to_numpy(zero_copy_only=False) / per_second
    return values


def histogram(finite: Floats, *, is_time: bool, is_whole: bool) -> Histogram | None:
    """Bins of equal width from the least to the greatest value; whole numbers in a small range get a bin each."""
    least, most = float(finite.min()), float(finite.max())
    if is_whole and most - least < MOST_BINS:
        edges = np.arange(least, most + 2) - 0.5
    else:
        with np.errstate(over="ignore", invalid="ignore"):
            edges = np.linspace(least, most, MOST_BINS + 1)
        if not np.isfinite(edges).all() or (np.diff(edges) <= 0).any():
            return None  # one value alone, or a range past what floats can divide
    counts, _ = np.histogram(finite, edges)
    return Histogram(edges=edges.tolist(), counts=counts.tolist(), is_time=is_time)


def most_frequent(present: Any) -> list[ValueCount]:
    """The most frequent values, ties in the order of their first row."""
    counted = present.value_counts()
    counts = counted.field("counts").to_numpy()
    order = np.argsort(-counts, kind="stable")[:TOP]
    values = counted.field("values").take(pa.array(order))
    return [ValueCount(value, int(count)) for value, count in zip(scalars(values), counts[order], strict=True)]
