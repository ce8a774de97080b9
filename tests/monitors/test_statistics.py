"""Bins, histograms and the stability index: laws, and a second computation."""

import math
from itertools import pairwise

import msgspec
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import special, stats

from taxiway.monitors.bins import Bins, BinsBroken, Rule
from taxiway.monitors.statistics import (
    BinsDiffer,
    NoRows,
    NotEnoughValues,
    NotNumbers,
    bin_edges,
    histogram,
    stability_by_chance,
    stability_index,
)

numbers = st.one_of(st.floats(-1e9, 1e9), st.just(math.nan), st.sampled_from([0.0, 1.0, 2.0]))
columns = st.lists(numbers, min_size=1, max_size=80).filter(lambda values: not np.isnan(values).all())
rules = st.sampled_from(["quantile", "width"])
counts = (
    st.integers(1, 12)
    .flatmap(lambda bins: st.tuples(*[st.lists(st.integers(0, 500), min_size=bins, max_size=bins)] * 2))
    .filter(lambda pair: any(pair[0]) and any(pair[1]))
)


@given(columns, st.integers(2, 20), rules)
def test_every_row_falls_into_one_bin_and_the_missing_into_the_last(values: list[float], bins: int, rule: Rule) -> None:
    cut = bin_edges(values, bins, rule)

    counted = histogram(values, cut)

    assert counted.sum() == len(values)
    assert counted[-1] == np.isnan(values).sum()
    assert len(counted) == cut.count == len(cut.labels) <= max(bins, 3) + 1


@given(columns, columns, rules)
def test_histograms_of_parts_add_up(one: list[float], other: list[float], rule: Rule) -> None:
    cut = bin_edges(one, rule=rule)

    assert (histogram(one + other, cut) == histogram(one, cut) + histogram(other, cut)).all()


@given(columns, rules)
def test_a_bin_holds_its_lower_edge_and_not_its_upper(values: list[float], rule: Rule) -> None:
    cut = bin_edges(values, rule=rule)
    bounds = [-math.inf, *cut.edges, math.inf]
    present = np.array(values)[~np.isnan(values)]

    by_hand = [int(((present >= low) & (present < high)).sum()) for low, high in pairwise(bounds)]

    assert histogram(values, cut).tolist()[:-1] == by_hand


@given(columns, rules)
def test_stored_bins_come_back_as_they_were(values: list[float], rule: Rule) -> None:
    cut = bin_edges(values, rule=rule)

    assert msgspec.json.decode(msgspec.json.encode(cut), type=Bins) == cut


def test_quantile_bins_hold_equal_shares_of_the_reference() -> None:
    values = np.random.default_rng(1).normal(size=1_000)

    assert histogram(values, bin_edges(values, 10)).tolist() == [100] * 10 + [0]


def test_bins_of_one_width_are_that() -> None:
    assert bin_edges([0, 10], 5, "width").edges == (2, 4, 6, 8)


def test_a_constant_column_shows_when_it_changes() -> None:
    cut = bin_edges([5.0] * 100)

    assert histogram([5.0, 4.9, 7.0, 7.0], cut).tolist() == [1, 1, 2, 0]
    assert cut.labels == ("below 5", "5", "above 5", "missing")


def test_bins_say_what_they_hold() -> None:
    assert bin_edges([0, 10], 4, "width").labels == ("below 2.5", "2.5 to 5", "5 to 7.5", "7.5 and above", "missing")
    assert Bins("width").labels == ("any number", "missing")


def test_a_column_of_mostly_one_value_keeps_a_bin_for_the_rest() -> None:
    values = [0.0] * 99 + [3.0]

    assert histogram(values, bin_edges(values)).tolist() == [99, 1, 0]


def test_infinite_numbers_fall_into_the_outer_bins() -> None:
    cut = bin_edges([1.0, 2.0, 3.0, math.inf, -math.inf], 3)

    assert histogram([math.inf, -math.inf], cut).tolist()[0] == 1
    assert histogram([math.inf, -math.inf], cut).tolist()[-2] == 1


def test_categories_have_a_bin_each_and_one_for_the_new_ones() -> None:
    cut = bin_edges(["JFK", "LGA", None, "JFK", "EWR"])

    assert cut.labels == ("EWR", "JFK", "LGA", "other", "missing")
    assert histogram(["EWR", "BOS", None, float("nan"), "JFK"], cut).tolist() == [1, 1, 0, 1, 2]


def test_rare_categories_beyond_fifty_share_a_bin() -> None:
    names = [f"tail{number:03}" for number in range(60) for _ in range(2 if number >= 40 else 1)]

    cut = bin_edges(names)

    assert len(cut.categories) == 50
    assert {f"tail{number:03}" for number in range(40, 60)} <= set(cut.categories)
    assert "tail029" in cut.categories
    assert "tail030" not in cut.categories


def test_true_and_false_are_categories() -> None:
    assert bin_edges([True, False, True]).categories == ("False", "True")
    assert bin_edges(np.array([True, False])).categories == ("False", "True")


def test_numbers_in_a_column_of_objects_are_numbers() -> None:
    cut = bin_edges(pd.Series([1, None, 3, 4], dtype="Int64"), 2)

    assert cut.rule == "quantile"
    assert histogram([None, 1, 4], cut).tolist() == [1, 1, 1]


