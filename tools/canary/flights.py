"""The flights out of New York in 2013: a good and a bad retrained model, each a canary beside the model before it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from msgspec import Struct
from numpy.typing import NDArray

from taxiway.demo import flights
from taxiway.endpoints.canary.contract import Totals, Verdict
from taxiway.endpoints.canary.laws.verdict import Ask, judge_all
from taxiway.gates.laws.statistics import log_loss_rows

if TYPE_CHECKING:
    from sklearn.pipeline import Pipeline

Floats = NDArray[np.float64]
MONTHS = tuple(range(1, 11))
FROM = 200  # rows after which the naive test begins to look
NAIVE_Z = 4.0
KEPT_ROWS = 400


class Compared(Struct, frozen=True):
    """Two models over the same flights, in order of departure. late: what came true; differences: of log losses."""

    name: str
    days: list[str]
    differences: list[float]
    champion: list[float]

    def totals(self) -> list[Totals]:
        table = pd.DataFrame({"day": self.days, "d": self.differences, "c": self.champion})
        return [day_of(str(day), rows) for day, rows in table.groupby("day", sort=True)]


class Recorded(Struct, frozen=True):
    """What is kept of a comparison: its days, and the differences of the first rows."""

    name: str
    totals: list[Totals]
    first: list[float]


def day_of(day: str, rows: pd.DataFrame) -> Totals:
    champion, candidate = float(rows["c"].sum()), float((rows["c"] + rows["d"]).sum())
    return Totals(day, len(rows), float(rows["d"].sum()), champion, candidate)


def compared() -> list[Compared]:
    """January and February's model beside that of January to June, in July and August; that beside July's alone."""
    table = flights.read_flights(MONTHS)
    month = table["day"].str[5:7].astype(int)
    first, half, narrow = (trained(table[month.isin(months)]) for months in ((1, 2), range(1, 7), (7,)))
    summer, autumn = table[month.isin((7, 8))], table[month.isin((9, 10))]
    august = table[month.isin((8, 9))]
    return [
        compare("good: January to June beside January and February, from 1 July", summer, first, half),
        compare("bad: July alone beside January to June, from 1 August", august, half, narrow),
        compare("bad: July alone beside January to June, from 1 September", autumn, half, narrow),
    ]


def trained(rows: pd.DataFrame) -> Pipeline:
    return flights.train(flights.features(rows), rows["late"].to_numpy())


def compare(name: str, rows: pd.DataFrame, champion: Pipeline, candidate: Pipeline) -> Compared:
    ordered = rows.sort_values("scheduled_at", kind="stable")
    losses = [
        log_loss_rows(ordered["late"].to_numpy(), flights.answers(ordered, model)["score"].to_numpy())
        for model in (champion, candidate)
    ]
    return Compared(name, ordered["day"].tolist(), (losses[1] - losses[0]).tolist(), losses[0].tolist())


def record(found: Compared) -> Recorded:
    """The short form, which tests read instead of training models."""
    return Recorded(found.name, found.totals(), found.differences[:KEPT_ROWS])


def naive(differences: Sequence[float]) -> tuple[int, float]:
    """The row at which a test of unrelated rows that always looks stops, and its z; 0 where it never does."""
    d = np.asarray(differences)
    n = np.arange(1, d.size + 1)
    mean = np.cumsum(d) / n
    deviation = np.sqrt(np.maximum((np.cumsum(d * d) - n * mean * mean) / np.maximum(n - 1, 1), 1e-12))
    z = mean / (deviation / np.sqrt(n))
    stops = np.flatnonzero((np.abs(z) > NAIVE_Z) & (n >= FROM))
    return (int(n[stops[0]]), float(z[stops[0]])) if stops.size else (0, 0.0)


def ours(totals: Sequence[Totals], ask: Ask) -> Sequence[Verdict]:
    """Every look, up to the one that decides."""
    return judge_all(ask, totals)
