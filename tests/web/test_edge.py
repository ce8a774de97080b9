"""The outermost ring: what is refused before any handler looks at a request."""

from __future__ import annotations

import json
import socket
import time
from urllib.parse import urlsplit

import pytest

from taxiway.web import protocol
from taxiway.web.edge import HEADERS
from tests.support.live import Live
from tests.web.browse import Answer, Visitor

JSON = "application/json"
ADDRESSES = ("/", "/api/projects", "/nothing", "/api/nothing", "/static/tokens.css")


@pytest.fixture
def anybody(open_live: Live) -> Visitor:
    """A visitor of a server without login: whatever is refused is refused by the edge."""
    return Visitor(open_live.url)


def send(visitor: Visitor, method: str, path: str, body: str = "{}", **headers: str) -> Answer:
    given = {"Content-Type": JSON, "Accept": JSON} | {name.replace("_", "-"): v for name, v in headers.items()}
    return visitor.ask(method, path, body=body.encode(), headers=given)


def refusal(answer: Answer) -> str:
    assert answer.headers["Content-Type"] == "application/problem+json"
    name: str = json.loads(answer.text)["error"]
    return name


@pytest.mark.parametrize("host", ["evil.test", "evil.test:80", "localhost.evil.test", "", "127.0.0.1.evil.test"])
def test_a_name_that_is_not_ours_is_refused(anybody: Visitor, host: str) -> None:
    answer = anybody.ask("GET", "/api/projects", headers={"Host": host})

    assert (answer.status, refusal(answer)) == (421, "WrongHost")


@pytest.mark.parametrize("host", ["localhost", "localhost:5500", "127.0.0.1", "[::1]:5500", "LOCALHOST"])
def test_every_name_of_this_machine_is_ours(anybody: Visitor, host: str) -> None:
    assert anybody.ask("GET", "/health", headers={"Host": host}).status == 200


@pytest.mark.parametrize(
    "origin", ["https://evil.test", "null", "http://localhost:1", "http://127.0.0.1", "file://", "http://["]
)
@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_a_page_of_another_origin_changes_nothing(anybody: Visitor, method: str, origin: str) -> None:
    answer = send(anybody, method, "/api/projects/fraud", Origin=origin)

    assert (answer.status, refusal(answer)) == (403, "WrongOrigin")


def test_a_browser_that_says_another_site_asks_is_believed(anybody: Visitor) -> None:
    answer = send(anybody, "POST", "/api/projects", Sec_Fetch_Site="cross-site")

    assert refusal(answer) == "WrongOrigin"


def test_no_origin_is_given_leave_to_read(anybody: Visitor) -> None:
    answer = anybody.ask("GET", "/api/projects", headers={"Origin": "https://evil.test"})
    asked = anybody.ask("OPTIONS", "/api/projects", headers={"Origin": "https://evil.test"})

    for headers in (answer.headers, asked.headers):
        assert not [name for name in headers if name.lower().startswith("access-control-")]


@pytest.mark.parametrize("path", ADDRESSES)
def test_every_answer_carries_the_headers_that_protect_it(anybody: Visitor, path: str) -> None:
    answer = anybody.get(path)

    assert {name: answer.headers[name] for name in HEADERS} == HEADERS
    assert len(answer.headers["Taxiway-Request-Id"]) == 32
    assert "Server" not in answer.headers


@pytest.mark.parametrize(
    "path",
    [
        "/api/projects/..",
        "/api/projects/%2e%2e",
        "/api/projects/.",
        "/static/%2e%2e/%2e%2e/pyproject.toml",
        "/static/..%5c..%5csecret",
        "/api/projects/a%00b",
        "/api/projects/a%0d%0ab",
        "/api//projects",
        "/api/projects/" + "a" * 513,
        "/api/projects/e%cc%81",  # an e and an accent apart: another spelling of one name
    ],
)
def test_a_path_that_can_be_read_in_two_ways_is_refused(anybody: Visitor, path: str) -> None:
    assert anybody.ask("GET", path, headers={"Accept": JSON}).status == 400


@pytest.mark.parametrize("path", ["/static/%252e%252e/x", "/static/....//x", "/static/tokens.css/../x", "/static/"])
def test_static_files_end_at_their_folder(anybody: Visitor, path: str) -> None:
    assert anybody.get(path).status in (400, 404)


def test_a_nul_is_refused_wherever_it_stands(live: Live) -> None:
    live.as_person("ana")
    token = live.client.access.make_token("ana").token
    visitor = Visitor(live.url)
    body = '{"name": "fraud", "purpose": "a\\u0000b"}'

    in_body = send(visitor, "POST", "/api/projects", body, Authorization=f"Bearer {token}")
    in_query = visitor.ask("GET", "/api/audit/entries?actor=%00", headers={"Authorization": f"Bearer {token}"})
    harmless = send(
        visitor, "POST", "/api/projects", '{"name": "c", "purpose": "\\\\u0000"}', Authorization=f"Bearer {token}"
    )

    assert (in_body.status, in_query.status, harmless.status) == (400, 400, 200)


