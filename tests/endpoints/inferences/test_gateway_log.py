"""What the gateway records of a request, and what it tells of itself: over real HTTP and with a real worker."""

from __future__ import annotations

import hashlib
import http.client
import http.server
import threading
from contextlib import closing
from typing import Any

import msgspec
import pytest
from prometheus_client.parser import text_string_to_metric_families

from taxiway.endpoints.gateway.configuration import write_configuration
from taxiway.endpoints.gateway.trace_context import read_context
from taxiway.endpoints.inferences.log import find
from taxiway.endpoints.inferences.policy import LogPolicy
from tests.endpoints.conftest import Site, until

TRACE = "0af7651916cd43dd8448eb211c80319c"
PARENT = f"00-{TRACE}-b7ad6b7169203331-01"


def hashed(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def metrics(site: Site, **headers: str) -> dict[tuple[str, str], float]:
    """Each sample by its name and its labels, as another program reads them."""
    with closing(http.client.HTTPConnection(site.address.host, site.address.port, timeout=20)) as connection:
        connection.request("GET", "/metrics", headers=headers)
        answer = connection.getresponse()
        text = answer.read().decode()
    assert answer.getheader("content-type") == "text/plain; version=0.0.4; charset=utf-8"
    families = text_string_to_metric_families(text)
    return {
        (sample.name, ",".join(f"{n}={v}" for n, v in sorted(sample.labels.items()))): sample.value
        for family in families
        for sample in family.samples
    }


def test_a_callers_trace_goes_on_through_the_record_and_the_answer(shared: Site) -> None:
    answer = shared.ask({"x": 2}, traceparent=PARENT)
    id_ = answer.body["prediction_id"]

    (record,) = find(shared.home, id_)

    assert record.trace_id == TRACE
    assert answer.headers["traceresponse"] == f"00-{TRACE}-{id_[16:]}-01"


@pytest.mark.parametrize(
    "header", ["", "nonsense", f"00-{'0' * 32}-b7ad6b7169203331-01", PARENT.upper(), f"ff{PARENT[2:]}"]
)
def test_what_is_no_trace_is_as_if_it_were_not_there(shared: Site, header: str) -> None:
    answer = shared.ask({"x": 2}, traceparent=header)

    (record,) = find(shared.home, answer.body["prediction_id"])

    assert (answer.status, record.trace_id) == (200, "")
    assert "traceresponse" not in answer.headers
    assert read_context(header.encode()) is None


class Collector(http.server.ThreadingHTTPServer):
    """Takes spans as any collector would, and keeps them."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Taking)
        self.spans: list[dict[str, Any]] = []
        threading.Thread(target=self.serve_forever, daemon=True).start()


class Taking(http.server.BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        assert isinstance(self.server, Collector)
        sent = msgspec.json.decode(self.rfile.read(int(self.headers["content-length"])))
        assert self.path == "/v1/traces"
        self.server.spans += [s for r in sent["resourceSpans"] for o in r["scopeSpans"] for s in o["spans"]]
        self.send_response(200)
        self.end_headers()

    def log_message(self, *said: object) -> None:
        pass


def test_spans_go_to_the_collector_that_was_named_and_to_nobody_else(site: Site) -> None:
    site.deploy()
    site.start()
    until(lambda: site.ask({"x": 1}).status == 200)
    with Collector() as collector:
        site.serial += 1
        found = msgspec.structs.replace(
            site.write(), serial=site.serial + 1, otlp=f"http://127.0.0.1:{collector.server_port}"
        )
        site.serial += 1
        write_configuration(site.home / "gateway", found, site.sign)
        until(lambda: site.status().serial == found.serial)

        traced = site.ask({"x": 2}, traceparent=PARENT).body["prediction_id"]
        site.ask({"x": 2}, traceparent=f"{PARENT[:-2]}00")  # its caller keeps no trace
        plain = site.ask([{"x": 2}, {"x": 3}]).body["prediction_id"]
        until(lambda: len(collector.spans) >= 2)
        collector.shutdown()

    first, second = collector.spans
    assert (first["traceId"], first["parentSpanId"], first["spanId"]) == (TRACE, "b7ad6b7169203331", traced[16:])
    assert (second["traceId"], second["name"]) == (plain, "predict adder")
    assert {"key": "taxiway.rows", "value": {"intValue": "2"}} in second["attributes"]
    assert int(second["endTimeUnixNano"]) > int(second["startTimeUnixNano"])


def test_a_record_names_the_account_and_never_the_token(site: Site) -> None:
    site.deploy(login_required=True, token_hashes=(hashed("tw_secret"),), callers=("ana",))
    site.start()
    until(lambda: site.ask({"x": 1}, Authorization="Bearer tw_secret").status == 200)

    answer = site.ask({"x": 2}, Authorization="Bearer tw_secret")

    assert [each.caller for each in find(site.home, answer.body["prediction_id"])] == ["ana"]
    texts = b"".join(path.read_bytes() for path in (site.home / "inferences" / "adder").iterdir())
    assert b"tw_secret" not in texts


def test_the_figures_are_read_by_those_who_may_call_and_count_what_happened(site: Site) -> None:
    calls: dict[str, Any] = {"login_required": True, "token_hashes": (hashed("tw_a"),), "callers": ("ana",)}
    site.deploy(**calls, log=LogPolicy("acknowledged"))
    site.deploy(name="other", login_required=True, token_hashes=(hashed("tw_b"),), callers=("bob",))
    site.start()
    asked = {"Authorization": "Bearer tw_a"}
    until(lambda: site.ask({"x": 1}, **asked).status == 200)
    first = metrics(site, **asked)
    for _ in range(3):
        site.ask([{"x": 1}, {"x": 2}], **asked)
    site.ask({"x": "two"}, **asked)

    found = metrics(site, **asked)

    here = "endpoint=adder,revision=1"
    assert (
        found["taxiway_request_duration_seconds_count", here]
        == 3 + first["taxiway_request_duration_seconds_count", here]
    )
    assert found["taxiway_request_rows_bucket", "endpoint=adder,le=2,revision=1"] >= 3
    assert found["taxiway_refusals_total", "endpoint=adder,kind=InputMismatch,status=422"] == 1
    assert found["taxiway_log_acknowledged", "endpoint=adder"] == 1
    assert found["taxiway_log_records_total", "endpoint=adder"] >= 7
    assert found["taxiway_log_syncs_total", "endpoint=adder"] >= 4
    assert not [labels for _, labels in found if "endpoint=other" in labels]
    assert site.request("GET", "/metrics").status == 401


def test_what_a_gateway_lost_stays_counted_after_it(site: Site) -> None:
    site.deploy()
    site.start()
    until(lambda: site.ask({"x": 1}).status == 200)
    status = site.status()
    site.stop()
    kept = msgspec.structs.replace(status.logs[0], unrecorded=7, refused=2)
    path = site.home / "gateway" / "status.json"
    path.write_bytes(msgspec.json.encode(msgspec.structs.replace(status, logs=[kept])))

    site.start()

    (log,) = site.status().logs
    assert (log.endpoint, log.unrecorded, log.refused, log.rows) == ("adder", 7, 2, 0)


def test_what_is_personal_lies_nowhere_in_the_home_as_it_came(shared: Site) -> None:
    shared.deploy("1", name="private", log=LogPolicy("buffered", personal=("x",), subject="mood"))
    shared.until_live(name="private")

    answer = shared.ask({"x": 987654.25, "mood": "print"}, name="private")
    before = shared.status().at
    until(lambda: shared.status().revisions != [] and (shared.status().at - before).total_seconds() > 1.5)

    assert answer.predictions == [987655.25]
    (record,) = find(shared.home, answer.body["prediction_id"])
    assert (record.inputs, record.personal != "") == ({}, True)
    files = [path for path in shared.home.rglob("*") if path.is_file()]
    assert [path.name for path in files if b"987654.25" in path.read_bytes()] == []
