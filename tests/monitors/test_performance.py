"""Windowed performance: values against the plain metrics, intervals by simulation, and when an alert is due."""

from typing import get_args

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn import metrics

from taxiway.gates.laws.estimates import Estimate, undefined
from taxiway.gates.laws.statistics import NotBinary, NotProbabilities, RowsDiffer, roc_auc
from taxiway.monitors.performance import (
    BadBaseline,
    clustered_auc,
    difference_from_baseline,
    performance,
    state_in_words,
)
from taxiway.monitors.terms import Metric, State, WindowPerformance

METRICS: tuple[Metric, ...] = get_args(Metric)
Table = tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.int64]]


def traffic(*, seed: int, days: int = 20, rows: int = 100, mood: float = 1.0) -> Table:
    """Labels, probabilities and days; on each day all rows share a mood the model does not see."""
    rng = np.random.default_rng(seed)
    day = np.repeat(np.arange(days), rows)
    signal = rng.normal(size=day.size)
    chance = 1 / (1 + np.exp(-(signal - 1 + mood * rng.normal(size=days)[day])))
    return (rng.random(day.size) < chance).astype(np.int64), 1 / (1 + np.exp(1 - signal)), day


def window(metric: Metric, low: float, high: float, clusters: int = 30) -> WindowPerformance:
    return WindowPerformance(metric, Estimate((low + high) / 2, low, high, 1_000, 0.95, "made up"), clusters=clusters)


def test_values_are_those_of_scikit_learn() -> None:
    labels, scores, day = traffic(seed=1)
    theirs = {
        "accuracy": metrics.accuracy_score(labels, scores >= 0.5),
        "brier": metrics.brier_score_loss(labels, scores),
        "log_loss": metrics.log_loss(labels, scores),
        "roc_auc": metrics.roc_auc_score(labels, scores),
    }

    ours = {metric: performance(metric, labels, scores, day) for metric in METRICS}

    assert {metric: found.estimate.value for metric, found in ours.items()} == pytest.approx(theirs, abs=1e-12)
    assert {found.clusters for found in ours.values()} == {20}


@pytest.mark.parametrize("metric", METRICS)
def test_names_and_order_of_days_do_not_matter(metric: Metric) -> None:
    labels, scores, day = traffic(seed=2)
    order = np.random.default_rng(0).permutation(day.size)
    names = np.array([f"2013-04-{number + 1:02}" for number in day])

    one, other = (
        performance(metric, labels, scores, day),
        performance(metric, labels[order], scores[order], names[order]),
    )

    assert (one.estimate.low, one.estimate.high) == pytest.approx((other.estimate.low, other.estimate.high))


def test_with_one_row_to_a_cluster_the_auc_has_delongs_interval() -> None:
    labels, scores, _ = traffic(seed=3, days=40, rows=50, mood=0.0)

    clustered, plain = clustered_auc(labels, scores, np.arange(labels.size)), roc_auc(labels, scores)

    assert (clustered.value, clustered.low, clustered.high) == pytest.approx(
        (plain.value, plain.low, plain.high), abs=2e-4
    )


def test_a_clustered_auc_interval_is_that_of_leaving_out_days() -> None:
    labels, scores, day = traffic(seed=4, days=60)
    without = [metrics.roc_auc_score(labels[day != one], scores[day != one]) for one in range(60)]
    jackknife = np.sqrt(59 / 60 * np.sum((np.array(without) - np.mean(without)) ** 2))

    estimate = clustered_auc(labels, scores, day)

    assert estimate.value is not None
    assert estimate.low is not None
    assert estimate.high is not None
    error = (estimate.high - estimate.low) / 2 / 2.001
    assert error == pytest.approx(jackknife, rel=0.05)


@pytest.mark.parametrize("metric", ["log_loss", "roc_auc"])
def test_intervals_hold_the_long_run_value_as_often_as_they_say(metric: Metric) -> None:
    labels, scores, day = traffic(seed=99, days=4_000)
    truth = performance(metric, labels, scores, day).estimate.value
    assert truth is not None
    held = 0
    for seed in range(300):
        estimate = performance(metric, *traffic(seed=1_000 + seed)).estimate
        assert estimate.low is not None
        assert estimate.high is not None
        held += estimate.low <= truth <= estimate.high

    assert 0.90 <= held / 300 <= 0.985


