"""The gateway as its callers see it, over real HTTP and with a real worker."""

from __future__ import annotations

import hashlib
import http.client
import shutil
import signal
import socket
import subprocess
import sys
from contextlib import closing, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest

from taxiway.endpoints.inferences.log import find, read
from taxiway.kernel.errors import revive
from tests.endpoints.conftest import Site, is_running, until

INVOKE = "/endpoints/adder/invocations"


def test_one_object_is_one_row(shared: Site) -> None:
    answer = shared.ask({"x": 2})

    assert answer.status == 200
    assert answer.body["predictions"] == [{"prediction": 3.0, "score": 0.5}]
    assert (answer.body["model"], answer.body["revision"]) == ("trial@1", 1)
    assert answer.headers["taxiway-prediction-id"] == answer.body["prediction_id"]


@pytest.mark.parametrize("body", [[{"x": 1}, {"x": 2}], {"rows": [{"x": 1}, {"x": 2}]}])
def test_a_batch_is_answered_in_order(shared: Site, body: object) -> None:
    assert shared.ask(body).predictions == [2.0, 3.0]


def test_every_answered_row_has_its_record(shared: Site) -> None:
    text = b'[\n {"x": 1},\r\n {"x": 2}\n]'
    prediction_id = shared.ask(text).body["prediction_id"]

    records = find(shared.home, prediction_id)

    assert [(r.row, r.inputs, r.outputs) for r in records] == [
        (0, {"x": 1}, {"prediction": 2.0, "score": 0.5}),
        (1, {"x": 2}, {"prediction": 3.0, "score": 0.5}),
    ]
    assert records[0].bundle_digest == shared.revisions[0].bundle_digest
    assert records[0].status == "answered"


def test_replayed_traffic_brings_its_event_times(shared: Site) -> None:
    one = shared.ask({"x": 1}, Taxiway_Event_Time="2013-05-01T06:00:00+02:00").body["prediction_id"]
    times = ["2013-05-02T00:00:00Z", "2013-05-03T00:00:00Z"]
    two = shared.ask({"rows": [{"x": 1}, {"x": 2}], "event_at": times}).body["prediction_id"]

    assert [r.event_at.isoformat() for r in find(shared.home, one)] == ["2013-05-01T04:00:00+00:00"]
    assert [r.event_at.day for r in find(shared.home, two)] == [2, 3]


@pytest.mark.parametrize(
    ("body", "status", "error", "names"),
    [
        (b"", 400, "BodyRefused", "it is empty"),
        (b'{"x": 1', 400, "BodyRefused", "truncated"),
        (b"[]", 400, "BodyRefused", "no rows"),
        (b'"x"', 400, "BodyRefused", "object"),
        (b'{"x": NaN}', 400, "BodyRefused", "malformed"),
        (b'{"mood": "\xff"}', 400, "BodyRefused", "cannot be read"),
        (b"[" * 100_000, 400, "BodyRefused", "nested too deeply"),
        (b'{"x":' * 100_000, 400, "BodyRefused", "nested too deeply"),
        (b'{"rows": [], "row": 1}', 400, "BodyRefused", "row"),
        (b'[{"x": 1}, {"x": "two"}]', 422, "InputMismatch", "Row 1, field 'x'"),
        (b'{"x": 1, "y": 2}', 422, "InputMismatch", "field 'y'"),
        (b"{}", 422, "InputMismatch", "Row 0, field 'x': nothing was given; give a finite number."),
        (b'[{"x": 1}, {"x": 1e999}]', 422, "InputMismatch", "Row 1, field 'x': 1e999 is not accepted"),
        (b"[1]", 400, "BodyRefused", "object"),
        (b'{"rows": [{"x": 1}], "event_at": ["yesterday"]}', 422, "EventTimeRefused", "yesterday"),
        (b'{"rows": [{"x": 1}], "event_at": []}', 422, "EventTimeRefused", "0 times for 1 rows"),
        (b'{"x": 1, "mood": "raise"}', 500, "ModelRaised", "ZeroDivisionError"),
    ],
)
def test_what_cannot_be_answered_is_refused_by_name(
    shared: Site, body: bytes, status: int, error: str, names: str
) -> None:
    answer = shared.ask(body)

    assert (answer.status, answer.body["error"]) == (status, error)
    assert names in answer.body["detail"]
    assert len(answer.body["request_id"]) == 32
    assert type(revive(error, answer.body["facts"])).__name__ == error
    assert shared.ask({"x": 1}).predictions == [2.0]


