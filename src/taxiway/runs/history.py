"""Whole series, as arrays."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, select

from taxiway.runs.tables import keys, points


@dataclass(frozen=True)
class History:
    """A metric's points by step, then time, then value (NaN last): three arrays of one length.

    at: microseconds since 1970.
    """

    steps: NDArray[np.int64]
    at: NDArray[np.int64]
    values: NDArray[np.float64]

    def distinct(self) -> History:
        """Without points that repeat the one before in every field."""
        if not self.steps.size:
            return self
        same = (np.diff(self.steps) == 0) & (np.diff(self.at) == 0)
        before, after = self.values[:-1], self.values[1:]
        same &= (before == after) | (np.isnan(before) & np.isnan(after))
        kept = np.concatenate(([True], ~same))
        return History(self.steps[kept], self.at[kept], self.values[kept])


def history_of(connection: Connection, *, run: int, key: str) -> History:
    query = (
        select(points.c.step, points.c.at, points.c.value)
        .join(keys, keys.c.number == points.c.key)
        .where(points.c.run == run, keys.c.name == key)
    )
    statement = str(query.compile(dialect=connection.dialect, compile_kwargs={"literal_binds": True}))
    rows = connection.exec_driver_sql(statement.replace("%", "%%")).all()
    if not rows:
        return History(np.array([], np.int64), np.array([], np.int64), np.array([], np.float64))
    steps, at, values = zip(*rows, strict=True)
    found = (np.array(steps, np.int64), np.array(at, np.int64), np.array(values, np.float64))
    order = np.lexsort((found[2], found[1], found[0]))
    return History(*(column[order] for column in found))
