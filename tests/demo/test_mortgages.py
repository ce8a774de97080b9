"""Act 1's numbers come out as the story tells them, from the data, on this machine."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from taxiway.demo import mortgages
from taxiway.demo.mortgages import Judgement, judge


@pytest.fixture(scope="module")
def raw() -> pd.DataFrame:
    return mortgages.read_applications()


@pytest.fixture(scope="module")
def table(raw: pd.DataFrame) -> pd.DataFrame:
    return mortgages.clean(raw)


@pytest.fixture(scope="module")
def baseline(table: pd.DataFrame) -> pd.DataFrame:
    return mortgages.held_out(table, mortgages.train_baseline)


@pytest.fixture(scope="module")
def mitigated(table: pd.DataFrame) -> pd.DataFrame:
    return mortgages.held_out(table, mortgages.train_mitigated)


def interval(predictions: pd.DataFrame) -> tuple[float, float]:
    """The 95 % interval of black over white approval, of the logarithm (Katz and others, 1978)."""
    groups = predictions.groupby("race")["prediction"].agg(["mean", "size"])
    black, white = groups.loc["black"], groups.loc["white"]
    spread = 1.96 * np.sqrt((1 - groups["mean"]).div(groups["mean"] * groups["size"])[["black", "white"]].sum())
    ratio = black["mean"] / white["mean"]
    return float(ratio * np.exp(-spread)), float(ratio * np.exp(spread))


def test_the_raw_table_has_two_impossible_cells(raw: pd.DataFrame) -> None:
    wrong = raw[~raw["gdlin"].isin([0, 1])]

    assert len(raw) == 1989
    assert wrong["gdlin"].tolist() == [666, 666]
    assert wrong["application"].tolist() == [881, 1229]


def test_cleaning_touches_those_two_cells_alone(raw: pd.DataFrame, table: pd.DataFrame) -> None:
    changed = raw["gdlin"].astype("Int64").ne(table["gdlin"]).fillna(value=True)

    assert raw.loc[changed.astype(bool), "application"].tolist() == [881, 1229]
    assert table["gdlin"].isna().sum() == 2
    pd.testing.assert_frame_equal(table.drop(columns="gdlin"), raw.drop(columns="gdlin"))


def test_no_protected_column_is_a_feature() -> None:
    protected = {"race", "black", "hispan", "white", "male", "married", "old", "dep", "min30", "mi", "vr", "bd"}

    assert len(mortgages.FEATURES) == 20
    assert protected.isdisjoint(mortgages.FEATURES)


def test_every_applicant_is_in_one_group(raw: pd.DataFrame) -> None:
    assert raw["race"].value_counts().to_dict() == {"white": 1681, "black": 197, "hispanic": 111}


def test_the_baseline_is_accurate_and_its_fairness_inconclusive(baseline: pd.DataFrame) -> None:
    found = judge(baseline)

    assert found.accuracy == pytest.approx(0.922, abs=0.004)
    assert found.auc == pytest.approx(0.838, abs=0.01)
    assert found.ratio == pytest.approx(0.77, abs=0.01)
    assert min(found.approved, key=lambda group: found.approved[group]) == "black"
    low, high = interval(baseline)
    assert low < 0.8 < high


def test_the_mitigated_model_is_fair_with_its_whole_interval_for_two_to_three_points(
    baseline: pd.DataFrame, mitigated: pd.DataFrame
) -> None:
    price = judge(baseline).accuracy - judge(mitigated).accuracy

    low, _ = interval(mitigated)
    assert low > 0.85
    assert judge(mitigated).ratio == pytest.approx(0.936, abs=0.015)
    assert 0.02 < price < 0.032
    assert judge(mitigated).accuracy - 1.96 * np.sqrt(0.9 * 0.1 / 1989) > 0.85


def test_a_cut_for_each_race_is_even_and_reads_race(table: pd.DataFrame, mitigated: pd.DataFrame) -> None:
    shortcut = mortgages.held_out(table, mortgages.train_shortcut, mortgages.features_and_race)
    model = mortgages.fit(table, mortgages.train_shortcut, mortgages.features_and_race)
    rows = mortgages.features_and_race(table).head(200)
    answers = {race: model.predict(rows.assign(race=race)) for race in mortgages.GROUPS}

    assert interval(shortcut)[0] > 0.8
    assert judge(shortcut).ratio > 0.93
    assert judge(shortcut).accuracy > judge(mitigated).accuracy
    assert "race" in model.feature_names_in_
    assert (answers["black"] != answers["white"]).any()
    assert not model.predict(rows.assign(race="unheard of")).any()
    alone = [model.predict_proba(rows.iloc[[index]])[0, 1] for index in range(20)]
    assert model.predict_proba(rows)[:20, 1] == pytest.approx(alone)


def test_two_wrong_cells_hid_the_unfairness(raw: pd.DataFrame, baseline: pd.DataFrame) -> None:
    hidden = judge(mortgages.held_out(raw, mortgages.train_baseline))

    assert hidden.ratio > judge(baseline).ratio + 0.08
    assert hidden.auc < judge(baseline).auc - 0.03


def test_each_application_is_judged_once_and_again_alike(table: pd.DataFrame, baseline: pd.DataFrame) -> None:
    again = mortgages.held_out(table, mortgages.train_baseline)

    pd.testing.assert_frame_equal(again, baseline)
    assert baseline["application"].is_unique
    assert baseline.groupby("fold").size().between(396, 400).all()


def test_a_deployed_model_answers_one_application_as_it_does_in_a_batch(table: pd.DataFrame) -> None:
    model = mortgages.fit(table, mortgages.train_mitigated)
    rows = mortgages.features(table).head(50)

    alone = [model.predict_proba(rows.iloc[[index]])[0, 1] for index in range(50)]

    assert model.predict_proba(rows)[:, 1] == pytest.approx(alone)


def test_a_judgement_takes_the_lowest_group_over_the_highest() -> None:
    rows = [("white", 1, 1), ("white", 0, 1), ("black", 1, 1), ("black", 0, 0), ("hispanic", 1, 1), ("hispanic", 1, 1)]
    predictions = pd.DataFrame(rows, columns=["race", "label", "prediction"]).assign(score=0.6)

    found = judge(predictions)

    assert isinstance(found, Judgement)
    assert found.approved == {"white": 1.0, "hispanic": 1.0, "black": 0.5}
    assert found.ratio == 0.5
