"""Attacks by size, by shape and by disguise: a limit to everything, one meaning for each request, none succeeds."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from urllib.parse import quote

import pytest

from tests.compat.mlflow.attacks import SMUGGLED
from tests.compat.mlflow.city import PROXY, V2, V3, City, attacked, not_refused
from tests.compat.mlflow.wire import send

SEARCHES = (f"{V2}/runs/search", f"{V2}/experiments/search", f"{V3}/traces/search")
DISGUISES: tuple[dict[str, str], ...] = (
    {"Host": "evil.example"}, {"Host": "127.0.0.1.evil.example"}, {"Host": ""}, {"Host": "127.0.0.1@evil.example"},
    {"Origin": "http://evil.example"}, {"Origin": "null"}, {"Origin": "http://127.0.0.1:1"}, {"Origin": "file://"},
    {"Origin": "http://localhost.evil.example"}, {"Origin": "http://["}, {"Sec-Fetch-Site": "cross-site"},
    {"Content-Type": "text/plain"}, {"Content-Type": "application/x-www-form-urlencoded"}, {"Content-Type": ""},
    {"Content-Type": "multipart/form-data; boundary=x"}, {"Content-Type": "application/jsonp"},
    {"Content-Type": "text/json"},
)  # fmt: skip


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> Iterator[City]:
    with attacked(tmp_path_factory.mktemp("city")) as city:
        yield city


def test_no_other_site_and_no_other_name_is_answered(city: City) -> None:
    before, body = city.counts(), {"name": "from elsewhere"}

    tried = [city.attack("POST", f"{V2}/experiments/create", body, headers=one) for one in DISGUISES]

    assert not_refused(tried) == []
    assert city.counts() == before


@pytest.mark.parametrize("method", ["OPTIONS", "GET", "POST"])
def test_no_page_of_another_site_may_read(city: City, method: str) -> None:
    headers = {"Origin": "http://evil.example", "Access-Control-Request-Method": "POST"}
    found = city.attack(method, f"{V2}/experiments/get?experiment_id={city.hers}", headers=headers)

    assert "access-control-allow" not in found.reply.head


def test_a_session_of_a_browser_carries_no_call(city: City) -> None:
    headers = {"Cookie": "taxiway_session=x"}

    assert city.attack("GET", f"{V2}/experiments/get?experiment_id=0", by="", headers=headers).status == 401


def test_a_method_is_what_the_request_says(city: City) -> None:
    before, target = city.counts(), f"{PROXY}/artifacts/{city.place}/secret.txt"
    for name in ("X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override"):
        city.attack("GET", target, headers={name: "DELETE"})
        city.attack("POST", f"{target}?_method=DELETE", b"{}", headers={name: "DELETE"})
    others = ("POST", "PATCH", "CONNECT", "TRACE", "FOO", "delete")

    assert not_refused(city.attack(method, target) for method in others) == []
    assert city.counts() == before


def test_bytes_that_unfold_are_not_unfolded(city: City) -> None:
    bomb, packed = gzip.compress(bytes(64 << 20), 9), {"Content-Encoding": "gzip"}
    spans = {"Content-Type": "application/x-protobuf", "x-mlflow-experiment-id": city.hers}
    tried = [
        city.attack("POST", "/v1/traces", bomb, headers=spans | packed),
        city.attack("POST", "/v1/traces", bomb[:100], headers=spans | packed),
        city.attack("POST", "/v1/traces", bomb, headers=spans | {"Content-Encoding": "gzip, gzip"}),
        city.attack("POST", "/v1/traces", b"x", headers=spans | {"Content-Encoding": "br"}),
        city.attack("POST", "/v1/traces", b"\xff" * 99, headers=spans),
        city.attack("POST", "/v1/traces", nested(5000), headers=spans),
        city.attack("POST", "/v1/traces", bytes(17 << 20), headers=spans),
        city.attack("POST", "/v1/traces", b"{}", headers={"x-mlflow-experiment-id": city.hers}),
        city.attack("POST", "/v1/traces", b"", headers={"Content-Type": "application/x-protobuf"}),
        city.attack("PUT", f"{PROXY}/artifacts/{city.place}/x", bomb, headers=packed),
        city.attack("POST", f"{V2}/runs/search", gzip.compress(b"{}"), headers=packed),
    ]

    assert not_refused(tried) == []


def nested(depth: int) -> bytes:
    """An export request in protobuf whose one attribute is a list in a list in a list."""
    data = b""
    for _ in range(depth):
        data = field(5, field(1, data))
    attribute = field(9, field(1, b"a") + field(2, data))
    return field(1, field(2, field(2, field(1, b"1" * 16) + field(2, b"2" * 8) + attribute)))


def field(number: int, data: bytes) -> bytes:
    size, length = len(data), b""
    while size > 127:
        length += bytes([size & 127 | 128])
        size >>= 7
    return bytes([number << 3 | 2]) + length + bytes([size]) + data


def test_there_is_a_limit_to_a_request(city: City) -> None:
    upload = f"/ajax-api/2.0/mlflow/upload-artifact?run_uuid={city.run}&path=x"
    tried = [
        city.attack("GET", f"{V2}/experiments/get", headers={"X": "a" * 70_000}),
        city.attack("GET", "/version", headers={f"X-{i}": "a" * 70 for i in range(1000)}),
        city.attack("GET", f"{V2}/experiments/get?experiment_id={'1' * 70_000}"),
        city.attack("POST", f"{V2}/runs/search", b"{}", headers={"Content-Length": str(1 << 40)}),
        city.attack("POST", upload, bytes(11 << 20)),
        city.attack("POST", f"{PROXY}/mpu/create/{city.place}", {"path": "x", "num_parts": 10**9}),
    ]

    assert not_refused(tried) == []


def test_there_is_a_limit_to_what_it_says(city: City) -> None:
    before = city.counts()
    point = {"value": 1, "timestamp": 1, "step": 0}
    many = {"run_id": city.run, "metrics": [point | {"key": f"k{i}"} for i in range(1001)]}
    deep = b'{"run_id":' + b"[" * 100_000 + b"]" * 100_000 + b"}"
    half = f'{{"run_id":"{city.run}","key":"\\ud800","value":"x"}}'.encode()
    location = {"mlflow_experiment": {"experiment_id": city.hers}}
    pattern = "name RLIKE '((a{1000}){1000}){1000}'"
    terms = " AND ".join(["params.a = 'b'"] * 3000)
    tried = [
        city.attack("POST", f"{V2}/runs/log-batch", deep),
        city.attack("POST", f"{V2}/runs/log-batch", many),
        city.attack("POST", f"{V2}/runs/search", b'{"filter":"a\\u0000b"}'),
        city.attack("POST", f"{V2}/runs/search", b'{"filter":"\xff"}'),
        city.attack("POST", f"{V2}/runs/set-tag", half),
        city.attack("POST", f"{V2}/runs/search", {"experiment_ids": ["0"], "filter": "a" * 50_000}),
        city.attack("POST", f"{V2}/runs/search", {"experiment_ids": ["0"], "filter": terms}),
        city.attack("POST", f"{V3}/traces/search", {"locations": [location], "filter": pattern}),
        city.attack(
            "POST", f"{V3}/traces/search", {"locations": [location], "filter": terms.replace("params", "tags")}
        ),
        city.attack("GET", f"{V2}/traces/tr-{'x' * 400}/info"),
    ]

    assert not_refused(tried) == []
    assert city.counts() == before


@pytest.mark.parametrize("path", SEARCHES)
def test_there_is_a_limit_to_a_page(city: City, path: str) -> None:
    location = {"mlflow_experiment": {"experiment_id": city.hers}}
    asked = {"experiment_ids": [city.hers], "locations": [location], "max_results": 1}
    sizes: tuple[object, ...] = (0, -1, 10**9, 2**63, 2**53 + 1, "x", 1.5, True, [1], {})
    tokens = ("x", "!!", "LTE=", "OTk5OTk5OTk5OTk5OTk5OTk5OTk5OTk5", "W10=", "a" * 10_000)
    tried = [city.attack("POST", path, asked | {"max_results": size}) for size in sizes]
    tried += [city.attack("POST", path, asked | {"page_token": token}) for token in tokens]

    assert not_refused(tried) == []


@pytest.mark.parametrize("shape", SMUGGLED)
def test_a_request_ends_where_its_head_says(city: City, shape: str) -> None:
    before, host = city.counts(), city.live.url.removeprefix("http://")
    inner = (
        f"DELETE {PROXY}/artifacts/{city.place}/secret.txt HTTP/1.1\r\nHost: {host}\r\n"
        f"Authorization: Bearer {city.tokens['ana']}\r\nContent-Length: 0\r\n\r\n"
    )
    head = f"POST {V2}/runs/search HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\n"
    reply = send(city.live.url, (head + shape.replace("{body}", inner)).encode("latin-1"), timeout_s=0.5)

    assert reply.status in (0, *range(400, 500)), reply
    assert reply.answers <= 1
    assert city.counts() == before


def test_guessing_is_slowed_down(city: City) -> None:
    target = f"{V2}/experiments/get?experiment_id={city.hers}"
    found = {city.attack("GET", target, by=f"guess{number}").status for number in range(400)}

    assert found == {401, 429}
    assert city.attack("GET", target).status == 200


@pytest.mark.parametrize(
    "name",
    [
        "a/b",
        "a b",
        'a"b',
        "a'b",
        "a\nb",
        "x" * 10_000,
        "\U0001f600",
        "../../x",
        "<script>",
        "a;drop table runs",
        "%s%n",
    ],
)
def test_a_name_is_only_a_name(city: City, name: str) -> None:
    made = city.attack("POST", f"{V2}/experiments/create", {"name": name})
    tagged = city.attack("POST", f"{V2}/runs/set-tag", {"run_id": city.run, "key": "t", "value": name})
    found = city.attack("GET", f"{V2}/experiments/get-by-name?experiment_name={quote(name, safe='')}")

    assert {made.status, found.status} <= {200, 400, 403, 404}
    assert tagged.status == 200
