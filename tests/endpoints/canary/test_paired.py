"""The paired difference, held against plain formulas written another way."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import optimize, stats

from taxiway.endpoints.canary.laws.paired import paired, reaches

DAYS = st.lists(st.tuples(st.floats(-50, 50), st.integers(1, 500)), min_size=4, max_size=40)


def test_the_error_of_equal_unrelated_days_is_that_of_their_mean() -> None:
    means = np.array([0.4, -0.3, 0.5, -0.2, 0.1, -0.4, 0.3, -0.1])

    found = paired(means * 50, np.full(8, 50))

    assert found.kinship == 0
    assert found.difference == pytest.approx(means.mean())
    assert found.error == pytest.approx(stats.sem(means))
    assert found.effective == pytest.approx(8)
    assert found.lean == pytest.approx(stats.skew(means, bias=False) / np.sqrt(8))


def test_the_error_of_unequal_days_is_that_of_a_regression_on_nothing_with_clustered_errors() -> None:
    random = np.random.default_rng(3)
    days = np.repeat(np.arange(9), random.integers(5, 60, 9))
    d = random.normal(0.1, 1, days.size) + random.permutation([-1, 1, -1, 1, -1, 1, -1, 1, 0])[days]
    sums, rows = np.bincount(days, d), np.bincount(days)

    found = paired(sums, rows)

    scores = np.bincount(days, d - d.mean())
    sandwich = np.sqrt(9 / 8 * (scores**2).sum()) / days.size
    kinship = float(found.kinship)
    assert found.difference == pytest.approx(d.mean())
    assert found.error == pytest.approx(sandwich * np.sqrt((1 + kinship) / (1 - kinship)))


def test_days_like_the_day_before_count_for_fewer() -> None:
    random = np.random.default_rng(5)
    walk = np.zeros(400)
    for at in range(1, 400):
        walk[at] = 0.6 * walk[at - 1] + random.normal()

    found = paired(walk, np.ones(400))

    assert found.kinship == pytest.approx(0.6, abs=0.1)
    assert found.effective == pytest.approx(400 * (1 - 0.6) / (1 + 0.6), rel=0.3)


@given(DAYS, st.floats(0.1, 100))
def test_another_unit_changes_the_numbers_and_nothing_else(days: list[tuple[float, int]], unit: float) -> None:
    sums, rows = np.array([each[0] for each in days]), np.array([each[1] for each in days])
    one, other = paired(sums, rows), paired(sums * unit, rows)

    assert other.difference == pytest.approx(one.difference * unit, rel=1e-6, abs=1e-9)
    assert other.error == pytest.approx(one.error * unit, rel=1e-6, abs=1e-9)


@pytest.mark.parametrize("lean", [-0.6, -0.2, 0.1, 0.5])
def test_a_lean_is_answered_by_the_inverse_of_halls_transformation(lean: float) -> None:
    def hall(t: float) -> float:
        return t + lean * t**2 / 3 + lean**2 * t**3 / 27 + lean / 6

    down, up = reaches(2.2, lean)

    assert down == pytest.approx(max(2.2, optimize.brentq(lambda t: hall(t) - 2.2, -50, 50)))
    assert up == pytest.approx(max(2.2, -optimize.brentq(lambda t: hall(t) + 2.2, -50, 50)))
