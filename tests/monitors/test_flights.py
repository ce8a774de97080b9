"""Act 2 on its real sample: the months of 2013 through the log, the labels and a monitor."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from taxiway.demo import flights
from taxiway.endpoints.contract import MOST_LABELS, Label
from taxiway.models.predicting.signature import Column, Signature
from tests.monitors.story import ENDPOINT, Served
from tests.support.live import Live

AT_ONCE = 2000
SIGNATURE = Signature(
    inputs=tuple(
        Column(name=name, type="string" if name in flights.NAMES else "number", nullable=name in flights.NULLABLE)
        for name in flights.FEATURES
    ),
    outputs=(Column(name="prediction", type="integer"), Column(name="score", type="number")),
)


def replay(served: Served, table: pd.DataFrame, answers: pd.DataFrame) -> None:
    """The sample as traffic at the flights' own times, and its labels."""
    labels: list[Label] = []
    for first in range(0, len(table), AT_ONCE):
        rows = flights.features(table.iloc[first : first + AT_ONCE])
        inputs = rows.astype(object).where(rows.notna(), None).to_dict("records")
        some = answers.iloc[first : first + AT_ONCE]
        times = [at.to_pydatetime() for at in some["scheduled_at"]]
        keys = served.traffic.send(inputs, some["score"].tolist(), at=times)
        labels += [Label(id_, int(late), row) for (id_, row), late in zip(keys, some["label"], strict=True)]
    for first in range(0, len(labels), MOST_LABELS):
        served.label(labels[first : first + MOST_LABELS])


@pytest.mark.slow
def test_april_alerts_may_drifts_unpaged_and_march_holds(
    open_live: Live, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    table = flights.read_flights()
    seen = flights.training(table)
    held_out = flights.held_out(table)
    said = {"late": held_out["label"], "said": held_out["prediction"], "score": held_out["score"]}
    reference = flights.features(seen).assign(late=seen["late"])
    served = Served(
        open_live,
        tmp_path,
        table=pa.Table.from_pandas(reference, preserve_index=False),
        said=pa.table({name: np.asarray(values) for name, values in said.items()}),
        signature=SIGNATURE,
    )
    sample = flights.replayed(table)
    replay(served, sample, flights.answers(sample, flights.champion(table)))

    monitor = served.olga.monitors.create(ENDPOINT)
    done = served.olga.monitors.evaluate(ENDPOINT)

    windows = {window.name: window for window in done.computed}
    march, april, may = (windows[f"{month} 2013"] for month in ("March", "April", "May"))
    assert monitor.rules.baseline == pytest.approx(0.514, abs=0.002)
    assert (march.performance_state, april.performance_state, may.performance_state) == ("ok", "alert", "ok")
    assert [alert.window_name for alert in done.opened] == ["April 2013"]
    temp = {name: {d.name: d.psi or 0 for d in window.drift}["temp"] for name, window in windows.items()}
    assert temp["May 2013"] > temp["April 2013"] > temp["March 2013"] > 0.25
    assert may.state == "drift noted"
    assert "temp" in may.noted
    assert april.score is not None
    assert april.score.psi is not None
    assert april.score.psi < 0.1
    assert "score drift is silent" in done.opened[0].explanation
    assert "as far in May 2013, where the model held" in done.opened[0].explanation
    assert [windows["June 2013"].noted, windows["June 2013"].state] == [[], "not enough yet"]  # an evening's 18 rows
