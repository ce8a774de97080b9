"""Endpoints that answer elsewhere: registered through the gates, their logs fed in, traced and labelled as our own."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from taxiway.endpoints.external.contract import Fed, FedRecord
from taxiway.endpoints.external.refusals import EndpointExternal, EndpointHere, PredictionAmbiguous
from taxiway.endpoints.external.writing import MARK
from taxiway.endpoints.inferences.ageing.sealing import seal_and_merge
from taxiway.endpoints.inferences.policy import LogPolicy
from taxiway.endpoints.refusals import EndpointStopped
from taxiway.kernel.errors import BadField, NotAllowed
from taxiway.models.predicting.signature import InputMismatch
from taxiway.monitors.measuring import log_size
from tests.endpoints.story import Stage
from tests.gates.doors import Visitor
from tests.support.live import Live

LONG_AGO = datetime.now(UTC) - timedelta(days=20)


def record(number: int, **more: object) -> FedRecord:
    at = LONG_AGO + timedelta(minutes=number)
    values = {"inputs": INPUTS, "outputs": {"prediction": number % 2, "score": 0.25}, "latency_ms": 3.5, **more}
    return FedRecord(prediction_id=f"call-{number}", at=at, **values)  # type: ignore[arg-type]


INPUTS: dict[str, object] = {}


@pytest.fixture
def stage(sqlite_live: Live, tmp_path: Path) -> Stage:
    """`mortgage@1` is in production and served elsewhere as `far`."""
    stage = Stage(sqlite_live, tmp_path)
    stage.promoted()
    INPUTS.clear()
    INPUTS.update(example(stage))
    stage.olu.endpoints.register_external("far", "mortgage@1", url="https://far.example/score", note="by the bank")
    return stage


def example(stage: Stage) -> dict[str, object]:
    version = stage.ana.models.find("mortgage@1")
    return {column.name: 1 for column in version.signature.inputs}


def test_what_is_fed_is_traced_labelled_counted_and_served_by_nobody_here(stage: Stage) -> None:
    shown = stage.olu.endpoints.show("far").endpoint
    assert (shown.state, shown.is_external, shown.url) == ("elsewhere", True, "https://far.example/score")
    written = stage.configuration()
    assert (written.endpoints, written.revisions) == ((), ())

    fed = stage.olu.endpoints.feed("far", [record(n) for n in range(3)])

    assert fed == Fed(3)
    trace = stage.ana.endpoints.trace("call-1")
    answered = {"prediction": 1, "score": 0.25}
    assert (trace.version.ref, trace.rows[0].outputs, trace.at) == ("model:mortgage@1", answered, record(1).at)
    assert trace.gates is not None
    taken = stage.olu.endpoints.label(
        "far", [{"prediction_id": "call-1", "label": 1}, {"prediction_id": "x", "label": 0}]
    )
    assert (taken.new, taken.unknown) == (1, ["x/0"])
    label = stage.ana.endpoints.trace(trace.prediction_id).rows[0].label
    assert label is not None
    assert label.label == 1
    revision = stage.olu.endpoints.show("far").revisions[0]
    assert (revision.requests, revision.rows, revision.p50_ms) == (3, 3, 3.5)
    log = stage.olu.endpoints.log("far")
    assert log["protocol"].to_pylist() == ["external"] * 3
    assert stage.live.last_verb() == "endpoints.label"


def test_twice_is_once_also_after_a_kill_between_file_and_database(stage: Stage) -> None:
    stage.olu.endpoints.feed("far", [record(0), record(1)])

    again = stage.olu.endpoints.feed("far", [record(1), record(2), record(0, outputs={"prediction": 1})])

    assert (again.new, again.known, again.conflicts) == (1, 1, ["call-0/0"])
    # The file was written, the database never heard of it.
    folder = stage.home / "inferences" / "far"
    assert not (folder / MARK).exists()
    with stage.live.house.database.engine.begin() as connection:
        connection.exec_driver_sql("DELETE FROM fed_predictions")
    (folder / MARK).touch()
    seal_and_merge(stage.home, datetime.now(UTC))
    assert stage.olu.endpoints.feed("far", [record(n) for n in range(4)]).new == 4
    assert sorted(stage.olu.endpoints.log("far")["prediction_id"].to_pylist()) == sorted(
        {stage.ana.endpoints.trace(f"call-{n}").prediction_id for n in range(4)}
    )
    seal_and_merge(stage.home, datetime.now(UTC))
    assert stage.olu.endpoints.inferences("far").check().problems == []
    assert log_size(stage.home, "far")


@pytest.mark.parametrize(
    ("bad", "error", "said"),
    [
        ({"inputs": {"nobody": 1}}, InputMismatch, "Row 1001, field 'nobody'"),
        ({"outputs": {"score": 0.5}}, BadField, r"records\[1001\].outputs.prediction"),
        ({"outputs": None}, BadField, r"records\[1001\].outputs"),
        ({"event_at": "yesterday"}, BadField, r"records\[1001\].event_at"),
        ({"at": datetime.now(UTC) + timedelta(days=1)}, BadField, r"records\[1001\].at"),
    ],
)
def test_a_bad_record_is_named_and_nothing_of_the_file_is_stored(
    stage: Stage, tmp_path: Path, bad: dict[str, object], error: type[Exception], said: str
) -> None:
    rows: list[dict[str, object]] = [
        {"prediction_id": f"c{n}", "at": LONG_AGO.isoformat(), "inputs": dict(INPUTS), "outputs": {"prediction": 1}}
        for n in range(1003)
    ]
    rows[1001] |= bad
    file = tmp_path / "log.jsonl"
    file.write_text("\n".join(json.dumps(row, default=str) for row in rows))

    with pytest.raises(error, match=said):
        stage.olu.endpoints.feed("far", file)

    assert stage.olu.endpoints.log("far").num_rows == 0


def test_a_table_is_fed_by_its_columns_and_masked_by_the_policy(stage: Stage, tmp_path: Path) -> None:
    field = next(iter(INPUTS))
    policy = LogPolicy(hash=(field,))
    stage.olu.endpoints.inferences("far").keep(policy, reason="less of people")
    columns = {
        "prediction_id": ["a", "b"],
        "at": pa.array([LONG_AGO, LONG_AGO], pa.timestamp("us", "UTC")),
        "inputs": [json.dumps(INPUTS)] * 2,
        "outputs": [{"prediction": 1}, None],
        "error": [None, "it timed out"],
    }
    pq.write_table(pa.table(columns), tmp_path / "log.parquet")

    assert stage.olu.endpoints.feed("far", tmp_path / "log.parquet").new == 2

    log = stage.olu.endpoints.log("far").to_pylist()
    assert [each["status"] for each in log] == ["answered", "failed"]
    assert "hmac-sha256" in str(log[0])
    revision = stage.olu.endpoints.show("far").revisions[0]
    assert (revision.requests, revision.errors) == (1, 1)


def test_only_its_own_doors_move_it_and_only_who_operates_feeds_it(stage: Stage) -> None:
    for act in (
        lambda: stage.olu.endpoints.deploy("far", "mortgage@1", wait=False),
        lambda: stage.olu.endpoints.traffic("far").split({1: 100}),
        lambda: stage.olu.endpoints.declare_fallback("far", {"prediction": 0}),
    ):
        with pytest.raises(EndpointExternal):
            act()
    stage.olu.endpoints.deploy("near", "mortgage@1", wait=False)
    with pytest.raises(EndpointHere):
        stage.olu.endpoints.register_external("near", "mortgage@1")
    with pytest.raises(EndpointHere):
        stage.olu.endpoints.feed("near", [record(0)])
    with pytest.raises(NotAllowed):
        stage.ana.endpoints.feed("far", [record(0)])


def test_a_stopped_one_takes_no_log_until_it_is_started(stage: Stage) -> None:
    stopped = stage.olu.endpoints.stop("far", reason="odd answers")
    assert (stopped.state, stopped.is_external) == ("stopped", True)
    with pytest.raises(EndpointStopped, match="odd answers"):
        stage.olu.endpoints.feed("far", [record(0)])
    stage.olu.endpoints.start("far", reason="it was looked at")

    assert stage.olu.endpoints.feed("far", [record(0)]).new == 1


def test_a_monitor_measures_what_was_fed_and_the_page_offers_nothing_that_cannot_be(stage: Stage) -> None:
    stage.olu.endpoints.feed("far", [record(n) for n in range(60)])
    stage.olu.endpoints.label("far", [{"prediction_id": f"call-{n}", "label": n % 2} for n in range(60)])

    columns = {**{name: [1.0, 2.0] * 50 for name in INPUTS}, "score": [0.25, 0.3] * 50}
    seen = stage.ana.datasets.register("seen", pa.table(columns), project="mortgages")
    stage.olu.monitors.create("far", reference=seen.ref, baseline=0.7, window="day")
    stage.olu.monitors.evaluate("far")

    windows = stage.olu.monitors.windows("far")
    assert sum(window.rows for window in windows) == 60
    page = Visitor(stage, "olu").request("GET", "/endpoints/far")
    assert "Served by others" in page
    assert "https://far.example/score" in page
    for absent in ("Try it", "Ask it from a program", "/endpoints/far/deploy", "/endpoints/far/traffic"):
        assert absent not in page


def captured(number: int, **more: object) -> dict[str, object]:
    """A line of SageMaker's data capture."""
    asked = {"encoding": "JSON", "mode": "INPUT", "observedContentType": "application/json"}
    answered = {"encoding": "CSV", "mode": "OUTPUT", "observedContentType": "text/csv", "data": f"{number % 2},0.25"}
    said = {"eventId": f"sm-{number}", "inferenceTime": (LONG_AGO + timedelta(minutes=number)).isoformat()}
    data = {"endpointInput": {**asked, "data": json.dumps({**INPUTS, **more})}, "endpointOutput": answered}
    return {"captureData": data, "eventMetadata": said, "eventVersion": "0"}


