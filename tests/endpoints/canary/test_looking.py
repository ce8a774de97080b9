"""The bounds of many looks, held against published ones and against another way of computing them."""

from __future__ import annotations

import math
from statistics import NormalDist

import numpy as np
import pytest
from scipy import stats

from taxiway.endpoints.canary.laws.looking import level, levels, looks, reach, spent

NORMAL = NormalDist()
FIFTHS = (0.2, 0.4, 0.6, 0.8, 1.0)


def bounds(total: tuple[float, ...]) -> list[float]:
    return [-NORMAL.inv_cdf(each) for each in levels((1, 2, 3, 4, 5), total)]


def test_spending_little_at_first_gives_the_published_bounds() -> None:
    half = NORMAL.inv_cdf(1 - 0.025 / 2)
    total = tuple(2 - 2 * NORMAL.cdf(half / math.sqrt(part)) for part in FIFTHS)

    # Jennison and Turnbull (2000), and gsDesign: O'Brien and Fleming's kind of spending, one-sided 0.025.
    assert bounds(total) == pytest.approx([4.877, 3.357, 2.680, 2.290, 2.031], abs=1e-3)


def test_spending_evenly_gives_the_published_bounds() -> None:
    total = tuple(0.025 * math.log(1 + (math.e - 1) * part) for part in FIFTHS)

    assert bounds(total) == pytest.approx([2.438, 2.427, 2.411, 2.397, 2.386], abs=1e-3)


def test_all_looks_together_cross_as_often_as_was_spent() -> None:
    at = looks(14, 18)
    total = tuple(spent(k, first=14, alpha=0.05) for k in at)
    upper = np.array(
        [-NORMAL.inv_cdf(each) * math.sqrt(k) for k, each in zip(at, levels(tuple(at), total), strict=True)]
    )
    covariance = np.minimum.outer(at, at)

    walks = stats.multivariate_normal(np.zeros(len(at)), covariance, maxpts=200_000, abseps=1e-6)

    assert 1 - walks.cdf(upper) == pytest.approx(total[-1], abs=1e-4)


def test_the_first_look_is_students_t_at_what_it_may_spend() -> None:
    assert reach(14, 13, first=14, alpha=0.05) == pytest.approx(stats.t.ppf(1 - 0.0125, 13), rel=1e-6)


def test_no_number_of_looks_spends_all() -> None:
    gone = [spent(k, first=14, alpha=0.05) for k in looks(14, 100_000)]

    assert gone == sorted(gone)
    assert gone[-1] < 0.05


def test_few_degrees_of_freedom_reach_farther() -> None:
    assert reach(20, 4, first=14, alpha=0.05) > reach(20, 19, first=14, alpha=0.05) > 2.24


def test_what_is_no_look_has_no_level() -> None:
    with pytest.raises(ValueError, match="13 clusters are no look"):
        level(13, first=14, alpha=0.05)
