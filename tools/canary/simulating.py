"""Canaries run to their end many times over: how many are rolled back, promoted, and when."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from taxiway.endpoints.canary.laws.looking import looks, reach
from taxiway.endpoints.canary.laws.paired import freedom, reaches
from taxiway.gates.laws.intervals import t_quantile
from tools.canary.worlds import DAY, Days, DividedDays

Whole = NDArray[np.int64]
FIRST = 14
ALPHA = 0.05
NAIVE_ROWS = 200  # after so many the naive test begins to look
NAIVE_Z = 1.96


class Ends(NamedTuple):
    """At which number of clusters each canary was rolled back, or promoted; 0 where that did not happen."""

    rolled_back: Whole
    promoted: Whole


def run(days: Days | DividedDays, *, margin: float, first: int = FIRST, alpha: float = ALPHA) -> Ends:
    """Our rule, as `verdict.decide` has it, over all canaries at once."""
    sets, clusters = days.rows.shape if isinstance(days, Days) else days.rows[0].shape
    ends = Ends(np.zeros(sets, dtype=np.int64), np.zeros(sets, dtype=np.int64))
    is_on = np.ones(sets, dtype=bool)
    for at in looks(first, clusters):
        found = days.until(at)
        degrees = np.array([freedom(each) for each in found.effective])
        usual = {each: reach(at, int(each), first=first, alpha=alpha) for each in np.unique(degrees)}
        down, up = reaches(np.array([usual[each] for each in degrees]), found.lean)
        is_within = found.difference + up * found.error <= margin
        is_worse = found.difference - down * found.error > 0
        ends.promoted[is_on & is_within] = at
        ends.rolled_back[is_on & is_worse & ~is_within] = at
        is_on &= ~(is_within | is_worse)
    return ends


def rolled_back_by_rows(days: Days) -> float:
    """How many a test rolls back that takes rows for unrelated, and looks after every cluster: z above 1.96."""
    n, s, q = (np.cumsum(each, axis=1) for each in (days.rows, days.sums, days.squares))
    z = s / np.sqrt(np.maximum(q - s**2 / n, 1e-12))
    return float(np.mean(np.any((z > NAIVE_Z) & (n >= NAIVE_ROWS), axis=1)))


def rolled_back_by_peeking(days: Days, *, first: int = FIRST, alpha: float = ALPHA) -> float:
    """How many are rolled back by the usual interval of clusters, taken for valid at each look."""
    sets, clusters = days.sums.shape
    is_worse = np.zeros(sets, dtype=bool)
    for at in range(first, clusters + 1):
        s, n = days.sums[:, :at], days.rows[:, :at]
        mean = s.sum(axis=1) / n.sum(axis=1)
        error = np.sqrt(at / (at - 1) * ((s - mean[:, None] * n) ** 2).sum(axis=1)) / n.sum(axis=1)
        is_worse |= mean - t_quantile(1 - alpha, at - 1) * error > 0
    return float(is_worse.mean())


def share(found: Whole, within: int = 0) -> float:
    """How many came to that end, within so many clusters."""
    return float(np.mean((found > 0) & (found <= (within or found.max(initial=1)))))


def uncertainty(of: float, sets: int) -> float:
    """Half of a 95 % interval around a share that was counted."""
    return 1.96 * math.sqrt(max(of * (1 - of), 1e-9) / sets)


def margin_of(deviations: float) -> float:
    """A margin in the unit of the worlds, from deviations of a day's mean."""
    return deviations * DAY
