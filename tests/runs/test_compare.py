"""What differs between runs."""

from __future__ import annotations

import math

from hypothesis import given
from hypothesis import strategies as st

from taxiway.runs.compare import Scalar, code_changes, code_words, side_by_side

scalars: st.SearchStrategy[Scalar] = st.one_of(st.text(max_size=5), st.booleans(), st.integers(), st.floats())
sides = st.dictionaries(st.text(max_size=4), scalars, max_size=5)


@given(sides, st.integers(2, 4))
def test_a_run_never_differs_from_itself(side: dict[str, Scalar], times: int) -> None:
    rows = side_by_side([side] * times)

    assert {row.name for row in rows} == side.keys()
    assert not any(row.is_different for row in rows)


@given(sides, sides)
def test_the_order_of_two_runs_changes_no_verdict(one: dict[str, Scalar], other: dict[str, Scalar]) -> None:
    here, there = side_by_side([one, other]), side_by_side([other, one])

    assert [(r.name, r.is_different) for r in here] == [(r.name, r.is_different) for r in there]
    assert {row.name for row in here} == {*one, *other}


def test_names_stand_in_the_order_in_which_people_count() -> None:
    rows = side_by_side([{"layer_10": 1, "layer_2/bias": 1, "7": 1}, {"layer_2": 1, "layer_02": 1, "auc": 1}])

    assert [row.name for row in rows] == ["7", "auc", "layer_02", "layer_2", "layer_2/bias", "layer_10"]


def test_values_of_different_kinds_differ() -> None:
    rows = side_by_side(
        [{"a": 1, "b": 1, "c": True, "d": math.nan, "e": 1}, {"a": 1.0, "b": "1", "c": 1, "d": math.nan}]
    )

    assert [row.name for row in rows if row.is_different] == ["b", "c", "e"]
    assert rows[-1].values == [1, None]


def test_files_that_came_and_went_are_shown_as_such() -> None:
    changes = code_changes("r", {"gone.py": "a\n", "same.py": "s"}, {"new.py": "b\n", "same.py": "s"})

    assert [change.file for change in changes] == ["gone.py", "new.py"]
    assert changes[0].diff.splitlines()[:2] == ["--- gone.py", "+++ (gone)"]
    assert changes[1].diff.splitlines()[:2] == ["--- (not there)", "+++ new.py"]


def test_code_that_was_not_kept_is_not_called_the_same() -> None:
    assert code_words([("a", 1), ("b", 2)], []) == "The kept sources are the same."
    assert code_words([("a", 0), ("b", 0)], []) == "The code cannot be compared: no sources were kept."
    assert code_words([("a", 1), ("b", 0)], []) == "The code cannot be compared: no sources were kept of b."
