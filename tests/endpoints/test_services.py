"""A service in Python behind a real gateway: approved, deployed, asked in several protocols, scored and traced."""

from __future__ import annotations

import http.client
import re
from argparse import Namespace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from playwright.sync_api import Page, expect

from taxiway.endpoints.commands import invoke
from taxiway.endpoints.refusals import RevisionRefused
from taxiway.models.predicting.signature import InputMismatch
from tests.endpoints.conftest import until
from tests.endpoints.test_pages import enter
from tests.endpoints.two_step import TwoStep
from tests.support.browser import assert_accessible

if TYPE_CHECKING:
    from tests.endpoints.running_server import Platform

PROJECT = "mortgages"


@pytest.fixture(scope="module")
def frame(platform: Platform, tmp_path_factory: pytest.TempPathFactory) -> pd.DataFrame:
    """The rows that are asked for; `two-step@1`, a service over two versions, answers for the endpoint `two-step`."""
    from tests.endpoints.running_server import applications

    rows, approved = applications()
    second = platform.promoted(strength=0.01)
    folder = tmp_path_factory.mktemp("service")
    (folder / "margin.txt").write_text("0.4")
    service = TwoStep()
    service.uses = {"first": "mortgage@1", "second": f"mortgage@{second.version}"}
    service.files = {"margin.txt": folder / "margin.txt"}
    with platform.ana.runs.start("two steps", project=PROJECT) as run:
        judged = pd.DataFrame({"approved": approved, "said": approved, "score": approved.astype(float)})
        pinned = run.log_predictions(judged, label="approved", prediction="said", score="score")
        run.log_model(service, "two-step", example=rows, predictions=pinned)
    platform.ana.gates.evaluate("two-step@1")
    platform.people["vera"].gates.approve("two-step@1", comment="both versions were looked at")
    platform.ana.models.promote("two-step@1", "staging")
    platform.ana.models.promote("two-step@1", "production", reason="better than either")
    return rows.iloc[:60]


