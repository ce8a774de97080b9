"""What monitors say: why a window alerts, and what that does not follow from."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from taxiway.monitors.contract import ColumnDrift, Monitor, Reference, Rules, Window
from taxiway.monitors.sentences import answer, explanation
from tests.monitors.traffic import APRIL, MARCH

RULES = Rules(
    window="month",
    cluster="day",
    metric="log_loss",
    baseline=0.5,
    baseline_from="given",
    tolerance=0.01,
    min_clusters=14,
    drift_note=0.25,
)
REFERENCE = Reference(
    digest="",
    dataset="dataset:p/d@1",
    table="",
    rows=9,
    predictions="",
    predictions_rows=0,
    split="",
    features=[],
    score=None,
)
MONITOR = Monitor(
    name="flights",
    endpoint="flights",
    project="p",
    model="model:flights@1",
    rules=RULES,
    reference=REFERENCE,
    created_by="olga",
    created_at=MARCH,
)


def drift(name: str, psi: float) -> ColumnDrift:
    state = "noted" if psi >= 0.25 else "moved"
    return ColumnDrift(name=name, psi=psi, by_chance=0.01, state=state, counts=[1, 1])  # type: ignore[arg-type]


def window(start: datetime, *columns: ColumnDrift, score: float = 0.02, **facts: Any) -> Window:
    values: dict[str, Any] = {
        "monitor": "flights",
        "start": start,
        "end": start,
        "name": f"{start:%B}",
        "number": 1,
        "rows": 100,
        "failed": 0,
        "labelled": 100,
        "drift": list(columns),
        "score": drift("score", score),
        "performance": None,
        "performance_state": "ok",
        "sentence": "",
        "expected": 0.2,
        "observed": 0.3,
        "gap": None,
        "models": [],
        "sample": "",
        "computed_at": datetime(2013, 6, 1, tzinfo=UTC),
    }
    return Window(**(values | facts))


def test_drift_that_another_good_month_shows_too_explains_nothing() -> None:
    told = explanation(MONITOR, window(APRIL, drift("temp", 3.0)), [window(MARCH, drift("temp", 4.0))])

    assert "Inputs drifted (temp), but as far in March, where the model held" in told
    assert "concept drift" in told


@pytest.mark.parametrize(
    "others", [[], [window(MARCH, drift("temp", 1.0))], [window(MARCH, performance_state="alert")]]
)
def test_drift_of_this_month_alone_is_said_as_what_it_is(others: list[Window]) -> None:
    assert "Inputs drifted as well: temp." in explanation(MONITOR, window(APRIL, drift("temp", 3.0)), others)


def test_scores_that_moved_are_not_called_silent() -> None:
    told = explanation(MONITOR, window(APRIL, drift("temp", 0.05), score=0.4), [])

    assert "silent" in told
    assert "score drift is silent" not in told
    assert "concept drift" not in told


def test_the_answer_says_why_there_is_no_verdict_yet() -> None:
    unlabelled = window(APRIL, performance_state="no labels", labelled=0)

    assert answer(MONITOR, [], []) == "flights is watched; no window has been measured yet"
    assert answer(MONITOR, [unlabelled], []) == "flights cannot be judged yet: no labels have arrived for April"
    assert answer(MONITOR, [window(MARCH)], []) == "flights holds its log loss in 1 window"
