"""`taxiway server` as a process: ready, stopped, killed, in the way of another."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from taxiway.client import connect
from taxiway.endpoints.steering.supervision import stop_gateway
from tests.support.tables import furnish

TAXIWAY = [sys.executable, "-m", "taxiway"]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def surroundings(home: Path) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("TAXIWAY_")}
    return {**kept, "TAXIWAY_HOME": str(home)}


@contextmanager
def server(home: Path, *options: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A server process that has said it is ready, and its URL."""
    if "--database" not in options:
        furnish(home)
    command = [*TAXIWAY, "server", "--home", str(home), "--port", str(free_port()), *options]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=surroundings(home))
    assert process.stdout is not None
    try:
        line = process.stdout.readline()
        yield process, next(word for word in line.split() if word.startswith("http"))
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
        process.wait(20)
        process.stdout.close()
        stop_gateway(home)  # it outlives a server that was killed


def taxiway(home: Path, *words: str, url: str = "") -> subprocess.CompletedProcess[str]:
    environment = surroundings(home) | ({"TAXIWAY_URL": url} if url else {})
    return subprocess.run([*TAXIWAY, *words], capture_output=True, text=True, env=environment, timeout=60, check=False)


def test_it_answers_health_and_stops_cleanly_on_sigterm(tmp_path: Path) -> None:
    home = tmp_path / "home"
    with server(home) as (process, url):
        with urllib.request.urlopen(f"{url}/health") as answer:
            assert answer.status == 200
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0
    assert not (home / "server.json").exists()
    assert not (home / "taxiway.sock").exists()


def test_what_was_done_embedded_is_there_on_the_server_and_back(tmp_path: Path) -> None:
    home = tmp_path / "home"
    assert taxiway(home, "projects", "create", "one").returncode == 0
    with server(home) as (_, url):
        assert taxiway(home, "projects", "create", "two", url=url).returncode == 0
        assert taxiway(home, "projects", "create", "three").returncode == 0  # through the home's socket
    listed = json.loads(taxiway(home, "projects", "list", "--json").stdout)
    assert [standing["project"]["name"] for standing in listed] == ["one", "three", "two"]


def test_a_port_in_use_is_said(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        refused = taxiway(tmp_path, "server", "--home", str(tmp_path / "home"), "--port", port)
    assert refused.returncode == 1
    assert f"Port {port}" in refused.stderr
    assert "--port" in refused.stderr


def test_a_home_in_use_is_said_with_its_process(tmp_path: Path) -> None:
    home = tmp_path / "home"
    with server(home) as (process, _):
        refused = taxiway(home, "server", "--home", str(home), "--port", str(free_port()))
        assert refused.returncode == 1
        assert str(process.pid) in refused.stderr


def test_a_home_whose_owner_was_killed_is_taken_over(tmp_path: Path) -> None:
    home = tmp_path / "home"
    with server(home) as (process, url):
        assert taxiway(home, "projects", "create", "kept", url=url).returncode == 0
        process.kill()
        process.wait()
    with connect(home=home) as client:
        assert [s.project.name for s in client.projects.list()] == ["kept"]
        assert client.audit.verify().is_intact


def test_a_client_goes_on_when_the_homes_owner_goes_away(tmp_path: Path) -> None:
    home = tmp_path / "home"
    with server(home) as (process, _):
        client = connect(home=home)
        client.projects.create("before")
        process.kill()
        process.wait()
        client.projects.create("after")
    assert [s.project.name for s in client.projects.list()] == ["after", "before"]
    client.close()


def test_a_port_that_a_server_of_ours_has_is_said(tmp_path: Path) -> None:
    with server(tmp_path / "home") as (_, url):
        port = url.rpartition(":")[2]
        refused = taxiway(tmp_path, "server", "--home", str(tmp_path / "other"), "--port", port)
    assert refused.returncode == 1
    assert "a Taxiway server answers there" in refused.stderr


def test_other_machines_need_login(tmp_path: Path) -> None:
    refused = taxiway(tmp_path, "server", "--home", str(tmp_path / "h"), "--host", "0.0.0.0", "--no-login")
    assert refused.returncode == 1
    assert "login" in refused.stderr


def test_a_home_that_asked_for_sign_in_goes_on_asking_until_told_otherwise(tmp_path: Path) -> None:
    home = tmp_path / "home"

    def answered(*options: str) -> int:
        with server(home, *options) as (_, url):
            port = int(url.rpartition(":")[2])
            asking = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
            with closing(asking):
                asking.request("GET", "/api/projects")
                return asking.getresponse().status

    assert answered() == 200
    assert answered("--login") == 401
    assert answered() == 401
    assert answered("--no-login") == 200


def test_a_home_that_cannot_be_made_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    refused = taxiway(tmp_path, "server", "--home", str(tmp_path / "file" / "home"))
    assert refused.returncode == 1
    assert "cannot be used" in refused.stderr


@pytest.mark.parametrize(("words", "code"), [([], 0), (["--help"], 0), (["projects"], 2), (["nonsense"], 2)])
def test_wrong_usage_exits_with_2(tmp_path: Path, words: list[str], code: int) -> None:
    assert taxiway(tmp_path, *words).returncode == code
