"""Intervals against scipy, and what must hold for any data."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from taxiway.gates.laws.estimates import Estimate
from taxiway.gates.laws.intervals import (
    BadConfidence,
    ValuesMissing,
    clustered_mean,
    mean,
    normal_quantile,
    t_quantile,
    wilson,
)

CONFIDENCES = (0.5, 0.8, 0.9, 0.95, 0.99, 0.999)


def ends(estimate: Estimate) -> tuple[float, float]:
    assert estimate.low is not None
    assert estimate.high is not None
    return estimate.low, estimate.high


@pytest.mark.parametrize("confidence", CONFIDENCES)
def test_t_quantiles_are_scipys(confidence: float) -> None:
    freedoms = [*range(1, 260), 300, 500, 1_000, 10_000, 1_000_000]

    ours = [t_quantile(confidence, freedom) for freedom in freedoms]

    np.testing.assert_allclose(ours, stats.t.ppf((1 + confidence) / 2, freedoms), rtol=1e-8)


@pytest.mark.parametrize("confidence", CONFIDENCES)
def test_normal_quantiles_are_scipys(confidence: float) -> None:
    assert normal_quantile(confidence) == pytest.approx(stats.norm.ppf((1 + confidence) / 2), abs=1e-12)


@pytest.mark.parametrize("confidence", [0.0, 1.0, -0.5, 95.0, float("nan")])
def test_an_impossible_confidence_is_refused(confidence: float) -> None:
    with pytest.raises(BadConfidence, match=r"such as 0\.95"):
        normal_quantile(confidence)


@given(st.integers(1, 5_000), st.data(), st.sampled_from(CONFIDENCES))
def test_wilson_is_scipys(n: int, data: st.DataObject, confidence: float) -> None:
    successes = data.draw(st.integers(0, n))

    estimate = wilson(successes, n, confidence)

    theirs = stats.binomtest(successes, n).proportion_ci(confidence, method="wilson")
    assert estimate.value == successes / n
    assert ends(estimate) == pytest.approx((theirs.low, theirs.high), abs=1e-12)


def test_a_share_of_no_rows_is_undefined() -> None:
    assert wilson(0, 0).undefined == "There are no rows."


def test_more_successes_than_rows_are_refused() -> None:
    with pytest.raises(ValueError, match="3 successes of 2"):
        wilson(3, 2)


numbers = st.lists(st.floats(-1e6, 1e6), min_size=2, max_size=60)


@given(numbers)
def test_a_mean_has_scipys_t_interval(values: list[float]) -> None:
    estimate = mean(values)

    error = float(stats.sem(values))
    half = stats.t.ppf(0.975, len(values) - 1) * error
    assert estimate.value == pytest.approx(np.mean(values), abs=1e-6)
    assert ends(estimate) == pytest.approx((np.mean(values) - half, np.mean(values) + half), abs=1e-5)


@given(numbers)
def test_with_one_row_to_a_cluster_clustering_changes_nothing(values: list[float]) -> None:
    assert ends(clustered_mean(values, range(len(values)))) == pytest.approx(ends(mean(values)), abs=1e-5)


@given(numbers, st.integers(2, 6))
def test_copies_of_a_row_within_its_cluster_add_no_certainty(values: list[float], copies: int) -> None:
    once = clustered_mean(values, range(len(values)))
    often = clustered_mean(np.repeat(values, copies), np.repeat(np.arange(len(values)), copies))

    assert ends(often) == pytest.approx(ends(once), abs=1e-5)


def test_a_clustered_mean_is_the_sandwich_of_a_regression_on_a_constant() -> None:
    rng = np.random.default_rng(3)
    days = np.repeat(np.arange(12), rng.integers(5, 60, 12))
    values = rng.normal(size=days.size) + rng.normal(size=12)[days]
    ones = np.ones((days.size, 1))
    bread = np.linalg.inv(ones.T @ ones)
    residuals = values - values.mean()
    meat = sum(
        ones[days == day].T @ np.outer(residuals[days == day], residuals[days == day]) @ ones[days == day]
        for day in range(12)
    )
    error = float(np.sqrt(12 / 11 * (bread @ meat @ bread)[0, 0]))

    low, high = ends(clustered_mean(values, days))

    assert (high - low) / 2 == pytest.approx(stats.t.ppf(0.975, 11) * error, rel=1e-10)


def test_clustered_intervals_hold_the_truth_where_plain_ones_do_not() -> None:
    rng = np.random.default_rng(11)
    days = np.repeat(np.arange(20), 50)
    held = {"clustered": 0, "plain": 0}
    for _ in range(400):
        values = rng.normal(size=days.size) + rng.normal(size=20)[days]
        clustered, plain = ends(clustered_mean(values, days)), ends(mean(values))
        held["clustered"] += clustered[0] <= 0 <= clustered[1]
        held["plain"] += plain[0] <= 0 <= plain[1]

    assert 0.92 <= held["clustered"] / 400 <= 0.98
    assert held["plain"] / 400 < 0.5


def test_too_few_rows_or_clusters_are_undefined() -> None:
    assert mean([1.0]).value is None
    assert mean([]).undefined is not None
    assert clustered_mean([1.0, 2.0], ["monday", "monday"]).undefined is not None


def test_missing_values_are_refused_with_their_number() -> None:
    with pytest.raises(ValuesMissing, match="1 of 3"):
        mean([1.0, float("nan"), 2.0])


def test_a_label_short_is_refused() -> None:
    with pytest.raises(ValueError, match="3 rows and 2 cluster labels"):
        clustered_mean([1.0, 2.0, 3.0], ["a", "b"])