def test_one_day_is_undefined() -> None:
    labels, scores, day = traffic(seed=5, days=1)

    found = [performance(metric, labels, scores, day).estimate for metric in METRICS]

    assert all(each.value is None and "needs two of them" in (each.undefined or "") for each in found)


def test_an_auc_of_one_class_or_of_separated_classes_is_undefined() -> None:
    one_class = clustered_auc([1, 1, 1], [0.1, 0.2, 0.3], [1, 2, 3])
    separated = clustered_auc([0, 0, 1], [0.1, 0.2, 0.3], [1, 2, 3])

    assert one_class.undefined == "All rows are of one class."
    assert "separate the classes" in (separated.undefined or "")


def test_bad_columns_are_refused() -> None:
    with pytest.raises(NotBinary, match="labels hold 3"):
        performance("accuracy", [0, 3], [0.1, 0.2], [1, 2])
    with pytest.raises(NotProbabilities, match="such as 7"):
        performance("log_loss", [0, 1], [0.1, 7], [1, 2])
    with pytest.raises(RowsDiffer):
        performance("roc_auc", [0, 1], [0.1], [1, 2])
    with pytest.raises(ValueError, match="2 rows and 3 cluster labels"):
        performance("brier", [0, 1], [0.1, 0.2], [1, 2, 3])


@pytest.mark.parametrize(
    ("found", "state"),
    [
        (window("log_loss", 0.56, 0.62), "alert"),
        (window("log_loss", 0.54, 0.62), "ok"),
        (window("log_loss", 0.30, 0.40), "ok"),
        (window("log_loss", 0.56, 0.62, clusters=13), "not enough yet"),
        (window("log_loss", 0.30, 0.40, clusters=13), "not enough yet"),
        (window("accuracy", 0.40, 0.44), "alert"),
        (window("accuracy", 0.40, 0.46), "ok"),
        (window("roc_auc", 0.60, 0.70), "ok"),
    ],
)
def test_an_alert_needs_the_whole_interval_beyond_the_tolerance(found: WindowPerformance, state: State) -> None:
    assert difference_from_baseline(found, baseline=0.5, tolerance=0.05) == state


def test_what_cannot_be_measured_is_never_ok() -> None:
    nothing = undefined("All rows are of one class.", n=9, confidence=0.95, method="DeLong")

    assert difference_from_baseline(WindowPerformance("roc_auc", nothing, 30), baseline=0.7) == "not enough yet"


@pytest.mark.parametrize(
    ("baseline", "tolerance"), [(float("nan"), 0.1), (0.5, -0.1), (0.5, float("nan")), (float("inf"), 0.0)]
)
def test_a_comparison_that_says_nothing_is_refused(baseline: float, tolerance: float) -> None:
    with pytest.raises(BadBaseline, match="tolerance of 0 or more"):
        difference_from_baseline(window("brier", 0.1, 0.2), baseline=baseline, tolerance=tolerance)


@pytest.mark.parametrize(
    ("low", "high", "clusters", "ending"),
    [
        (0.56, 0.62, 30, "The whole interval is worse than that."),
        (0.40, 0.62, 30, "It is not shown to be worse than that."),
        (0.56, 0.62, 5, "14 blocks are needed before this counts."),
    ],
)
def test_a_state_is_told_with_its_numbers(low: float, high: float, clusters: int, ending: str) -> None:
    told = state_in_words(window("log_loss", low, high, clusters), baseline=0.5, tolerance=0.05)

    assert told.startswith(f"The log loss is {(low + high) / 2:.3f} [{low:.3f}, {high:.3f}] over 1,000 labelled rows")
    assert told.endswith(ending)


def test_an_unmeasured_window_says_why() -> None:
    nothing = undefined("All rows are of one class.", n=9, confidence=0.95, method="DeLong")

    told = state_in_words(WindowPerformance("roc_auc", nothing, 30), baseline=0.7)

    assert told == "The AUC of this window cannot be measured yet. All rows are of one class."


def test_a_shift_that_the_rows_alone_would_call_news_is_not_when_days_differ_as_much() -> None:
    labels, scores, day = traffic(seed=8, days=15, rows=400, mood=1.5)
    baseline = performance("log_loss", labels, scores, day).estimate.value
    assert baseline is not None
    losses = performance("log_loss", labels, scores, np.arange(day.size))

    by_row = difference_from_baseline(losses, baseline=baseline - 0.05)
    by_day = difference_from_baseline(performance("log_loss", labels, scores, day), baseline=baseline - 0.05)

    assert (by_row, by_day) == ("alert", "ok")
