"""Performance metrics against scikit-learn and naive definitions."""

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from numpy.typing import ArrayLike
from sklearn import metrics

from taxiway.gates.laws.estimates import Estimate
from taxiway.gates.laws.intervals import ValuesMissing
from taxiway.gates.laws.statistics import (
    DELONG,
    NEWCOMBE,
    NotBinary,
    NotProbabilities,
    RowsDiffer,
    accuracy,
    auc_components,
    brier,
    log_loss,
    roc_auc,
)

Metric = Callable[[ArrayLike, ArrayLike], Estimate]
tables = st.lists(
    st.tuples(st.integers(0, 1), st.sampled_from([0.0, 0.1, 0.25, 0.25001, 0.5, 0.75, 0.9, 1.0])),
    min_size=2,
    max_size=80,
)


def columns(rows: list[tuple[int, float]]) -> tuple[list[int], list[float]]:
    labels, scores = zip(*rows, strict=True)
    return list(labels), list(scores)


@given(tables)
def test_values_are_those_of_scikit_learn(rows: list[tuple[int, float]]) -> None:
    labels, scores = columns(rows)
    said = [int(score >= 0.5) for score in scores]

    assert accuracy(labels, said).value == pytest.approx(metrics.accuracy_score(labels, said), abs=1e-12)
    assert log_loss(labels, scores).value == pytest.approx(metrics.log_loss(labels, scores, labels=[0, 1]), abs=1e-9)
    assert brier(labels, scores).value == pytest.approx(np.mean((np.array(scores) - labels) ** 2), abs=1e-12)


@given(tables)
def test_auc_with_ties_is_that_of_scikit_learn(rows: list[tuple[int, float]]) -> None:
    labels, scores = columns(rows)
    assume(len(set(labels)) == 2)

    estimate = roc_auc(labels, scores)

    assert estimate.value == pytest.approx(metrics.roc_auc_score(labels, scores), abs=1e-12)


@given(tables)
def test_an_auc_lies_in_its_interval_and_that_between_0_and_1(rows: list[tuple[int, float]]) -> None:
    labels, scores = columns(rows)
    assume(len(set(labels)) == 2)

    estimate = roc_auc(labels, scores)

    assert estimate.value is not None
    assert estimate.low is not None
    assert estimate.high is not None
    assert 0 <= estimate.low <= estimate.value <= estimate.high <= 1
    assert estimate.low < estimate.high


@given(tables)
def test_auc_turns_around_with_the_scores(rows: list[tuple[int, float]]) -> None:
    labels, scores = columns(rows)
    assume(len(set(labels)) == 2)

    estimate, turned = roc_auc(labels, scores), roc_auc(labels, [-score for score in scores])

    assert estimate.value is not None
    assert estimate.low is not None
    assert (turned.value, turned.high) == pytest.approx((1 - estimate.value, 1 - estimate.low), abs=1e-9)


def test_delongs_variance_is_that_of_the_naive_pairs() -> None:
    rng = np.random.default_rng(5)
    labels = rng.integers(0, 2, 150)
    scores = np.round(labels + rng.normal(size=150), 1)
    up, down = scores[labels == 1], scores[labels == 0]
    wins = (up[:, None] > down).astype(float) + 0.5 * (up[:, None] == down)
    auc = wins.mean()
    variance = wins.mean(axis=1).var(ddof=1) / up.size + wins.mean(axis=0).var(ddof=1) / down.size
    half = 1.959963984540054 * np.sqrt(variance) / (auc * (1 - auc))

    estimate = roc_auc(labels, scores)

    logit = np.log(auc / (1 - auc))
    assert estimate.method == DELONG
    assert estimate.low == pytest.approx(1 / (1 + np.exp(half - logit)), abs=1e-12)
    assert estimate.high == pytest.approx(1 / (1 + np.exp(-half - logit)), abs=1e-12)
    np.testing.assert_allclose(auc_components(labels, scores)[0], wins.mean(axis=1), atol=1e-12)
    np.testing.assert_allclose(auc_components(labels, scores)[1], wins.mean(axis=0), atol=1e-12)


def test_auc_intervals_hold_the_true_value_as_often_as_they_say() -> None:
    rng = np.random.default_rng(17)
    labels = np.repeat([0, 1], [160, 40])
    truth = 0.8413447460685429  # normal scores a standard deviation times sqrt(2) apart
    held = 0
    for _ in range(500):
        estimate = roc_auc(labels, rng.normal(size=200) + labels * np.sqrt(2))
        assert estimate.low is not None
        assert estimate.high is not None
        held += estimate.low <= truth <= estimate.high

    assert 0.93 <= held / 500 <= 0.975


def test_separated_classes_keep_an_interval() -> None:
    estimate = roc_auc([0] * 20 + [1] * 20, range(40))

    assert (estimate.value, estimate.high, estimate.method) == (1.0, 1.0, NEWCOMBE)
    assert estimate.low is not None
    assert 0.85 < estimate.low < 0.97


def test_an_auc_of_one_class_is_undefined() -> None:
    estimate = roc_auc([1, 1, 1], [0.1, 0.5, 0.9])

    assert estimate.value is None
    assert estimate.undefined == "All rows are of one class."
    assert estimate.n == 3


def test_accuracy_takes_any_classes() -> None:
    estimate = accuracy(["cat", "dog", "bird", "dog"], ["cat", "dog", "dog", "dog"])

    assert (estimate.value, estimate.n) == (0.75, 4)


def test_metrics_without_rows_are_undefined() -> None:
    found = [metric([], []).value for metric in (accuracy, log_loss, brier, roc_auc)]

    assert found == [None, None, None, None]


@pytest.mark.parametrize("metric", [log_loss, brier, roc_auc])
def test_labels_that_are_not_binary_are_refused(metric: Metric) -> None:
    with pytest.raises(NotBinary, match="labels hold 2 in 1 of 3 rows"):
        metric([0, 1, 2], [0.1, 0.2, 0.3])


@pytest.mark.parametrize("metric", [log_loss, brier])
def test_what_is_no_probability_is_refused(metric: Metric) -> None:
    with pytest.raises(NotProbabilities, match=r"such as 1\.5"):
        metric([0, 1], [0.5, 1.5])


@pytest.mark.parametrize("metric", [accuracy, log_loss, brier, roc_auc])
def test_missing_predictions_are_refused(metric: Metric) -> None:
    with pytest.raises(ValuesMissing, match="1 of 2"):
        metric([0, 1], [0.5, float("nan")])


@pytest.mark.parametrize("metric", [accuracy, log_loss, brier, roc_auc])
def test_columns_of_different_length_are_refused(metric: Metric) -> None:
    with pytest.raises(RowsDiffer, match="labels 2"):
        metric([0, 1], [0.5, 0.5, 0.5])