def collected(kind: str, number: int, row: object) -> dict[str, object]:
    """A line of Azure ML's data collector."""
    at = (LONG_AGO + timedelta(minutes=number)).isoformat()
    said = {"specversion": "1.0", "type": f"azureml.inference.model_{kind}", "time": at, "source": "/s"}
    return {**said, "id": f"{kind}-{number}", "correlationid": f"az-{number}", "data": [row]}


def write_lines(path: Path, lines: list[dict[str, object]]) -> str:
    path.write_text("\n".join(json.dumps(line) for line in lines))
    return str(path)


def taxiway(stage: Stage, *words: str) -> str:
    environment = {"TAXIWAY_URL": stage.live.url, "TAXIWAY_TOKEN": stage.olu.transport.token or "", "PATH": "/usr/bin"}
    command = [sys.executable, "-m", "taxiway", "endpoints", *words]
    return subprocess.run(command, capture_output=True, text=True, env=environment, check=True, timeout=60).stdout


def test_what_other_platforms_captured_is_fed_from_their_own_files(stage: Stage, tmp_path: Path) -> None:
    one = write_lines(tmp_path / "capture.jsonl", [captured(n) for n in range(3)])
    asked = write_lines(tmp_path / "in.jsonl", [collected("inputs", n, INPUTS) for n in range(4)])
    answer = {"prediction": 1, "score": 0.75}
    answered = write_lines(tmp_path / "out.jsonl", [collected("outputs", n, answer) for n in (2, 0, 1)])

    assert stage.olu.endpoints.feed("far", one) == Fed(3)
    assert taxiway(stage, "feed", "far", asked, "--also", answered).startswith("3 new")
    assert stage.olu.endpoints.feed("far", [asked, answered]) == Fed(0, known=3, unpaired=1)
    assert stage.olu.endpoints.feed("far", [captured(7)], form="sagemaker").new == 1
    assert stage.ana.endpoints.trace("sm-1").rows[0].outputs == {"prediction": 1, "score": 0.25}
    assert stage.ana.endpoints.trace("az-2").rows[0].inputs == INPUTS
    bad = write_lines(tmp_path / "bad.jsonl", [captured(8), captured(9, nobody=1)])
    with pytest.raises(BadField, match=r"bad\.jsonl, line 2, row 0, nobody"):
        stage.olu.endpoints.feed("far", bad)
    assert stage.olu.endpoints.log("far").num_rows == 7


