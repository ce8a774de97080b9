"""Where two models disagree: groups in which they do so more than elsewhere are found, and chance finds none."""

from __future__ import annotations

import random

from taxiway.endpoints.rollout.cohorts import concentrated, grouped


def rows(count: int, seed: int = 3) -> list[dict[str, object]]:
    chance = random.Random(seed)
    return [
        {"district": chance.choice("abcd"), "income": round(chance.gauss(60, 20), 1), "married": chance.random() < 0.5}
        for _ in range(count)
    ]


def test_a_value_where_models_differ_is_listed_with_its_numbers() -> None:
    asked = rows(800)
    chance = random.Random(5)
    differs = [chance.random() < (0.4 if row["district"] == "c" else 0.05) for row in asked]

    found = concentrated(asked, differs)

    assert [(each.column, each.value) for each in found] == [("district", "c")]
    members = [d for row, d in zip(asked, differs, strict=True) if row["district"] == "c"]
    assert (found[0].rows, found[0].differing) == (len(members), sum(members))
    assert found[0].low > found[0].rest


def test_a_range_of_a_number_is_listed_as_a_bin() -> None:
    asked = rows(1000)
    differs = [float(str(row["income"])) > 78 for row in asked]

    found = concentrated(asked, differs)

    assert found[0].column == "income"
    assert found[0].share > 0.7


def test_chance_alone_lists_no_cohort_in_nineteen_of_twenty_tables() -> None:
    listed = 0
    for seed in range(40):
        asked = rows(400, seed)
        chance = random.Random(seed + 1000)
        listed += bool(concentrated(asked, [chance.random() < 0.1 for _ in asked]))

    assert listed <= 5


def test_few_rows_say_nothing() -> None:
    assert concentrated(rows(19), [True] * 19) == []
    assert concentrated([], []) == []


def test_a_column_of_numbers_falls_into_bins_that_hold_every_row_once() -> None:
    values = [None, *range(100), 7.5]
    groups = dict(grouped(values))

    assert len(groups) == 6
    assert sorted(index for members in groups.values() for index in members) == list(range(len(values)))
    assert groups["nothing"] == [0]


def test_a_column_of_few_values_is_grouped_by_value() -> None:
    assert [value for value, _ in grouped([True, False, None, True])] == ["true", "false", "nothing"]
