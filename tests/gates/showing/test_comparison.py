"""Predictions held against each other, against independent sources."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from scipy import stats

from taxiway.gates.laws.predictions import Predictions
from taxiway.gates.showing.comparison import AREA, Measured, difference, is_certain, measure, price
from taxiway.models.contract import Evaluation

ROWS = 800


def test_a_difference_of_accuracy_is_the_paired_t_interval(tmp_path: Path) -> None:
    one, other = sides(tmp_path)

    change = difference("accuracy", one, other)

    hits = [side.columns.prediction == side.columns.label for side in (one, other)]
    paired = stats.ttest_rel(hits[1].astype(float), hits[0].astype(float))
    interval = paired.confidence_interval(0.95)
    assert change is not None
    assert (change.low, change.high) == pytest.approx((interval.low, interval.high), abs=1e-9)


def test_a_difference_of_areas_agrees_with_the_jackknife(tmp_path: Path) -> None:
    one, other = sides(tmp_path)

    change = difference(AREA, one, other)

    label, early, late = one.columns.label, one.columns.score, other.columns.score
    kept = [np.arange(ROWS) != row for row in range(ROWS)]
    values = np.array([area(label[k], late[k]) - area(label[k], early[k]) for k in kept])  # type: ignore[index]
    error = np.sqrt((ROWS - 1) / ROWS * ((values - values.mean()) ** 2).sum())
    assert change is not None
    assert change.low is not None
    assert change.value == pytest.approx(area(label, late) - area(label, early), abs=1e-12)
    assert (change.value or 0) - change.low == pytest.approx(1.96 * error, rel=0.02)


def test_rows_of_other_data_are_not_paired(tmp_path: Path) -> None:
    one, other = sides(tmp_path, datasets=("dataset:p/a@1", "dataset:p/a@2"))

    assert difference("accuracy", one, other) is None


def test_the_same_predictions_differ_by_nothing(tmp_path: Path) -> None:
    one, _ = sides(tmp_path)

    change = difference("log loss", one, one)

    assert change is not None
    assert change.value == 0
    assert not is_certain(change)


def test_the_price_names_ratio_accuracy_and_how_sure_it_is(tmp_path: Path) -> None:
    one, other = sides(tmp_path)

    sentence = price(one, other, names=("version 1", "version 2"))

    assert sentence.startswith("Version 2 raises the selection-rate ratio by race from 0.")
    assert "It costs " in sentence
    assert "on the same rows between" in sentence


def test_without_groups_there_is_no_price(tmp_path: Path) -> None:
    one, other = sides(tmp_path, groups=[])

    assert price(one, other, names=("a", "b")) == ""


def test_a_metric_that_the_data_do_not_define_is_left_out(tmp_path: Path) -> None:
    rows = pa.table({"label": [1, 1, 1], "said": [1, 0, 1], "score": [0.9, 0.2, 0.8], "race": ["a", "a", "b"]})

    found = measured(tmp_path / "one.parquet", rows, "dataset:p/a@1", ["race"])

    assert "accuracy" in found.metrics
    assert AREA not in found.metrics
    assert found.curve == []
    assert found.decides_at is None


def sides(
    folder: Path, *, datasets: tuple[str, str] = ("dataset:p/a@1", "dataset:p/a@1"), groups: list[str] | None = None
) -> tuple[Measured, Measured]:
    """A model that follows the group and one that does not, and pays for it."""
    random = np.random.default_rng(3)
    race = np.where(np.arange(ROWS) % 4 == 0, "black", "white")
    label = (random.random(ROWS) < np.where(race == "black", 0.6, 0.9)).astype(int)
    early = np.clip(label * 0.5 + np.where(race == "black", 0.05, 0.35) + random.normal(0, 0.15, ROWS), 0.01, 0.99)
    late = np.clip(0.75 + label * 0.1 + random.normal(0, 0.25, ROWS), 0.01, 0.99)
    found = []
    for name, score, dataset in (("early", early, datasets[0]), ("late", late, datasets[1])):
        table = pa.table({"label": label, "said": (score >= 0.5).astype(int), "score": score, "race": race})
        found.append(measured(folder / f"{name}.parquet", table, dataset, ["race"] if groups is None else groups))
    return found[0], found[1]


def measured(file: Path, rows: pa.Table, dataset: str, groups: list[str]) -> Measured:
    pq.write_table(rows, file)
    evaluation = Evaluation("sha256:0", rows.num_rows, "label", "said", "score", groups, dataset=dataset)
    return measure(evaluation, Predictions(file.read_bytes()))


def area(label: object, score: object) -> float:
    """The definition: the share of pairs in the right order."""
    y, s = np.asarray(label), np.asarray(score, dtype=float)
    up, down = s[y == 1][:, None], s[y == 0][None, :]
    return float(((up > down) + 0.5 * (up == down)).mean())