def test_an_id_that_two_endpoints_were_fed_is_told_apart(stage: Stage) -> None:
    stage.olu.endpoints.register_external("near", "mortgage@1")
    for name, prediction in (("far", 0), ("near", 1)):
        stage.olu.endpoints.feed(name, [record(0, outputs={"prediction": prediction})])

    with pytest.raises(PredictionAmbiguous, match="ENDPOINT:call-0"):
        stage.ana.endpoints.trace("call-0")

    assert [stage.ana.endpoints.trace(f"{name}:call-0").endpoint for name in ("far", "near")] == ["far", "near"]


@pytest.mark.parametrize("year", [1, 1969, 9999])
def test_an_event_outside_of_any_sensible_time_is_named(stage: Stage, year: int) -> None:
    with pytest.raises(BadField, match=rf"records\[1\]\.event_at.*{year:04}"):
        stage.olu.endpoints.feed("far", [record(0), record(1, event_at=datetime(year, 12, 31, tzinfo=UTC))])


def test_what_is_fed_of_a_person_is_gone_once_the_person_is_erased(stage: Stage) -> None:
    who, person = next(iter(INPUTS)), 60_007 * 78_401  # runs keep this file's text, where the product is not
    stage.olu.endpoints.inferences("far").keep(LogPolicy(personal=(who,), subject=who), reason="DPIA")
    told = {"outputs": None, "error": f"ValueError: {who} {person} is odd"}
    stage.olu.endpoints.feed("far", [record(0, inputs={**INPUTS, who: person}), record(1, **told)])
    waiting = stage.home / "fetched"
    waiting.mkdir(exist_ok=True)
    (waiting / "left.arrow").write_bytes(str(person).encode())

    stage.live.client.endpoints.inferences("far").erase(str(person), reason="asked for")
    seal_and_merge(stage.home, datetime.now(UTC))

    kept = b"".join(path.read_bytes() for path in stage.home.rglob("*") if path.is_file() and path.suffix != ".sqlite")
    assert str(person).encode() not in kept
    assert list(waiting.iterdir()) == []
    assert stage.ana.endpoints.trace("call-1").rows[0].error == "ValueError"
