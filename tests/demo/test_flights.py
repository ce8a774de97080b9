"""Act 2's numbers: a champion that is fine in March, wrong in April, and fine again in a warmer May."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from taxiway.adapters.sklearn import load, save
from taxiway.demo import flights
from taxiway.demo.flights import performance
from taxiway.models.bundles.bundle import write_bundle


@pytest.fixture(scope="module")
def table() -> pd.DataFrame:
    return flights.read_flights()


@pytest.fixture(scope="module")
def champion(table: pd.DataFrame) -> Any:
    return flights.champion(table)


@pytest.fixture(scope="module")
def answered(table: pd.DataFrame, champion: Any) -> pd.DataFrame:
    return flights.answers(flights.replayed(table), champion)


def month(answered: pd.DataFrame, number: int) -> pd.DataFrame:
    return answered[answered["day"].str.startswith(f"2013-{number:02d}")]


def loss_interval(answered: pd.DataFrame) -> tuple[float, float]:
    """The 95 % interval of the mean log loss when whole days are drawn, not flights."""
    score = np.where(answered["label"] == 1, answered["score"], 1 - answered["score"])
    days = pd.DataFrame({"day": answered["day"], "loss": -np.log(score)}).groupby("day")["loss"].agg(["sum", "size"])
    mean = days["sum"].sum() / days["size"].sum()
    spread = ((days["sum"] - mean * days["size"]) ** 2).sum() * len(days) / (len(days) - 1)
    half = 2.045 * float(np.sqrt(spread)) / days["size"].sum()
    return float(mean - half), float(mean + half)


def stability_index(expected: pd.Series, observed: pd.Series) -> float:
    edges = np.quantile(expected.dropna(), np.linspace(0.1, 0.9, 9))
    counts = [np.bincount(np.searchsorted(edges, part.dropna()), minlength=10) for part in (expected, observed)]
    e, o = (np.maximum(count, 0.5) / np.maximum(count, 0.5).sum() for count in counts)
    return float(np.sum((o - e) * np.log(o / e)))


def test_weather_is_the_last_that_was_observed_two_hours_before_unless_six_hours_old(table: pd.DataFrame) -> None:
    folder = flights.data_folder()
    weather = pd.read_csv(folder / "weather.csv", parse_dates=["time_hour"])
    sample = table.iloc[:: len(table) // 40]

    for flight in sample.itertuples():
        age = flight.decided_at - weather["time_hour"]
        known = weather[(weather["origin"] == flight.origin) & age.between(pd.Timedelta(0), pd.Timedelta(hours=6))]
        expected = known.sort_values("time_hour")["temp"].iloc[-1] if len(known) else np.nan
        assert flight.temp == pytest.approx(expected, nan_ok=True)


def test_every_flight_has_an_id_of_its_own_and_arrives_after_it_was_decided(table: pd.DataFrame) -> None:
    assert table["flight"].is_unique
    assert (table["arrived_at"] > table["decided_at"]).all()
    assert len(flights.FEATURES) == 16


def test_the_replay_is_every_fifth_flight_of_each_day_nearly(table: pd.DataFrame) -> None:
    sample = flights.replayed(table)

    all_days = table[~table["day"].str.slice(5, 7).isin(["01", "02"])].groupby("day").size()
    assert len(sample) == 16_719
    assert sample["scheduled_at"].is_monotonic_increasing
    assert (sample.groupby("day").size() - all_days / 5).abs().max() <= 1


@pytest.mark.slow
def test_whole_days_held_out_promise_less_than_a_random_split_would(table: pd.DataFrame) -> None:
    found = performance(flights.held_out(table))

    assert found.auc == pytest.approx(0.678, abs=0.01)
    assert found.log_loss == pytest.approx(0.514, abs=0.01)


def test_april_is_worse_than_promised_with_its_whole_interval_and_march_and_may_are_not(answered: pd.DataFrame) -> None:
    promised = 0.514

    low, _ = loss_interval(month(answered, 4))
    assert low > promised + 0.005
    assert loss_interval(month(answered, 3))[0] < promised
    assert performance(month(answered, 3)).log_loss == pytest.approx(0.489, abs=0.01)
    assert performance(month(answered, 4)).log_loss == pytest.approx(0.617, abs=0.012)
    assert performance(month(answered, 5)).log_loss == pytest.approx(0.477, abs=0.01)


def test_in_april_flights_are_late_more_often_than_the_champion_expects(answered: pd.DataFrame) -> None:
    april, may = performance(month(answered, 4)), performance(month(answered, 5))

    assert april.late - april.expected > 0.08
    assert abs(may.late - may.expected) < 0.02


def test_may_is_warmer_and_the_answers_are_none_the_worse(table: pd.DataFrame) -> None:
    sample = flights.replayed(table)
    march, may = (sample[sample["day"].str.startswith(f"2013-0{number}")] for number in (3, 5))

    assert stability_index(march["temp"], may["temp"]) > 5


def test_the_champion_goes_into_a_bundle_without_pickle(table: pd.DataFrame, champion: Any, tmp_path: Path) -> None:
    rows = flights.features(flights.training(table))
    draft = save(champion, tmp_path / "m", rows, name="flight-delays", nullable=flights.NULLABLE)
    bundle = write_bundle(tmp_path / "m", draft)
    sample = flights.features(flights.replayed(table))

    answers = load(bundle.folder, bundle.digest).predict(sample.to_dict("records"))

    assert bundle.manifest.native.serialization == "skops"
    assert [answer["score"] for answer in answers] == pytest.approx(champion.predict_proba(sample)[:, 1])
