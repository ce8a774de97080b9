"""A server with its gateway and workers as real processes: answering, refusing, stopped, killed, taken over."""

from __future__ import annotations

import http.client
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from taxiway.endpoints.contract import Answer, Label
from taxiway.endpoints.refusals import EndpointStopped, GatewayAway, ModelRaised
from taxiway.endpoints.showing.told import tell
from taxiway.kernel.errors import SignInNeeded, TaxiwayError
from taxiway.models.predicting.signature import InputMismatch
from tests.endpoints.conftest import until
from tests.endpoints.running_server import BREAKS, PROJECT, ROW, Platform, is_over

pytestmark = pytest.mark.slow

PAGE = Path(__file__).parents[2] / "docs" / "endpoints.md"


def raised(ask: object) -> TaxiwayError | None:
    """What the gateway refuses with, if it does."""
    assert callable(ask)
    try:
        ask()
    except TaxiwayError as refusal:
        return refusal
    return None


def test_one_row_and_many_get_the_same_answers(platform: Platform) -> None:
    rows = [ROW, {**ROW, "income": 20.0}, {**ROW, "district": 0}]

    alone = [platform.ana.endpoints.invoke("mortgage", row).predictions[0] for row in rows]
    together = platform.ana.endpoints.invoke("mortgage", rows)

    assert together.predictions == alone
    assert (together.model, together.revision) == ("mortgage@1", 1)


def test_the_servers_port_and_the_gateways_answer_alike(platform: Platform) -> None:
    forwarded = platform.ana.endpoints.invoke("mortgage", ROW)
    direct = platform.at_gateway().endpoints.invoke("mortgage", ROW)

    assert forwarded.predictions == direct.predictions
    assert forwarded.prediction_id != direct.prediction_id


def test_a_large_body_is_passed_on_piece_by_piece(platform: Platform) -> None:
    answer = platform.ana.endpoints.invoke("mortgage", [ROW] * 5000)

    assert len(answer.predictions) == 5000


def test_the_id_is_in_the_header_and_on_a_refusal_too(platform: Platform) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", platform.port, timeout=30)
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {platform.ana.transport.token}"}
    connection.request("POST", "/endpoints/mortgage/invocations", msgspec.json.encode(ROW), headers)
    reply = connection.getresponse()
    answer = msgspec.json.decode(reply.read(), type=Answer)
    connection.request("POST", "/endpoints/mortgage/invocations", msgspec.json.encode(BREAKS), headers)
    failed = connection.getresponse()
    fault = msgspec.json.decode(failed.read())
    connection.close()

    assert reply.headers["Taxiway-Prediction-Id"] == answer.prediction_id
    assert failed.headers["Taxiway-Request-Id"] == fault["request_id"]
    assert platform.ana.endpoints.trace(fault["request_id"]).rows[0].status == "failed"


def test_a_model_that_raises_costs_that_request_alone(platform: Platform) -> None:
    workers = platform.workers()

    with pytest.raises(ModelRaised, match="unknown categories"):
        platform.ana.endpoints.invoke("mortgage", BREAKS)

    assert platform.ana.endpoints.invoke("mortgage", ROW).predictions
    assert platform.workers() == workers


def test_a_row_that_does_not_fit_is_refused_by_row_and_field(platform: Platform) -> None:
    with pytest.raises(InputMismatch) as refusal:
        platform.ana.endpoints.invoke("mortgage", [ROW, {**ROW, "income": "much"}])

    assert (refusal.value.row, refusal.value.field) == (1, "income")


def test_without_the_role_nobody_asks(platform: Platform) -> None:
    nobody = platform.client(platform.url)

    with pytest.raises(SignInNeeded):
        platform.people["eve"].endpoints.invoke("mortgage", ROW)
    with pytest.raises(SignInNeeded):
        nobody.endpoints.invoke("mortgage", ROW)


def test_a_prediction_is_traced_to_data_people_and_decisions(platform: Platform) -> None:
    answer = platform.ana.endpoints.invoke("mortgage", [ROW, {**ROW, "income": 20.0}])
    platform.ana.endpoints.label("mortgage", [Label(answer.prediction_id, 0, row=1)])

    trace = platform.ana.endpoints.trace(answer.prediction_id)

    assert [row.outputs for row in trace.rows] == answer.predictions
    assert [row.label and row.label.label for row in trace.rows] == [None, 0]
    assert (trace.revision.number, trace.revision.created_by, trace.is_same_bundle) == (1, "olu", True)
    assert trace.run is not None
    assert (trace.run.environment is not None, trace.run.params) == (True, {"C": 1.0})
    assert [data.ref for data in trace.datasets] == [f"dataset:{PROJECT}/loans@1"]
    assert trace.gates is not None
    gates = [(gate.gate, gate.verdict) for stage in trace.gates.stages for gate in stage.gates]
    assert gates == [("performance", "pass"), ("approvals", "pass")]
    approvals = [(a.by, a.comment) for stage in trace.gates.stages for a in stage.approvals]
    assert approvals == [("vera", "the errors are spread evenly")]
    story = tell(trace)
    assert story.index("revision 1".capitalize()) < story.index("vera approved it") < story.index("loans version 1")