@pytest.mark.parametrize("kind", ["text/plain", "multipart/form-data; boundary=x", "application/x-www-form-urlencoded"])
def test_only_json_is_read_as_json(anybody: Visitor, kind: str) -> None:
    answer = send(anybody, "POST", "/api/projects", '{"name": "fraud"}', Content_Type=kind)

    assert (answer.status, refusal(answer)) == (400, "BadField")


def test_a_form_is_read_only_as_a_form(anybody: Visitor) -> None:
    answer = send(anybody, "POST", "/projects/new", '{"name": "fraud"}')

    assert answer.status == 400


def test_a_body_that_says_it_is_too_large_is_not_awaited(anybody: Visitor) -> None:
    head = (
        f"POST /api/projects HTTP/1.1\r\nHost: {anybody.host}\r\nContent-Type: {JSON}\r\nContent-Length: 999999999\r\n"
    )

    assert speak(anybody, head.encode() + b"\r\n{").startswith(b"HTTP/1.1 413")


def test_a_body_that_grows_too_large_is_cut_off(anybody: Visitor) -> None:
    head = f"POST /projects/new HTTP/1.1\r\nHost: {anybody.host}\r\nTransfer-Encoding: chunked\r\n"
    head += "Content-Type: application/x-www-form-urlencoded\r\n\r\n"
    piece = b"10000\r\n" + b"a" * 0x10000 + b"\r\n"

    assert speak(anybody, head.encode() + piece * 17).startswith(b"HTTP/1.1 413")


def test_a_head_of_many_headers_is_refused(anybody: Visitor) -> None:
    headers = {f"X-Much-{number}": "a" * 1000 for number in range(70)}

    answer = anybody.ask("GET", "/api/projects", headers=headers)

    assert answer.status == 431


def test_a_head_that_never_ends_is_cut_off(anybody: Visitor) -> None:
    head = f"GET / HTTP/1.1\r\nHost: {anybody.host}\r\nX-Much: ".encode() + b"a" * 600_000

    assert speak(anybody, head).startswith(b"HTTP/1.1 431")


def test_a_head_that_comes_too_slowly_is_not_awaited(open_live: Live, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(protocol, "HEAD_WITHIN_S", 0.2)
    started = time.monotonic()

    assert speak(Visitor(open_live.url), b"GET / HTTP/1.1\r\nHost: ") == b""
    assert time.monotonic() - started < 5


@pytest.mark.parametrize("path", ["/", "/health", "/api/projects", "/static/tokens.css"])
def test_head_says_what_get_would_and_sends_no_body(anybody: Visitor, path: str) -> None:
    get, head = anybody.get(path), anybody.ask("HEAD", path)

    assert (head.status, head.text) == (200, "")
    assert head.headers["Content-Type"] == get.headers["Content-Type"]


def test_what_is_nowhere_is_a_page_for_people_and_a_problem_for_programs(anybody: Visitor) -> None:
    page, problem = anybody.get("/nothing"), anybody.ask("GET", "/nothing", headers={"Accept": JSON})
    under_api = anybody.get("/api/nothing")

    assert (page.status, problem.status, under_api.status) == (404, 404, 404)
    assert "There is nothing here" in page.text
    assert refusal(problem) == refusal(under_api) == "NotFound"


@pytest.mark.parametrize("method", ["TRACE", "OPTIONS", "PUT"])
def test_the_wrong_method_is_told_which_would_do(anybody: Visitor, method: str) -> None:
    answer = anybody.ask(method, "/api/projects")

    assert (answer.status, refusal(answer)) == (405, "MethodNotAllowed")
    assert answer.headers["Allow"] == "GET, HEAD, POST"


def test_a_number_beyond_any_database_is_refused(anybody: Visitor) -> None:
    assert anybody.get("/audit?before=" + "9" * 30).status == 400
    assert anybody.get("/api/audit/entries?before=" + "9" * 30).status == 400


def test_a_cookie_reads_but_never_changes_anything_of_the_api(live: Live) -> None:
    live.as_person("ana")
    visitor = Visitor(live.url)
    visitor.post(urlsplit(live.sign_in_link("ana")).path)

    read = visitor.get("/api/access/me")
    changed = send(visitor, "POST", "/api/projects", '{"name": "fraud"}', Origin=live.url)

    assert read.status == 200
    assert (changed.status, refusal(changed)) == (401, "SignInNeeded")


def test_a_token_in_the_address_opens_nothing(live: Live) -> None:
    live.as_person("ana")
    token = live.client.access.make_token("ana").token

    assert Visitor(live.url).get(f"/api/access/me?token={token}").status in (400, 401)


def speak(visitor: Visitor, said: bytes) -> bytes:
    """What a server answers to bytes, whatever they are."""
    parts = urlsplit(visitor.url)
    with socket.create_connection((parts.hostname, parts.port), timeout=20) as line:
        answer = b""
        try:
            line.sendall(said)
            while more := line.recv(65536):
                answer += more
                if b"\r\n\r\n" in answer:
                    break
        except ConnectionError:
            pass
    return answer