def test_text_in_a_column_of_numbers_is_refused_by_name() -> None:
    cut = bin_edges([1.0, 2.0, 3.0])

    with pytest.raises(NotNumbers, match="1 of 2 values are no numbers, such as 'warm'"):
        histogram(np.array([1.5, "warm"], dtype=object), cut)


def test_times_are_refused_with_what_to_give_instead() -> None:
    with pytest.raises(NotNumbers, match="such as the hour"):
        bin_edges(np.array(["2013-04-01", "2013-04-02"], dtype="datetime64[D]"))


def test_a_window_without_rows_counts_nothing() -> None:
    assert histogram([], bin_edges([1.0, 2.0, 3.0], 3)).tolist() == [0, 0, 0, 0]
    assert histogram([], bin_edges(["a", "b"])).tolist() == [0, 0, 0, 0]


@pytest.mark.parametrize("values", [[], [math.nan, math.nan], [None, None]])
def test_a_reference_without_values_is_refused(values: list[float | None]) -> None:
    with pytest.raises(NotEnoughValues, match="Take a reference that has some"):
        bin_edges(np.array(values, dtype=object))


def test_one_bin_is_refused() -> None:
    with pytest.raises(ValueError, match="two or more"):
        bin_edges([1.0, 2.0], 1)


@pytest.mark.parametrize(
    ("edges", "categories"), [((2.0, 1.0), ()), ((1.0, 1.0), ()), ((math.nan,), ()), ((), ("a", "a"))]
)
def test_bins_that_contradict_themselves_are_refused(edges: tuple[float, ...], categories: tuple[str, ...]) -> None:
    with pytest.raises(BinsBroken):
        Bins("width", edges=edges, categories=categories)


@given(counts)
def test_stability_index_is_a_symmetric_distance(pair: tuple[list[int], list[int]]) -> None:
    expected, observed = pair

    assert stability_index(expected, observed) >= 0
    assert stability_index(expected, observed) == pytest.approx(stability_index(observed, expected))
    assert stability_index(expected, expected) == 0


@given(counts)
def test_stability_index_is_the_two_sided_kullback_leibler_divergence(
    pair: tuple[list[int], list[int]],
) -> None:
    e, o = (np.array(side, dtype=float) for side in pair)
    seen = (e + o) > 0
    e, o = (np.where(side[seen] == 0, 0.5, side[seen]) for side in (e, o))
    e, o = e / e.sum(), o / o.sum()

    assert stability_index(*pair) == pytest.approx(
        float(special.rel_entr(e, o).sum() + special.rel_entr(o, e).sum()), abs=1e-12
    )


@given(counts)
def test_a_bin_that_is_empty_on_both_sides_says_nothing(pair: tuple[list[int], list[int]]) -> None:
    expected, observed = pair

    assert stability_index([*expected, 0], [*observed, 0]) == pytest.approx(stability_index(expected, observed))


@given(counts, st.integers(2, 9))
def test_without_empty_bins_only_shares_matter(pair: tuple[list[int], list[int]], times: int) -> None:
    expected, observed = ([count + 1 for count in side] for side in pair)

    longer = stability_index(expected, [count * times for count in observed])

    assert longer == pytest.approx(stability_index(expected, observed), abs=1e-12)


def test_without_any_change_the_index_is_what_chance_makes_it() -> None:
    rng = np.random.default_rng(23)
    shares = np.full(10, 0.1)

    found = [stability_index(rng.multinomial(4_000, shares), rng.multinomial(1_000, shares)) for _ in range(400)]

    assert np.mean(found) == pytest.approx(9 * (1 / 4_000 + 1 / 1_000), rel=0.1)


def test_histograms_over_other_bins_or_of_nothing_are_refused() -> None:
    with pytest.raises(BinsDiffer, match="2 and 3 bins"):
        stability_index([1, 2], [1, 2, 3])
    with pytest.raises(NoRows, match="longer window"):
        stability_index([1, 2], [0, 0])


@pytest.mark.parametrize("bins", [2, 5, 11, 52])
def test_what_chance_reaches_is_a_chi_square_quantile(bins: int) -> None:
    found = stability_by_chance(bins, expected_rows=1000, observed_rows=500)

    assert found == pytest.approx(
        stats.chi2.ppf(0.999, bins - 1) * (1 / 1000 + 1 / 500), rel=0.05
    )  # Wilson and Hilferty are off by 3 % for two bins


def test_what_chance_reaches_is_seldom_passed_by_columns_that_did_not_move() -> None:
    rng = np.random.default_rng(7)
    shares = np.full(10, 0.1)
    pairs = [(rng.multinomial(2000, shares), rng.multinomial(600, shares)) for _ in range(2000)]

    limit = stability_by_chance(10, expected_rows=2000, observed_rows=600, share=0.05)

    assert 0.03 < np.mean([stability_index(e, o) > limit for e, o in pairs]) < 0.07


def test_no_rows_reach_nothing_by_chance() -> None:
    with pytest.raises(NoRows):
        stability_by_chance(3, expected_rows=10, observed_rows=0)