def test_addresses_and_methods_that_do_not_exist_are_refused(shared: Site) -> None:
    assert shared.ask({"x": 1}, name="nobody").body["error"] == "EndpointUnknown"
    assert shared.request("GET", "/").status == 404
    assert shared.request("GET", INVOKE).status == 405
    assert shared.request("POST", "/health", b"{}").status == 405
    assert shared.request("POST", "/endpoints/../adder/invocations", b"{}").status == 404


def test_a_token_is_asked_for_before_anything_is_read(served: Site) -> None:
    token = hashlib.sha256(b"secret").hexdigest()
    served.change("adder", login_required=True, token_hashes=(token,))
    until(lambda: served.ask(b"{bad").status == 401)

    assert served.ask({"x": 1}, Authorization="Bearer wrong").status == 401
    assert served.ask({"x": 1}, Authorization="Basic secret").headers["www-authenticate"] == "Bearer"
    assert served.ask({"x": 1}, Authorization="Bearer secret").predictions == [2.0]


def test_a_token_runs_out_though_no_server_says_so(served: Site) -> None:
    hashes = tuple(hashlib.sha256(each).hexdigest() for each in (b"short", b"long"))
    ends = (datetime.now(UTC) + timedelta(seconds=1.5), None)
    served.change("adder", login_required=True, token_hashes=hashes, expire_at=ends)
    until(lambda: served.ask({"x": 1}).status == 401)
    first = served.ask({"x": 1}, authorization="Bearer short").status

    until(lambda: served.ask({"x": 1}, authorization="Bearer short").status == 401, 5)

    assert first == 200
    assert served.ask({"x": 1}, authorization="Bearer long").status == 200


def test_who_may_not_call_an_endpoint_cannot_tell_that_it_is_there(served: Site) -> None:
    own, other = (hashlib.sha256(token).hexdigest() for token in (b"own", b"other"))
    served.change("adder", login_required=True, token_hashes=(own,))
    served.endpoints["twin"] = msgspec.structs.replace(served.endpoints["adder"], name="twin", token_hashes=(other,))
    served.revisions += [msgspec.structs.replace(one, endpoint="twin") for one in served.revisions]
    served.write()
    until(lambda: served.ask({"x": 1}, name="twin", Authorization="Bearer other").status == 200)

    def told(name: str, **headers: str) -> tuple[int, str]:
        answer = served.ask({"x": 1}, name=name, **headers)
        return answer.status, answer.body["detail"].replace(name, "NAME")

    for headers, status in (({}, 401), ({"Authorization": "Bearer no"}, 401), ({"Authorization": "Bearer other"}, 404)):
        assert told("adder", **headers) == told("nobody", **headers)
        assert told("adder", **headers)[0] == status


def test_pages_of_other_sites_are_kept_out(shared: Site) -> None:
    own = f"127.0.0.1:{shared.address.port}"

    assert shared.ask({"x": 1}, Host="evil.example").status == 421
    assert shared.ask({"x": 1}, Host=f"evil.example:{shared.address.port}").status == 421
    assert shared.request("GET", "/status", Host="evil.example").status == 421
    assert shared.ask({"x": 1}, Origin="http://evil.example").status == 403
    assert shared.ask({"x": 1}, Origin="null").status == 403
    assert shared.ask({"x": 1}, Content_Type="text/plain").status == 415
    assert shared.ask({"x": 1}, Origin=f"http://{own}").status == 200
    assert shared.ask({"x": 1}, Host=f"localhost:{shared.address.port}").status == 200


def test_a_body_past_the_limit_is_refused_whether_announced_or_not(shared: Site) -> None:
    large = b'{"x": 1, "mood": "' + b"m" * (9 << 20) + b'"}'
    assert shared.ask(large).status == 413

    with closing(shared.connection()) as connection:
        chunks = (large[i : i + 65536] for i in range(0, len(large), 65536))
        try:
            connection.request("POST", INVOKE, chunks, {"content-type": "application/json"})
            status = connection.getresponse().status
        except (ConnectionError, http.client.HTTPException):
            status = 413  # it hung up before we had sent all of it
    assert status == 413
    assert shared.ask({"x": 1}).predictions == [2.0]


def until_the_end(caller: socket.socket) -> bytes:
    """What still comes on a connection until the other side ends it. Raises TimeoutError where it stays open."""
    answered = b""
    with suppress(ConnectionResetError):  # an end in the middle of what was sent looks like this
        while piece := caller.recv(1000):
            answered += piece
    return answered


