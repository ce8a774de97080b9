"""The checks that measure: a champion, clusters, splits; what a model must not read; calibration; and power."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from fairlearn import metrics as fairlearn
from sklearn import metrics as sklearn

from taxiway.gates.checks.calibration import Calibration, CalibrationAsks
from taxiway.gates.checks.fairness import Fairness, FairnessAsks
from taxiway.gates.checks.performance import Performance, PerformanceAsks
from taxiway.gates.checks.port import Case, inputs_asked
from taxiway.gates.checks.protected import tells
from taxiway.gates.contract import GateSpec, PathStage, PathVersion
from taxiway.gates.estimates import Estimate
from taxiway.gates.fairness import Draws, crossed
from taxiway.gates.intervals import wilson
from taxiway.gates.measuring import power
from taxiway.gates.measuring.gaps import GAPS, Columns, gap, holm
from taxiway.gates.measuring.splits import Split
from taxiway.gates.needs import Assumed, as_rows, of_path
from taxiway.gates.rules import Threshold, verdict_on
from taxiway.gates.working.rows import Rows
from taxiway.models.signature import Column, Signature
from tests.gates.test_checks import case

ROWS = 600
RANDOM = np.random.default_rng(0)
LABELS = (RANDOM.random(ROWS) < 0.5).astype(int)
SCORES = np.clip(0.35 * LABELS + 0.65 * RANDOM.random(ROWS), 0.01, 0.99)
RACE = np.where(RANDOM.random(ROWS) < 0.3, "black", "white")


def table(**columns: Any) -> pa.Table:
    kept = {"approve": LABELS, "said": (SCORES > 0.5).astype(int), "score": SCORES, "race": RACE}
    return pa.table({**kept, **columns})


class Remembered:
    """A model that answers by a rule over its rows."""

    def __init__(self, rule: Any) -> None:
        self.rule = rule

    def predict(self, data: Mapping[str, Sequence[Any]]) -> list[dict[str, Any]]:
        size = len(next(iter(data.values())))
        return [self.rule({name: values[at] for name, values in data.items()}) for at in range(size)]


def with_model(of: Case, rows: pa.Table, rule: Any, **types: str) -> Case:
    signature = Signature(
        inputs=tuple(Column(name=name, type=kind) for name, kind in types.items()),  # type: ignore[arg-type]
        outputs=(Column(name="prediction", type="integer"),),
    )
    version = msgspec.structs.replace(of.version, signature=signature)
    there = Rows(table=rows, kind="evaluation", said="the pinned rows", is_aligned=True, signature=signature)
    model: Any = Remembered(rule)
    return msgspec.structs.replace(of, version=version, rows=lambda: there, predictor=lambda: model)


# --- the champion ---


def against(folder: Path, theirs: np.ndarray[Any, Any], *, dataset: str = "dataset:p/d@1") -> Case:
    ours, other = folder / "ours", folder / "theirs"
    for each in (ours, other):
        each.mkdir()
    one, champion = case(ours, table()), case(other, table(score=theirs))
    pinned = [msgspec.structs.replace(each.version.evaluation, dataset=dataset) for each in (one, champion)]  # type: ignore[type-var]
    held = msgspec.structs.replace(
        champion, version=msgspec.structs.replace(champion.version, version=7, evaluation=pinned[1])
    )
    return msgspec.structs.replace(
        one, version=msgspec.structs.replace(one.version, evaluation=pinned[0]), champion=lambda: held
    )


NOT_WORSE = PerformanceAsks(metric="roc_auc", not_worse_than="champion", by=0.02)


def test_a_version_is_held_against_the_champion_on_the_same_rows(tmp_path: Path) -> None:
    nearly = np.clip(SCORES + np.random.default_rng(1).normal(0, 0.01, ROWS), 0.01, 0.99)

    outcome = Performance().ask(NOT_WORSE, against(tmp_path, nearly))

    assert outcome.verdict == "pass"
    assert outcome.metric == "area under the ROC curve less that of m@7 on the same rows"
    assert [each.what for each in outcome.comparisons] == ["m@1", "m@7", "less m@7"]
    own, theirs, change = (each.estimate.value or 0.0 for each in outcome.comparisons)
    assert own == pytest.approx(sklearn.roc_auc_score(LABELS, SCORES), abs=1e-12)
    assert change == pytest.approx(own - theirs, abs=1e-12)


def test_a_worse_version_fails_against_the_champion(tmp_path: Path) -> None:
    better = np.clip(SCORES + 0.4 * LABELS, 0.01, 0.99)

    assert Performance().ask(NOT_WORSE, against(tmp_path, better)).verdict == "fail"


def test_a_champion_of_other_rows_is_asked_anew_or_the_gate_is_missing(tmp_path: Path) -> None:
    other = against(tmp_path, SCORES, dataset="")
    assert Performance().ask(NOT_WORSE, other).verdict == "missing"

    rows = table(x=SCORES)
    held = other.champion()
    assert held is not None
    held = with_model(held, rows, lambda row: {"prediction": 1, "score": row["x"]}, x="number")
    asked = with_model(
        msgspec.structs.replace(other, champion=lambda: held), rows, lambda row: {"prediction": 1}, x="number"
    )

    outcome = Performance().ask(NOT_WORSE, asked)

    assert outcome.verdict == "pass"
    assert "asked anew" in outcome.reason
    assert outcome.estimate is not None
    assert outcome.estimate.value == 0


def test_the_first_version_has_no_champion_to_be_worse_than(tmp_path: Path) -> None:
    assert Performance().ask(NOT_WORSE, case(tmp_path, table())).verdict == "pass"


def test_only_a_gate_that_asks_for_the_champion_rests_on_it() -> None:
    assert "champion" in inputs_asked(Performance(), NOT_WORSE)
    assert "champion" not in inputs_asked(Performance(), PerformanceAsks(metric="accuracy", at_least=0.8))


@pytest.mark.parametrize(
    "given",
    [
        {"metric": "acuracy", "at_least": 0.8},
        {"metric": "accuracy"},
        {"metric": "accuracy", "at_least": 0.8, "by": 0.1},
        {"metric": "accuracy", "not_worse_than": "champion"},
        {"metric": "accuracy", "not_worse_than": "champion", "by": 0.1, "at_least": 0.5},
        {"metric": "accuracy", "at_least": 0.8, "split": {"by": "day", "column": "d"}},
    ],
)
def test_a_path_that_asks_what_cannot_be_asked_is_refused(given: dict[str, Any]) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(given, PerformanceAsks)


# --- rows that belong together ---


def test_few_clusters_are_warned_of_and_an_unknown_column_is_missing(tmp_path: Path) -> None:
    rows = case(tmp_path, table(day=[str(at % 6) for at in range(ROWS)]))
    asks = PerformanceAsks(metric="brier", at_most=0.3, cluster="day")

    outcome = Performance().ask(asks, rows)

    assert outcome.verdict == "pass"
    assert "Only 6 values of day" in outcome.warnings[0]
    assert outcome.estimate is not None
    assert "6 clusters" in outcome.estimate.method
    lost = Performance().ask(msgspec.structs.replace(asks, cluster="week"), rows)
    assert (lost.verdict, "no column week" in lost.reason) == ("missing", True)


@pytest.mark.parametrize(
    ("by", "trained", "verdict", "words"),
    [
        ("group", [1000, 1001], "pass", "None of the 60 values"),
        ("group", [59, 1001], "fail", "1 values of at are in both"),
        ("time", [-3, -2, -1], "pass", "later than all"),
        ("time", [-3, 29], "fail", "300 of 600"),
    ],
)
def test_a_split_is_verified_against_the_training_rows(
    tmp_path: Path, by: Any, trained: list[int], verdict: str, words: str
) -> None:
    asks = PerformanceAsks(metric="accuracy", at_least=0.5, split=Split(by, "at"))
    rows = case(tmp_path, table(at=[at // 10 for at in range(ROWS)]))
    rows = msgspec.structs.replace(rows, training=lambda: {"dataset:p/train@1": pa.table({"at": trained})})

    outcome = Performance().ask(asks, rows)

    assert (outcome.verdict, words in outcome.reason) == (verdict, True)


def test_whole_groups_stay_in_one_fold_and_what_nobody_can_tell_is_inconclusive(tmp_path: Path) -> None:
    asks = PerformanceAsks(metric="accuracy", at_least=0.5, split=Split("group", "who"))
    who = [at // 10 for at in range(ROWS)]
    for number, (folds, verdict) in enumerate(
        [([at % 5 for at in who], "pass"), ([at % 5 for at in range(ROWS)], "fail"), (None, "inconclusive")]
    ):
        folder = tmp_path / str(number)
        folder.mkdir()
        rows = case(folder, table(who=who) if folds is None else table(who=who, fold=folds))
        rows = msgspec.structs.replace(rows, training=dict)
        assert Performance().ask(asks, rows).verdict == verdict


def test_a_random_split_of_rows_with_a_time_is_warned_of(tmp_path: Path) -> None:
    rows = case(tmp_path, table(at=list(range(ROWS))))
    evaluation = msgspec.structs.replace(rows.version.evaluation, time="at", split="random 20 %")  # type: ignore[type-var]
    rows = msgspec.structs.replace(
        rows, version=msgspec.structs.replace(rows.version, evaluation=evaluation), training=dict
    )

    outcome = Performance().ask(PerformanceAsks(metric="accuracy", at_least=0.5), rows)

    assert outcome.verdict == "pass"
    assert "the split says 'random 20 %'" in outcome.warnings[0]


# --- fairness ---


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


# --- calibration ---


def test_true_probabilities_are_calibrated_and_stretched_ones_are_not(tmp_path: Path) -> None:
    random = np.random.default_rng(3)
    x = random.normal(0, 1.2, 3_000)
    labels = (random.random(3_000) < 1 / (1 + np.exp(-x))).astype(int)
    for stretch, verdict in ((1.0, "pass"), (2.5, "fail")):
        folder = tmp_path / str(stretch)
        folder.mkdir()
        said = 1 / (1 + np.exp(-stretch * x))
        rows = pa.table({"approve": labels, "said": labels, "score": said, "race": np.tile(["a", "b"], 1_500)})
        outcome = Calibration().ask(CalibrationAsks(ece=0.06, brier=0.3, group="race"), case(folder, rows))

        assert outcome.verdict == verdict, outcome.reason
        assert len(outcome.bins) == 30
        brier = next(each for each in outcome.comparisons if each.what == "Brier score").estimate.value
        assert brier == pytest.approx(sklearn.brier_score_loss(labels, said), abs=1e-12)


@pytest.mark.parametrize("said", [np.zeros(ROWS), np.full(ROWS, 0.5), LABELS.astype(float)])
def test_scores_that_say_nothing_or_all_are_an_answer(tmp_path: Path, said: Any) -> None:
    outcome = Calibration().ask(CalibrationAsks(), case(tmp_path, table(score=said)))

    assert outcome.verdict in ("fail", "inconclusive")
    assert outcome.reason


# --- power ---


def test_rows_needed_decide_half_the_time_and_those_of_four_in_five_do() -> None:
    threshold, expected = Threshold("at_least", 0.85), 0.88
    need = power.from_share(expected, threshold, 0.95)
    assert need.rows is not None
    assert need.rows_likely is not None

    random = np.random.default_rng(0)
    for rows, least, most in ((need.rows, 0.4, 0.65), (need.rows_likely, 0.72, 0.88)):
        found = [verdict_on(wilson(int(random.binomial(rows, expected)), rows), threshold) for _ in range(400)]
        assert least <= found.count("pass") / 400 <= most


def test_rows_needed_of_a_ratio_decide_as_often_in_simulation() -> None:
    threshold = Threshold("at_least", 0.8)
    need = power.from_ratio((0.54, 0.6), 0.2, threshold, 0.95)
    assert need.rows_likely is not None
    small = round(need.rows_likely * 0.2)
    random, passed = np.random.default_rng(0), 0
    for _ in range(60):
        said = np.concatenate([random.random(small) < 0.54, random.random(need.rows_likely - small) < 0.6]).astype(int)
        groups = np.repeat(["a", "b"], [small, need.rows_likely - small])
        draws = Draws(confidence=0.95, seed=0, resamples=2_000)
        found = gap("selection_rate_ratio", Columns(None, said, groups), draws, threshold=threshold, min_rows=30)
        passed += verdict_on(found.estimate, threshold) == "pass"
    assert 0.62 <= passed / 60 <= 0.95


def test_what_no_rows_decide_is_said() -> None:
    at = Estimate(0.8, 0.7, 0.9, 100, 0.95, "x")
    assert power.from_estimate(at, Threshold("at_least", 0.8)).rows is None
    assert power.from_estimate(at, Threshold("at_least", 0.8), expected=0.85).rows == 400
    assert power.from_ratio((0.0, 0.5), 0.1, Threshold("at_least", 0.8), 0.95).why


def test_each_gate_of_a_path_says_what_it_needs() -> None:
    gates = [
        GateSpec("performance", "performance", {"metric": "accuracy", "at_least": 0.85}, "accuracy at least 0.85"),
        GateSpec("fairness", "fairness", {"metric": "selection_rate_ratio", "at_least": 0.8}, "ratio"),
        GateSpec("loss", "performance", {"metric": "rmse", "at_most": 2.0}, "rmse"),
        GateSpec("card", "card", {}, "the card"),
    ]
    path = PathVersion("p", 1, "sha256:", ["high"], {}, [PathStage("staging", gates)], "", "ines", None)

    found = of_path(path, Assumed()).gates
    single = of_path(path, Assumed(expect=0.9)).gates

    assert [each.gate for each in found] == [*["performance"] * 3, *["fairness"] * 3, *["loss"] * 3]
    rows = [each.rows for each in found[:3]]
    assert rows == sorted(rows, key=lambda needed: -(needed or 0))
    assert "ask again with a version" in found[-1].note
    assert len(single) == 3
    assert as_rows(of_path(path, Assumed()))[0]["rows needed"]
