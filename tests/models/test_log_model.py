"""From a fitted estimator to a version and back to predictions, in three calls."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression

from taxiway.models.bundles.bundle import BundleTampered
from taxiway.models.predicting.flavours import FlavourMissing
from tests.support.live import Live

ROWS = pd.DataFrame({"income": [1.0, 2.0, 8.0, 9.0] * 10, "debt": [3.0, 2.0, 1.0, 0.5] * 10})
LABELS = [0, 0, 1, 1] * 10


@pytest.fixture(autouse=True)
def quiet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder to work in, and a cache of its own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path


def log(live: Live, note: str = "") -> str:
    client = live.client
    fitted = LogisticRegression().fit(ROWS, LABELS)
    scored = ROWS.assign(y=LABELS, p=fitted.predict_proba(ROWS)[:, 1], said=fitted.predict(ROWS))
    data = client.datasets.register("loans", ROWS, project="mortgages")
    with client.runs.start(project="mortgages") as run:
        run.use(data)
        predictions = run.log_predictions(scored, label="y", prediction="said", score="p", threshold=0.6)
        version = run.log_model(fitted, "mortgage", example=ROWS, predictions=predictions, note=note)
    return str(version.ref)


def test_a_logged_model_answers_after_loading_as_it_did_before(open_live: Live) -> None:
    open_live.client.projects.create("mortgages", risk="high")

    ref = log(open_live)
    version = open_live.client.models.find("mortgage")
    model = open_live.client.models.load("mortgage@1")

    assert ref == "model:mortgage@1"
    assert version.threshold == 0.6
    assert version.datasets == ["dataset:mortgages/loans@1"]
    assert [column.name for column in version.signature.inputs] == ["income", "debt"]
    assert version.environment is not None
    answers = model.predict([{"income": 9.0, "debt": 0.5}, {"income": 1.0, "debt": 3.0}])
    assert [answer["prediction"] for answer in answers] == [1, 0]


def test_a_flipped_byte_in_the_cache_is_refused_at_the_next_load(open_live: Live, quiet: Path) -> None:
    open_live.client.projects.create("mortgages", risk="high")
    log(open_live)
    open_live.client.models.load("mortgage")
    [file] = quiet.glob("cache/taxiway/bundles/*/model.skops")
    data = bytearray(file.read_bytes())
    data[100] ^= 1
    file.write_bytes(bytes(data))

    with pytest.raises(BundleTampered) as refusal:
        open_live.client.models.load("mortgage")

    assert refusal.value.file == "model.skops"


def test_what_no_flavour_handles_is_named(open_live: Live) -> None:
    open_live.client.projects.create("mortgages")

    with (
        pytest.raises(FlavourMissing, match=r"pathlib\."),
        open_live.client.runs.start(project="mortgages") as run,
    ):
        run.log_model(Path(), "mortgage", example=ROWS)
