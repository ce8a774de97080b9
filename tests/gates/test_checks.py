"""What checks make of predictions as they come: odd, empty, broken."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from taxiway.gates.checks.approvals import ApprovalsAsk
from taxiway.gates.checks.fairness import Fairness, FairnessAsks
from taxiway.gates.checks.performance import Performance, PerformanceAsks
from taxiway.gates.checks.port import Case
from taxiway.gates.contract import Outcome
from taxiway.gates.laws.predictions import Predictions
from taxiway.models.contract import Card, Evaluation, ModelVersion
from tests.gates.story import FAIR, SIGNATURE, table

ACCURACY = PerformanceAsks(metric="accuracy", at_least=0.85)
RATIO = FairnessAsks(at_least=0.8, attribute="race", resamples=2000)


def case(folder: Path, rows: pa.Table, *, score: str = "score", groups: Sequence[str] = ("race",)) -> Case:
    """A version that is judged by these rows."""
    file = folder / "predictions.parquet"
    pq.write_table(rows, file)
    evaluation = Evaluation(
        digest="sha256:" + "0" * 64,
        rows=rows.num_rows,
        label="approve",
        prediction="said",
        score=score,
        groups=list(groups),
    )
    version = ModelVersion(
        model="m",
        version=1,
        project="p",
        bundle="sha256:" + "1" * 64,
        flavour="none",
        signature=SIGNATURE,
        threshold=0.5,
        run=None,
        datasets=[],
        environment=None,
        risk="high",
        evaluation=evaluation,
        stage="none",
        aliases=[],
        size_bytes=0,
        note="",
        created_by="ana",
        created_at=datetime(2026, 1, 1, tzinfo=UTC),
        changed_at=datetime(2026, 1, 1, tzinfo=UTC),
    )
    return Case(version, lambda: Card("m", 1, "", [], []), list, lambda: Predictions(file.read_bytes()))


def changed(rows: pa.Table, column: str, values: Mapping[int, object]) -> pa.Table:
    """The rows with some values of a column replaced."""
    given = rows[column].to_pylist()
    for index, value in values.items():
        given[index] = value
    return rows.set_column(rows.schema.get_field_index(column), column, pa.array(given))


def test_a_metric_with_its_whole_interval_above_passes(tmp_path: Path) -> None:
    outcome = Performance().ask(ACCURACY, case(tmp_path, table(FAIR)))

    assert outcome.verdict == "pass"
    assert outcome.reason.startswith("Accuracy 0.900 [0.886, 0.912] (95 % interval, 2,000 rows)")


@pytest.mark.parametrize("column", ["approve", "said"])
def test_nan_among_labels_or_predictions_decides_nothing(tmp_path: Path, column: str) -> None:
    rows = changed(table(FAIR), column, {3: float("nan")})

    outcome = Performance().ask(ACCURACY, case(tmp_path, rows))

    assert outcome.verdict == "inconclusive"
    assert "1 of 2000 values are missing" in outcome.reason


def test_nan_among_scores_decides_nothing_and_draws_no_curve(tmp_path: Path) -> None:
    rows = changed(table(FAIR), "score", {0: float("nan")})

    outcome = Performance().ask(PerformanceAsks(metric="log_loss", at_most=0.5), case(tmp_path, rows))

    assert outcome.verdict == "inconclusive"
    assert outcome.curve == []


def test_labels_of_words_are_compared_as_words(tmp_path: Path) -> None:
    rows = pa.table({"approve": ["yes", "no"] * 500, "said": ["yes", "no"] * 500, "race": ["a"] * 1000})

    outcome = Performance().ask(ACCURACY, case(tmp_path, rows, score=""))

    assert outcome.estimate is not None
    assert outcome.estimate.value == 1.0


def test_a_missing_word_decides_nothing(tmp_path: Path) -> None:
    rows = pa.table({"approve": ["yes", None] * 500, "said": ["yes", None] * 500, "race": ["a"] * 1000})

    assert Performance().ask(ACCURACY, case(tmp_path, rows, score="")).verdict == "inconclusive"


def test_a_metric_of_scores_is_missing_where_there_are_none(tmp_path: Path) -> None:
    outcome = Performance().ask(PerformanceAsks(metric="roc_auc", at_least=0.7), case(tmp_path, table(FAIR), score=""))

    assert outcome.verdict == "missing"
    assert "no score" in outcome.reason


def fairness(folder: Path, rows: pa.Table, asks: FairnessAsks = RATIO, **given: Sequence[str]) -> Outcome:
    return Fairness().ask(asks, case(folder, rows, **given))  # type: ignore[arg-type]


def test_a_group_that_is_too_small_is_shown_and_not_counted(tmp_path: Path) -> None:
    outcome = fairness(tmp_path, table({**FAIR, "other": (5, 0)}))

    assert outcome.verdict == "pass"
    assert {rate.group: rate.is_counted for rate in outcome.groups} == {"white": True, "black": True, "other": False}
    assert "Too small to count: other (5 rows)" in outcome.reason


def test_rows_of_no_group_decide_nothing(tmp_path: Path) -> None:
    outcome = fairness(tmp_path, changed(table(FAIR), "race", {0: None}))

    assert outcome.verdict == "inconclusive"
    assert "1 of 2000 rows have no group" in outcome.reason


def test_one_group_alone_decides_nothing(tmp_path: Path) -> None:
    assert fairness(tmp_path, table({"white": (500, 400)})).verdict == "inconclusive"


def test_an_attribute_that_is_no_group_column_is_missing_and_named(tmp_path: Path) -> None:
    outcome = fairness(tmp_path, table(FAIR), groups=("said",))

    assert outcome.verdict == "missing"
    assert "race" in outcome.reason


def test_without_an_attribute_the_worst_group_column_counts(tmp_path: Path) -> None:
    rows = table({"white": (1000, 900), "black": (1000, 500)})
    rows = rows.append_column("sex", pa.array(["f", "m"] * 1000))

    outcome = fairness(tmp_path, rows, FairnessAsks(at_least=0.8, resamples=2000), groups=("sex", "race"))

    assert (outcome.verdict, outcome.metric) == ("fail", "selection-rate ratio by race")


def test_the_same_seed_gives_the_same_interval(tmp_path: Path) -> None:
    assert fairness(tmp_path, table(FAIR)) == fairness(tmp_path, table(FAIR))


@pytest.mark.parametrize(
    "metric", ["selection_rate_difference", "equal_opportunity_difference", "equalized_odds_difference"]
)
def test_gaps_pass_where_groups_are_treated_alike(tmp_path: Path, metric: str) -> None:
    asks = FairnessAsks(metric=metric, at_most=0.2, attribute="race", resamples=2000)  # type: ignore[arg-type]

    assert fairness(tmp_path, table({"white": (1000, 900), "black": (1000, 900)}), asks).verdict == "pass"


def test_an_approval_lives_as_many_days_as_the_path_says() -> None:
    assert ApprovalsAsk(expires="90d").lives is not None
    assert ApprovalsAsk(expires="never").lives is None
