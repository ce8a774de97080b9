"""The fairness check: gaps between groups, crossings of them, and what a model must not read."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from fairlearn import metrics as fairlearn
from sklearn import metrics as sklearn

from taxiway.gates.checks.fairness import Fairness, FairnessAsks
from taxiway.gates.checks.protected import tells
from taxiway.gates.laws.fairness import Draws, crossed
from taxiway.gates.laws.rules import Threshold
from taxiway.gates.measuring.gaps import GAPS, Columns, gap, holm
from tests.gates.measured import LABELS, RACE, RANDOM, ROWS, SCORES, table, with_model
from tests.gates.test_checks import case


@pytest.mark.parametrize("name", GAPS)
def test_gaps_are_those_of_fairlearn_weighted_or_not(name: Any) -> None:
    said, weights = (SCORES > 0.5).astype(int), RANDOM.random(ROWS) + 0.5
    frame = {
        "selection_rate_ratio": (fairlearn.selection_rate, said),
        "selection_rate_difference": (fairlearn.selection_rate, said),
        "equal_opportunity_difference": (fairlearn.true_positive_rate, said),
        "equalized_odds_difference": (None, said),
        "predictive_parity_difference": (sklearn.precision_score, said),
        "calibration_difference": (lambda y, p, sample_weight=None: np.average(y - p, weights=sample_weight), SCORES),
        "mean_error_difference": (lambda y, p, sample_weight=None: np.average(p - y, weights=sample_weight), said),
        "mean_absolute_error_difference": (sklearn.mean_absolute_error, said),
    }
    law, column = frame[name]
    for worth in (None, weights):
        columns = Columns(LABELS, said, RACE, SCORES, worth)
        draws = Draws(confidence=0.95, seed=0, resamples=2_000)
        found = gap(name, columns, draws, threshold=Threshold("at_most", 0.1), min_rows=30)
        if law is None:
            theirs = fairlearn.equalized_odds_difference(LABELS, said, sensitive_features=RACE, sample_weight=worth)
        else:
            params = {} if worth is None else {"sample_weight": worth}
            by = fairlearn.MetricFrame(
                metrics=law, y_true=LABELS, y_pred=column, sensitive_features=pd.Series(RACE), sample_params=params
            )
            theirs = by.ratio() if name.endswith("ratio") else by.difference()
        assert found.estimate.value == pytest.approx(float(theirs), abs=1e-12)
        assert (found.estimate.low or 0) <= (found.estimate.value or 0) <= (found.estimate.high or 0)


def test_holm_takes_the_step_that_each_rank_allows() -> None:
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert holm([]) == []
    assert holm([0.9, 0.8]) == [1.0, 1.0]


def test_a_crossing_shows_what_each_attribute_hides(tmp_path: Path) -> None:
    race, sex = np.tile(["a", "a", "b", "b"], 150), np.tile(["f", "m", "f", "m"], 150)
    said = ((race == "a") == (sex == "f")).astype(int)  # even by either, and all or nothing by both
    rows = case(tmp_path, table(said=said, race=race, sex=sex), groups=("race", "sex"), score="")

    alone = Fairness().ask(FairnessAsks(at_least=0.8, resamples=2_000), rows)
    both = Fairness().ask(FairnessAsks(at_least=0.8, resamples=2_000, intersections=True), rows)

    assert alone.verdict != "fail"
    assert both.verdict == "fail"
    assert both.metric.endswith("by race × sex")
    assert "3 attributes were compared" in both.reason
    assert any("a × m" in each.what for each in both.comparisons)
    assert crossed([np.array(["x", None]), np.array(["y", "z"])]).tolist() == ["x × y", None]


@pytest.mark.parametrize("rate", [0.0, 1.0])
def test_decisions_all_alike_are_an_answer(tmp_path: Path, rate: float) -> None:
    said = np.full(ROWS, int(rate))
    for number, metric in enumerate(GAPS):
        folder = tmp_path / str(number)
        folder.mkdir()
        asks = (
            FairnessAsks(metric=metric, at_least=0.8, resamples=2_000)
            if metric.endswith("ratio")
            else FairnessAsks(metric=metric, at_most=0.1, resamples=2_000)
        )
        outcome = Fairness().ask(asks, case(folder, table(said=said)))
        assert outcome.verdict in ("pass", "fail", "inconclusive")
        assert outcome.reason


def test_a_biased_model_fails_and_on_twenty_rows_a_group_is_inconclusive(tmp_path: Path) -> None:
    for size, verdict in ((1_000, "fail"), (20, "inconclusive")):
        folder = tmp_path / str(size)
        folder.mkdir()
        race = np.repeat(["black", "white"], size)
        said = np.tile(np.arange(size) / size, 2) < np.repeat([0.5, 0.85], size)
        rows = pa.table({"approve": said.astype(int), "said": said.astype(int), "race": race})
        asks = FairnessAsks(at_least=0.8, resamples=2_000, min_rows=10)
        assert Fairness().ask(asks, case(folder, rows, score="")).verdict == verdict


# --- what a model must not read ---


def test_a_model_that_reads_the_group_fails_whatever_the_ratio_is(tmp_path: Path) -> None:
    rows = table(said=np.ones(ROWS, dtype=int), x=SCORES)
    by_race = with_model(
        case(tmp_path, rows, score=""),
        rows,
        lambda row: {"prediction": int(row["x"] > (0.2 if row["race"] == "black" else 0.4))},
        x="number",
        race="string",
    )

    refused = Fairness().ask(FairnessAsks(at_least=0.8, resamples=2_000), by_race)
    allowed = Fairness().ask(FairnessAsks(at_least=0.8, resamples=2_000, reads_protected="allow"), by_race)

    assert (refused.verdict, allowed.verdict) == ("fail", "pass")
    assert refused.reason.startswith("It reads race at decision time: race is among its inputs; shuffled alone, it ch")


def test_a_copy_a_code_and_one_hot_columns_are_the_group_by_another_name(tmp_path: Path) -> None:
    rows = table(said=np.ones(ROWS, dtype=int), x=SCORES, is_black=(RACE == "black").astype(float))
    hidden = with_model(
        case(tmp_path, rows, score=""), rows, lambda row: {"prediction": 1}, x="number", is_black="number"
    )

    outcome = Fairness().ask(FairnessAsks(at_least=0.8, resamples=2_000), hidden)

    assert outcome.verdict == "fail"
    assert "its input is_black is race by another name; shuffled alone, it changes no decision here" in outcome.reason
    assert not tells(RACE, SCORES.astype(str))
    assert not tells(RACE, np.full(ROWS, "same"))


def test_a_model_that_does_not_read_it_passes_and_a_listed_feature_is_refused(tmp_path: Path) -> None:
    rows = table(said=np.ones(ROWS, dtype=int), x=SCORES)
    plain = with_model(case(tmp_path, rows, score=""), rows, lambda row: {"prediction": 1}, x="number")
    asks = FairnessAsks(at_least=0.8, resamples=2_000)

    assert Fairness().ask(asks, plain).verdict == "pass"
    assert Fairness().ask(msgspec.structs.replace(asks, protected=["x"]), plain).verdict == "fail"


def test_decisions_of_another_threshold_are_not_judged(tmp_path: Path) -> None:
    rows = case(tmp_path, table())
    moved = msgspec.structs.replace(rows, version=msgspec.structs.replace(rows.version, threshold=0.3))

    assert "decides from 0.3 on" in Fairness().ask(FairnessAsks(at_least=0.5, resamples=2_000), moved).reason
    pinned = Fairness().ask(FairnessAsks(at_least=0.5, resamples=2_000, decides_from=0.6), rows)
    assert "not those of the threshold 0.6" in pinned.reason