def test_a_head_that_is_too_large_ends_the_connection(shared: Site) -> None:
    with closing(socket.create_connection((shared.address.host, shared.address.port), 5)) as caller:
        caller.sendall(b"GET /health HTTP/1.1\r\nHost: localhost\r\n")
        with suppress(ConnectionError):  # it may be cut off in the middle, or find room for all of it on the way
            caller.sendall(b"x-filler: " + b"f" * 4_000_000 + b"\r\n")
        answered = until_the_end(caller)
    assert b" 200 " not in answered
    assert shared.ask({"x": 1}).status == 200


def test_a_number_that_json_cannot_say_travels_as_its_name(shared: Site) -> None:
    assert shared.ask({"x": 1, "mood": "nan"}).body["predictions"] == [{"prediction": 1.0, "score": "NaN"}]


def test_a_stopped_endpoint_says_so_and_comes_back(served: Site) -> None:
    served.change("adder", is_stopped=True)
    until(lambda: served.ask({"x": 1}).body.get("error") == "EndpointStopped")
    refused = served.ask({"x": 1})
    served.change("adder", is_stopped=False)
    served.until_live()

    assert (refused.status, refused.headers["retry-after"]) == (503, "30")
    assert served.ask({"x": 1}).predictions == [2.0]


def test_a_forged_configuration_changes_nothing_and_is_reported(served: Site) -> None:
    path = served.home / "gateway" / "configuration.json"
    envelope = msgspec.json.decode(path.read_bytes())
    path.write_bytes(msgspec.json.encode(envelope | {"signature": "AAAA"}))
    until(lambda: "changed after signing" in served.status().configuration_error)

    assert served.ask({"x": 1}).predictions == [2.0]
    served.stop(signal.SIGKILL)
    served.start()
    served.until_live()
    assert served.ask({"x": 1}).predictions == [2.0]
    assert served.status().serial == 1


def test_counters_go_on_after_a_restart_of_the_gateway(served: Site) -> None:
    served.ask([{"x": 1}, {"x": 2}])
    served.ask({"x": 1, "mood": "raise"})
    served.ask({"x": "what its model does not take"})
    before = served.revision()
    assert served.stop() == 0
    served.start()
    after = served.until_live()

    assert (before.requests, before.rows, before.errors, before.refused) == (1, 2, 1, 1)
    assert (after.requests, after.rows, after.errors, after.refused) == (1, 2, 1, 1)
    with closing(served.connection()) as connection:
        connection.request("GET", "/metrics")
        assert b'requests_refused_total{endpoint="adder",revision="1"' in connection.getresponse().read()
    assert after.cpu_seconds > before.cpu_seconds
    assert before.p50_ms is not None


def test_answers_outlive_a_killed_gateway_and_its_workers_do_not(served: Site) -> None:
    worker = served.revision().pids[0]
    answered = [served.ask({"x": x}).body["prediction_id"] for x in range(20)]
    served.stop(signal.SIGKILL)
    until(lambda: not is_running(worker))

    assert set(answered) <= set(read(served.home, "adder")["prediction_id"].to_pylist())
    served.start()
    served.until_live()
    assert [len(find(served.home, one)) for one in answered] == [1] * 20


def test_sigterm_ends_the_gateway_and_its_workers_cleanly(served: Site) -> None:
    worker = served.revision().pids[0]

    assert served.stop(signal.SIGTERM) == 0

    assert not is_running(worker)
    assert not (served.home / "gateway" / "address.json").exists()


def test_a_gateway_whose_home_is_deleted_ends(tmp_path: Path) -> None:
    home = tmp_path / "home"
    command = [sys.executable, "-m", "taxiway.endpoints.gateway.process", "--home", str(home)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        until((home / "gateway" / "address.json").exists)
        shutil.rmtree(home)

        assert process.wait(timeout=20) == 0

    assert not home.exists()


def test_there_is_one_gateway_for_a_home(shared: Site) -> None:
    command = [sys.executable, "-m", "taxiway.endpoints.gateway.process", "--home", str(shared.home)]

    second = subprocess.run(command, capture_output=True, text=True, timeout=10, check=False)

    assert second.returncode == 1
    assert "Another gateway runs" in second.stderr
    assert shared.ask({"x": 1}).predictions == [2.0]


def test_a_port_in_use_is_named(shared: Site, tmp_path: Path) -> None:
    port = str(shared.address.port)
    command = [sys.executable, "-m", "taxiway.endpoints.gateway.process", "--home", str(tmp_path), "--port", port]

    second = subprocess.run(command, capture_output=True, text=True, timeout=10, check=False)

    assert second.returncode == 1
    assert f"cannot listen on 127.0.0.1:{port}" in second.stderr