def test_the_command_line_asks_and_traces(platform: Platform, tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_text("income,district,married\n66,2,true\n20,1,false\n")
    environment = {"TAXIWAY_URL": platform.url, "TAXIWAY_TOKEN": platform.ana.transport.token or "", "PATH": "/usr/bin"}

    def taxiway(*words: str) -> str:
        command = [sys.executable, "-m", "taxiway", "endpoints", *words]
        done = subprocess.run(command, capture_output=True, text=True, env=environment, check=True, timeout=60)
        return done.stdout

    answer = msgspec.json.decode(taxiway("invoke", "mortgage", str(tmp_path / "rows.csv"), "--json"), type=Answer)
    told = taxiway("trace", f"{answer.prediction_id}/1")

    assert len(answer.predictions) == 2
    assert "income=20, district=1, married=false" in told
    assert "“the errors are spread evenly”" in told


def test_the_example_of_the_documents_prints_what_it_says(platform: Platform, tmp_path: Path) -> None:
    code, *_ = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)  # the page begins with it
    promised = [line.removeprefix("# ") for line in code.splitlines() if line.startswith("# ")]
    environment = {"TAXIWAY_URL": platform.url, "TAXIWAY_TOKEN": platform.olu.transport.token or "", "PATH": "/usr/bin"}

    command = [sys.executable, "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=True, cwd=tmp_path)

    assert done.stdout.splitlines() == promised


def test_a_stopped_endpoint_answers_503_within_two_seconds(platform: Platform) -> None:
    platform.olu.endpoints.stop("mortgage", reason="looks odd")
    until(lambda: isinstance(raised(lambda: platform.ana.endpoints.invoke("mortgage", ROW)), EndpointStopped), 2.0)

    platform.olu.endpoints.start("mortgage", reason="it was looked at")
    platform.olu.endpoints.wait("mortgage", 1)
    assert platform.ana.endpoints.invoke("mortgage", ROW).revision == 1


def test_the_gateway_outlives_a_killed_server_and_the_next_one_takes_it_over(platform: Platform) -> None:
    gateway, direct = platform.gateway, platform.at_gateway()
    platform.end(signal.SIGKILL)

    assert direct.endpoints.invoke("mortgage", ROW).revision == 1

    platform.start()
    assert platform.gateway == gateway
    assert platform.ana.endpoints.invoke("mortgage", ROW).revision == 1
    platform.promoted(strength=0.1)
    assert platform.olu.endpoints.deploy("mortgage", "mortgage@2").state == "live"
    assert platform.ana.endpoints.invoke("mortgage", ROW).model == "mortgage@2"
    assert platform.olu.endpoints.roll_back("mortgage", 1).state == "live"
    assert platform.ana.endpoints.invoke("mortgage", ROW).model == "mortgage@1"


def test_a_server_that_is_told_to_stop_takes_everything_with_it(platform: Platform) -> None:
    platform.ana.endpoints.invoke("mortgage", ROW)
    pids = [platform.gateway.pid, *platform.workers()]

    assert platform.end() == 0

    assert all(is_over(pid) for pid in pids)
    kinds = {path.name.partition("-")[0] for path in (platform.home / "inferences" / "mortgage").iterdir()}
    assert kinds == {"sealed", "chain.jsonl"}
    platform.start_again()


def test_a_gateway_that_dies_is_started_again(platform: Platform) -> None:
    before = platform.gateway
    os.kill(before.pid, signal.SIGKILL)
    assert isinstance(raised(lambda: platform.ana.endpoints.invoke("mortgage", ROW)), GatewayAway)

    until(lambda: raised(lambda: platform.ana.endpoints.invoke("mortgage", ROW)) is None)

    assert platform.gateway.pid != before.pid


def test_what_a_revision_cost_is_kept(platform: Platform) -> None:
    # A gateway that was killed, as in a test before, counts on from what it wrote last, which may be a second old.
    first = platform.olu.endpoints.revision("mortgage", 1).requests
    while platform.olu.endpoints.revision("mortgage", 1).requests == first:
        platform.ana.endpoints.invoke("mortgage", ROW)
    before = platform.olu.endpoints.revision("mortgage", 1)
    for _ in range(5):
        platform.ana.endpoints.invoke("mortgage", ROW)
    platform.end()
    platform.start_again()

    after = platform.olu.endpoints.revision("mortgage", 1)
    assert after.requests - before.requests >= 5
    assert after.cpu_s > before.cpu_s
    assert after.live_at == before.live_at