def test_a_service_answers_the_same_in_every_protocol_and_in_a_file(
    platform: Platform, frame: pd.DataFrame, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    with pytest.raises(RevisionRefused, match="code"):
        platform.olu.endpoints.deploy("two-step", "two-step@1")
    revision = platform.olu.endpoints.deploy("two-step", "two-step@1", may_run_code=True)
    assert revision.state == "live"

    answer = platform.ana.endpoints.invoke("two-step", frame)
    rows = msgspec.json.decode(frame.to_json(orient="records"))

    own = answer.predictions
    assert {each["by"] for each in own} == {"first", "second"}
    assert [each["where"] for each in own] == [f"district {row['district']}" for row in rows]
    told = post(platform, "/endpoints/two-step/invocations", {"dataframe_records": rows, "params": {"score": True}})
    assert told["predictions"] == own
    told = post(platform, "/v1/models/two-step:predict", {"instances": rows, "parameters": {"score": True}})
    assert told["predictions"] == own
    assert tensors(platform, frame) == {name: [each[name] for each in own] for name in own[0]}

    frame.to_parquet(tmp_path / "in.parquet")
    platform.ana.endpoints.score("two-step@1", tmp_path / "in.parquet", tmp_path / "out.parquet", may_run_code=True)
    scored = pq.read_table(tmp_path / "out.parquet").to_pydict()
    for name in ("prediction", "by", "where"):
        assert scored[name] == [each[name] for each in own]
    np.testing.assert_allclose(scored["score"], [each["score"] for each in own], rtol=0, atol=1e-14)

    trace = platform.ana.endpoints.trace(answer.prediction_id)
    assert (trace.version.ref, trace.is_same_bundle, trace.rows[0].outputs) == ("model:two-step@1", True, own[0])
    with pytest.raises(InputMismatch, match="district"):
        platform.ana.endpoints.invoke("two-step", {"income": 3.0, "married": True})


def test_it_streams_through_the_server_and_past_it(
    platform: Platform, frame: pd.DataFrame, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    row = msgspec.json.decode(frame.iloc[:1].to_json(orient="records"))[0]
    platform.olu.endpoints.deploy("two-step", "two-step@1", may_run_code=True)

    through = list(platform.ana.endpoints.stream("two-step", row))
    past = list(platform.at_gateway().endpoints.stream("two-step", row))
    whole = list(platform.ana.endpoints.stream("mortgage", row))
    (tmp_path / "row.json").write_bytes(msgspec.json.encode(row))
    given = Namespace(name="two-step", file=str(tmp_path / "row.json"), at=None, stream=True)
    assert invoke(platform.ana, given) is None

    assert through == past
    assert [each["by"] for each in through] == ["first", "second"]
    assert whole == platform.ana.endpoints.invoke("mortgage", row).predictions
    assert [msgspec.json.decode(line) for line in capsys.readouterr().out.splitlines()] == through
    with pytest.raises(InputMismatch, match="district"):
        list(platform.ana.endpoints.stream("two-step", {"income": 3.0, "married": True}))
    stopping = platform.ana.endpoints.stream("two-step", row)
    next(stopping)
    stopping.close()
    assert platform.ana.endpoints.invoke("mortgage", row).predictions == whole


@pytest.mark.browser
@pytest.mark.slow
def test_the_page_shows_pieces_as_they_come(platform: Platform, frame: pd.DataFrame, page: Page) -> None:
    platform.olu.endpoints.deploy("two-step", "two-step@1", may_run_code=True)
    enter(page, platform, "olu")
    page.goto(f"{platform.url}/endpoints/two-step#try")
    panel, pieces = page.get_by_role("region", name="The answer in pieces"), page.get_by_role("log")

    page.get_by_role("button", name="Predict", exact=True).click()
    expect(panel.get_by_role("status")).to_contain_text(re.compile("^.?2 pieces in .*the first after"))
    expect(pieces).to_contain_text(re.compile("by first\nprediction .*by second"))
    assert_accessible(page)

    page.get_by_label("income").fill("1000000")
    page.get_by_role("button", name="Predict", exact=True).click()
    expect(pieces).to_contain_text("0 1 2 3 ")
    before = platform.ana.endpoints.show("two-step").revisions[0]
    page.get_by_role("button", name="Stop", exact=True).click()
    expect(panel.get_by_role("status")).to_contain_text("Stopped after")
    until(lambda: platform.ana.endpoints.show("two-step").revisions[0].abandoned == before.abandoned + 1)
    assert platform.ana.endpoints.show("two-step").revisions[0].errors == before.errors

    page.get_by_label("income").fill("10000000")
    page.get_by_role("button", name="Predict", exact=True).click()
    expect(panel.get_by_role("alert")).to_contain_text("ZeroDivisionError")
    expect(pieces).to_have_text("0 1 2 ")
    page.get_by_label("income").fill("much")
    page.get_by_role("button", name="Predict", exact=True).click()
    expect(panel.get_by_role("alert")).to_contain_text("field 'income': 'much' is not accepted")

    page.get_by_label("income").fill("66")
    page.get_by_role("button", name="Predict whole").click()
    expect(page.get_by_role("status").filter(has_text="Trace this prediction")).to_contain_text("where district")


def post(platform: Platform, path: str, body: object) -> Any:
    """What the gateway answers ana to a body in JSON."""
    connection = http.client.HTTPConnection(platform.gateway.host, platform.gateway.port, timeout=20)
    headers = {"content-type": "application/json", "authorization": f"Bearer {platform.ana.transport.token}"}
    connection.request("POST", path, msgspec.json.encode(body), headers)
    response = connection.getresponse()
    data = response.read()
    connection.close()
    assert response.status == 200, data
    return msgspec.json.decode(data)


def tensors(platform: Platform, frame: pd.DataFrame) -> dict[str, list[Any]]:
    """The answers by column, as the Open Inference Protocol gives them."""
    kinds = {"f": "FP64", "i": "INT64", "b": "BOOL"}
    inputs = [
        {"name": name, "shape": [len(frame)], "datatype": kinds[frame[name].dtype.kind], "data": frame[name].tolist()}
        for name in frame
    ]
    told = post(platform, "/v2/models/two-step/infer", {"inputs": inputs})
    return {each["name"]: each["data"] for each in told["outputs"]}
