"""The three outcomes, and the words and numbers that they come with."""

from __future__ import annotations

import numpy as np

from taxiway.endpoints.canary.contract import Totals
from taxiway.endpoints.canary.laws.verdict import Ask, judge, judge_all

SMALL = [0.01, -0.012, 0.008, -0.006, 0.004, -0.009, 0.011]


def days(count: int, mean: float, rows: int = 100) -> list[Totals]:
    return [
        Totals(f"day {at}", rows, rows * (mean + SMALL[at % 7]), 50.0, 50.0 + rows * (mean + SMALL[at % 7]))
        for at in range(count)
    ]


def test_thirteen_days_decide_nothing_however_bad_they_are() -> None:
    found = judge(Ask(min_clusters=14), days(13, mean=5.0))

    assert (found.decision, found.missing, found.looks, found.low) == ("not enough yet", 1, 0, None)
    assert found.sentence.startswith("Not enough yet: 1 whole cluster is missing of the 14")


def test_what_is_worse_beyond_doubt_is_rolled_back() -> None:
    found = judge(Ask(non_inferiority=0.01), days(14, mean=0.05))

    assert found.decision == "roll back"
    assert found.low is not None
    assert found.low > 0
    assert (found.clusters, found.rows, found.looks) == (14, 1400, 1)


def test_what_keeps_within_the_margin_is_promoted_even_if_a_little_worse() -> None:
    found = judge(Ask(non_inferiority=0.02), days(14, mean=0.004))

    assert found.decision == "promote"
    assert "worse by at most the 0.02 that is allowed" in found.sentence


def test_where_better_is_asked_equal_is_not_enough() -> None:
    assert judge(Ask(non_inferiority=None), days(28, mean=0.0)).decision == "not enough yet"
    assert judge(Ask(non_inferiority=None), days(28, mean=-0.05)).decision == "promote"


def test_an_open_canary_says_when_it_would_be_decided() -> None:
    found = judge(Ask(non_inferiority=0.003), days(14, mean=0.0))

    assert found.decision == "not enough yet"
    assert found.forecast is not None
    assert judge(Ask(non_inferiority=0.003), days(found.forecast + 7, mean=0.0)).decision == "promote"


def test_models_that_answer_alike_are_promoted() -> None:
    assert judge(Ask(non_inferiority=0.01), [Totals(str(at), 10, 0.0) for at in range(14)]).decision == "promote"


def test_all_looks_end_with_the_first_that_decides() -> None:
    random = np.random.default_rng(1)
    found = judge_all(Ask(), [Totals(str(at), 50, 50 * (0.3 + each)) for at, each in enumerate(random.normal(size=60))])

    assert [each.decision for each in found[:-1]] == ["not enough yet"] * (len(found) - 1)
    assert [each.looks for each in found] == list(range(1, len(found) + 1))
