"""Verdicts from intervals, and the words for them."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from taxiway.gates.laws.estimates import Estimate, GroupRate, undefined
from taxiway.gates.laws.intervals import wilson
from taxiway.gates.laws.rules import (
    BadThreshold,
    Direction,
    Threshold,
    interval_words,
    judge,
    rows_needed,
    rows_words,
    verdict_on,
)


def estimate(value: float, low: float, high: float, n: int = 1_000) -> Estimate:
    return Estimate(value, low, high, n, 0.95, "made up")


shares = st.floats(0, 1)
estimates = st.tuples(shares, shares, shares).map(sorted).map(lambda parts: estimate(parts[1], parts[0], parts[2]))
directions = st.sampled_from(["at_least", "at_most"])


@pytest.mark.parametrize(
    ("low", "high", "direction", "verdict"),
    [
        (0.81, 0.9, "at_least", "pass"),
        (0.80, 0.9, "at_least", "pass"),
        (0.79, 0.9, "at_least", "inconclusive"),
        (0.70, 0.8, "at_least", "inconclusive"),
        (0.70, 0.79, "at_least", "fail"),
        (0.70, 0.79, "at_most", "pass"),
        (0.70, 0.80, "at_most", "pass"),
        (0.70, 0.81, "at_most", "inconclusive"),
        (0.80, 0.9, "at_most", "inconclusive"),
        (0.81, 0.9, "at_most", "fail"),
    ],
)
def test_the_whole_interval_decides(low: float, high: float, direction: Direction, verdict: str) -> None:
    assert verdict_on(estimate((low + high) / 2, low, high), Threshold(direction, 0.8)) == verdict


@given(estimates, shares, directions)
def test_a_stricter_threshold_never_turns_a_fail_into_a_pass(
    measured: Estimate, threshold: float, direction: Direction
) -> None:
    order = ["fail", "inconclusive", "pass"]
    harder = threshold + 0.1 if direction == "at_least" else threshold - 0.1

    lenient = verdict_on(measured, Threshold(direction, threshold))
    strict = verdict_on(measured, Threshold(direction, harder))

    assert order.index(strict) <= order.index(lenient)


@given(estimates, shares)
def test_both_directions_mirror_each_other(measured: Estimate, threshold: float) -> None:
    assert measured.value is not None
    assert measured.low is not None
    assert measured.high is not None
    mirrored = estimate(-measured.value, -measured.high, -measured.low)

    assert verdict_on(measured, Threshold("at_least", threshold)) == verdict_on(
        mirrored, Threshold("at_most", -threshold)
    )


@pytest.mark.parametrize(
    "measured",
    [
        undefined("All rows are of one class.", n=40, confidence=0.95, method="DeLong"),
        estimate(math.nan, math.nan, math.nan),
        estimate(0.9, math.nan, 0.95),
    ],
)
def test_what_was_not_measured_decides_nothing(measured: Estimate) -> None:
    assert verdict_on(measured, Threshold("at_least", 0.1)) == "inconclusive"
    assert verdict_on(measured, Threshold("at_most", 0.1)) == "inconclusive"
    assert rows_needed(measured, Threshold("at_least", 0.1)) is None


def test_rows_needed_follow_the_square_of_the_missing_certainty() -> None:
    assert rows_needed(estimate(0.77, 0.70, 0.83), Threshold("at_least", 0.8)) == 4_695
    assert rows_needed(estimate(0.85, 0.75, 0.92), Threshold("at_least", 0.8)) == 4_000


def test_a_decided_gate_needs_no_rows() -> None:
    assert rows_needed(estimate(0.9, 0.85, 0.95), Threshold("at_least", 0.8)) is None
    assert rows_needed(estimate(0.7, 0.65, 0.75), Threshold("at_least", 0.8)) is None


def test_a_value_at_the_threshold_is_never_decided_by_rows() -> None:
    assert rows_needed(estimate(0.8, 0.7, 0.9), Threshold("at_least", 0.8)) is None


@given(st.integers(100, 2_000), st.data(), st.sampled_from([0.5, 0.8]), directions)
def test_so_many_rows_of_the_same_mix_do_decide(
    n: int, data: st.DataObject, threshold: float, direction: Direction
) -> None:
    share = wilson(data.draw(st.integers(n // 10, n - n // 10)), n)
    asked = Threshold(direction, threshold)
    needed = rows_needed(share, asked)
    rows = math.ceil((needed or n) * 1.1)  # the law is of large samples; Wilson's middle moves a little

    decided = wilson(round((share.value or 0) * rows), rows)

    assert needed is None or needed > n
    assert needed is None or needed < 10_000 or verdict_on(decided, asked) != "inconclusive"


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_a_threshold_that_is_no_number_is_refused(value: float) -> None:
    with pytest.raises(BadThreshold, match=r"such as 0\.8"):
        Threshold("at_least", value)


def test_an_open_fairness_gate_says_what_that_means_and_what_would_decide() -> None:
    judgement = judge(
        "selection-rate ratio",
        estimate(0.77, 0.70, 0.83, n=1_989),
        Threshold("at_least", 0.8),
        subject="fairness",
    )

    assert judgement.verdict == "inconclusive"
    assert judgement.rows_needed == 9_338
    assert judgement.reason == (
        "Selection-rate ratio 0.77 [0.70, 0.83] (95 % interval, 1,989 rows), asked for at least 0.8. "
        "The interval holds 0.8, so this is neither proven fair nor unfair at this size. "
        "If the true value is the one measured, about 9,300 rows of the same mix would decide it."
    )


def test_a_decided_gate_says_on_which_side() -> None:
    passed = judge("accuracy", estimate(0.92, 0.91, 0.93), Threshold("at_least", 0.85), subject="performance")
    failed = judge("log loss", estimate(0.62, 0.6, 0.64), Threshold("at_most", 0.5), subject="performance")

    assert passed.reason.endswith("The whole interval meets what is asked.")
    assert failed.reason.endswith("asked for at most 0.5. The whole interval misses what is asked.")


def test_an_undefined_metric_says_why() -> None:
    nothing = undefined("All rows are of one class.", n=40, confidence=0.95, method="DeLong")

    judgement = judge("ROC AUC", nothing, Threshold("at_least", 0.7), subject="performance")

    assert judgement.reason == (
        "ROC AUC could not be measured. All rows are of one class. "
        "That is neither a pass nor a fail: the gate stays closed until it is measured."
    )


def test_a_value_at_the_threshold_says_that_rows_will_not_help() -> None:
    judgement = judge("accuracy", estimate(0.8, 0.7, 0.9), Threshold("at_least", 0.8), subject="performance")

    assert "more rows alone would not decide it" in judgement.reason


def test_groups_that_do_not_count_are_named() -> None:
    groups = [GroupRate("white", wilson(80, 100), True), GroupRate("native", wilson(3, 12), False)]

    judgement = judge("ratio", estimate(0.9, 0.85, 0.95), Threshold("at_least", 0.8), subject="fairness", groups=groups)

    assert judgement.reason.endswith("Too small to count: native (12 rows).")


@pytest.mark.parametrize(
    ("low", "high", "words"),
    [
        (0.70, 0.84, "0.77 [0.70, 0.84]"),
        (0.909, 0.931, "0.920 [0.909, 0.931]"),
        (0.99998, 1.0, "0.999990 [0.999980, 1.000000]"),
        (0.5, 0.5, "0.50 [0.50, 0.50]"),
    ],
)
def test_an_interval_has_the_digits_that_tell_its_ends_apart(low: float, high: float, words: str) -> None:
    assert interval_words(estimate((low + high) / 2, low, high)) == words


@pytest.mark.parametrize(
    ("rows", "words"),
    [(7, "about 7"), (4_001, "about 4,000"), (11_079, "about 11,000"), (10**10, "more than 1,000,000,000")],
)
def test_rows_are_told_as_precisely_as_they_are_known(rows: int, words: str) -> None:
    assert rows_words(rows) == words
