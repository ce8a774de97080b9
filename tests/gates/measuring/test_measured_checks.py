"""The checks that measure: a champion, clusters, splits, and calibration."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa
import pytest
from sklearn import metrics as sklearn

from taxiway.gates.checks.calibration import Calibration, CalibrationAsks
from taxiway.gates.checks.performance import Performance, PerformanceAsks
from taxiway.gates.checks.port import Case, inputs_asked
from taxiway.gates.measuring.splits import Split
from tests.gates.measured import LABELS, ROWS, SCORES, table, with_model
from tests.gates.test_checks import case

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


@pytest.mark.parametrize(
    ("asks", "title"),
    [
        (CalibrationAsks(), "expected calibration error at most 0.05, a slope of 1"),
        (CalibrationAsks(ece=0.2), "expected calibration error at most 0.2"),
        (CalibrationAsks(brier=0.3), "Brier score at most 0.3"),
        (CalibrationAsks(slope=True), "a slope of 1"),
    ],
)
def test_what_is_named_is_asked_and_nothing_else(tmp_path: Path, asks: CalibrationAsks, title: str) -> None:
    outcome = Calibration().ask(asks, case(tmp_path, table(score=np.linspace(0.3, 0.6, ROWS))))

    assert Calibration().title(asks) == title
    judged = [each.what for each in outcome.comparisons if each.verdict]
    assert judged == [
        each
        for each in ("expected calibration error", "Brier score", "calibration slope")
        if each.removeprefix("calibration ") in title
    ]


@pytest.mark.parametrize("said", [np.zeros(ROWS), np.full(ROWS, 0.5), LABELS.astype(float)])
def test_scores_that_say_nothing_or_all_are_an_answer(tmp_path: Path, said: Any) -> None:
    outcome = Calibration().ask(CalibrationAsks(), case(tmp_path, table(score=said)))

    assert outcome.verdict in ("fail", "inconclusive")
    assert outcome.reason
