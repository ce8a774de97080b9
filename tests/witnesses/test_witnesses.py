"""Heads kept elsewhere: in a file, a git repository and at an address, and held against a log that was put back."""

from __future__ import annotations

import json
import os
import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from sqlalchemy import text

from taxiway.audit.contract import VerifyLog, Witness
from taxiway.audit.held import read_heads
from taxiway.house import House
from taxiway.kernel.caller import SYSTEM
from taxiway.kernel.errors import BadField
from taxiway.projects.contract import CreateProject
from taxiway.witnesses.places import read_places
from tests.support.tables import furnished


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    opened = House(furnished(tmp_path / "home"))
    yield opened
    opened.close()


def project(house: House, name: str) -> None:
    house.projects.create(SYSTEM, CreateProject(name=name))


def only(house: House) -> Witness:
    [found] = house.witnesses.list().items
    return found


def test_a_file_keeps_every_head_that_a_round_finds(house: House, tmp_path: Path) -> None:
    file = tmp_path / "elsewhere.jsonl"
    house.witnesses.call(read_places([f"file://{file}"]))
    for name in ("one", "two"):
        project(house, name)
        house.witnesses.round()
        house.witnesses.round()  # nothing new, nothing kept twice

    kept = read_heads(file.read_bytes())

    assert [head.size for head in kept] == [2, 4]
    assert kept[-1] == house.audit.head()
    assert house.audit.verify(VerifyLog(held=kept)).is_intact
    assert only(house).size == 4


def test_git_gets_a_commit_for_each_head(house: House, tmp_path: Path) -> None:
    folder = tmp_path / "heads"
    subprocess.run(["git", "init", "--quiet", str(folder)], check=True)
    house.witnesses.call(read_places([f"git://{folder}"]))
    for name in ("one", "two"):
        project(house, name)
        house.witnesses.round()

    log = subprocess.run(["git", "-C", str(folder), "log", "--format=%s"], check=True, capture_output=True, text=True)

    assert log.stdout.splitlines() == ["Head of 4 entries", "Head of 2 entries"]
    assert only(house) == Witness(f"git://{folder}", 4, only(house).kept_at)


def test_git_gets_the_heads_and_nothing_else(house: House, tmp_path: Path) -> None:
    def git(*words: str) -> str:
        done = subprocess.run(["git", "-C", str(tmp_path), *words], check=True, capture_output=True, text=True)
        return done.stdout

    git("init", "--quiet")
    (tmp_path / "staged").write_text("not yet")
    git("add", "staged")
    house.witnesses.call(read_places([f"git://{tmp_path}"]))
    project(house, "one")

    house.witnesses.round()

    assert git("ls-tree", "--name-only", "HEAD").split() == ["heads.jsonl"]
    assert git("show", "HEAD:heads.jsonl") == (tmp_path / "heads.jsonl").read_text()
    assert git("status", "--porcelain", "-uno").split() == ["A", "staged"]


def test_an_address_is_sent_heads_until_it_takes_them(house: House) -> None:
    came: list[dict[str, object]] = []
    answers = iter([500, 200])

    class Receiver(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            came.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(next(answers))
            self.end_headers()

        def log_message(self, *_: object) -> None: ...

    with HTTPServer(("127.0.0.1", 0), Receiver) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        house.witnesses.call(read_places([f"http://127.0.0.1:{server.server_port}/heads?key=secret"]))
        project(house, "one")
        house.witnesses.round()
        failed = only(house)
        house.witnesses.round()
        server.shutdown()

    assert failed.problem == "it answered 500"
    assert "secret" not in failed.url
    assert only(house).problem == ""
    assert [head["root"] for head in came] == [house.audit.head().root] * 2


@pytest.mark.parametrize(
    ("was", "said"),
    [("cut", "the log has 2: entries were cut off"), ("rewritten", "is not the log's: the past was changed")],
)
def test_a_witness_tells_of_a_past_that_was_changed(tmp_path: Path, was: str, said: str) -> None:
    file = tmp_path / "elsewhere.jsonl"
    before, after = House(furnished(tmp_path / "before")), House(furnished(tmp_path / "after"))
    project(before, "one")
    if was == "cut":
        project(before, "two")
    before.witnesses.call(read_places([f"file://{file}"]))
    before.witnesses.round()
    lines = file.read_bytes()
    project(after, "another")
    after.witnesses.call(read_places([f"file://{file}"]))
    after.witnesses.round()
    found = only(after)
    before.close()
    after.close()

    assert said in found.problem
    assert file.read_bytes() == lines  # nothing is added to what contradicts the log


def test_what_is_no_repository_or_cannot_be_written_is_said(house: House, tmp_path: Path) -> None:
    (tmp_path / "plain").mkdir()
    urls = [f"git://{tmp_path}/plain", f"file://{tmp_path}/nowhere/heads"]
    house.witnesses.call(read_places(urls))
    project(house, "one")

    house.witnesses.round()

    git, file = house.witnesses.list().items
    assert "not a git repository" in git.problem
    assert file.problem == "no such file or directory"


@pytest.mark.parametrize(
    "url", ["/plain/path", "file://host/path", "file:relative", "ftp://host/x", "file:///", "git:"]
)
def test_what_names_no_place_is_refused(url: str) -> None:
    with pytest.raises(BadField, match="witness"):
        read_places([url])


def test_a_damaged_node_is_no_reason_to_stop_the_others(house: House, tmp_path: Path) -> None:
    file = tmp_path / "elsewhere.jsonl"
    house.witnesses.call(read_places([f"file://{file}"]))
    project(house, "one")
    house.witnesses.round()
    project(house, "two")
    with house.database.engine.begin() as connection:
        connection.execute(text("UPDATE audit_nodes SET digest = zeroblob(32) WHERE level = 1 AND number = 0"))

    house.witnesses.round()

    assert "the past was changed" in only(house).problem


def test_a_pipe_keeps_no_heads_and_nobody_waits_for_it(house: House, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    house.witnesses.call(read_places([f"file://{tmp_path / 'pipe'}"]))
    project(house, "one")

    asked = threading.Thread(target=house.witnesses.round, daemon=True)
    asked.start()
    asked.join(10)

    assert not asked.is_alive()
    assert only(house).problem == "it is no plain file"


def test_a_repository_has_no_program_of_its_own_run(house: House, tmp_path: Path) -> None:
    folder, ran = tmp_path / "heads", tmp_path / "ran"
    subprocess.run(["git", "init", "--quiet", str(folder)], check=True)
    program = tmp_path / "program"
    program.write_text(f"#!/bin/sh\ntouch {ran}\n")
    program.chmod(0o700)
    (folder / ".git" / "hooks" / "pre-commit").write_text(program.read_text())
    (folder / ".git" / "hooks" / "pre-commit").chmod(0o700)
    for name in ("core.fsmonitor", "filter.evil.clean", "filter.evil.process", "gpg.program", "core.editor"):
        subprocess.run(["git", "-C", str(folder), "config", name, str(program)], check=True)
    subprocess.run(["git", "-C", str(folder), "config", "commit.gpgsign", "true"], check=True)
    (folder / ".gitattributes").write_text("* filter=evil\n")
    house.witnesses.call(read_places([f"git://{folder}"]))
    project(house, "one")

    house.witnesses.round()

    assert only(house).problem == ""
    assert not ran.exists()
