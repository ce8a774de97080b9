"""Nothing is acknowledged before it is on the disk: held against the calls of a real server, and against a disk that
lost its power at every moment between them."""

from __future__ import annotations

import hashlib
import http.client
import random
import shutil
import sqlite3
from dataclasses import dataclass, field, replace
from pathlib import Path

import msgspec
import pytest

from taxiway.client import connect
from taxiway.house import House
from taxiway.kernel.ids import new_id
from taxiway.runs.contract import Course, LogBatch, StartRun
from tests.faults.traced import (
    Answer,
    Cut,
    Event,
    Sync,
    Write,
    after_power_loss,
    require_strace,
    traced_server,
)

pytestmark = pytest.mark.fault

BATCHES, POINTS, BLOBS = 24, 20, 3
SEED = 20261123


@dataclass
class Watched:
    """What a client sent one after the other, and what its server asked of the disk meanwhile. sent: what each was."""

    home: Path
    base: Path
    run: str
    port: int = 0
    sent: list[str] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)

    def answered(self) -> list[int]:
        """Where among the events the answers to the client are."""
        return [at for at, event in enumerate(self.events) if isinstance(event, Answer) and event.port == self.port]


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory) -> Watched:
    """A server under watch, to which batches and files were sent, and which was killed then."""
    require_strace()
    folder = tmp_path_factory.mktemp("power")
    home, base = folder / "home", folder / "base"
    House(home).close()
    shutil.copytree(home, base)
    with traced_server(home, folder / "calls") as server:
        asking = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
        found = Watched(home, base, "")
        found.run = send(asking, "POST", "/api/runs", msgspec.json.encode(StartRun(project="default")))["id"]
        found.sent.append("run")
        found.port = asking.sock.getsockname()[1]
        writer = new_id()
        for number in range(BATCHES):
            steps = list(range(number * POINTS, (number + 1) * POINTS))
            courses = [Course("loss", steps, [1] * POINTS, [step / 3 for step in steps])]
            body = msgspec.json.encode(LogBatch(writer, number * POINTS, courses=courses))
            send(asking, "POST", f"/api/runs/{found.run}/batches", body)
            found.sent.append("batch")
            if number % (BATCHES // BLOBS) == 0:
                data = f"file {number} ".encode() * 4_000
                digest = f"sha256:{hashlib.sha256(data).hexdigest()}"
                send(asking, "PUT", f"/api/blobs/{digest}", data)
                found.sent.append(digest)
        asking.close()
    found.events = server.events()
    return found


def send(asking: http.client.HTTPConnection, method: str, path: str, body: bytes) -> dict[str, str]:
    kind = "application/octet-stream" if method == "PUT" else "application/json"
    asking.request(method, path, body, {"Content-Type": kind})
    answer = asking.getresponse()
    text = answer.read()
    assert answer.status == 200, text
    found: dict[str, str] = msgspec.json.decode(text)
    return found


def test_every_write_is_synced_before_its_answer_goes_out(watched: Watched) -> None:
    answers = watched.answered()

    assert len(answers) == len(watched.sent)
    for what, before, at in zip(watched.sent[1:], answers, answers[1:], strict=False):
        between = watched.events[before:at]
        synced = {event.file for event in between if isinstance(event, Sync)}
        if what == "batch":
            assert any(file.endswith("-wal") for file in synced), f"{what}: {synced}"
            last = max(n for n, event in enumerate(between) if isinstance(event, Write) and event.file.endswith("-wal"))
            assert any(isinstance(e, Sync) and e.file.endswith("-wal") for e in between[last:])
        else:
            hexes = what.removeprefix("sha256:")
            folder = str(watched.home / "blobs" / "sha256" / hexes[:2])
            assert folder in synced
            assert any("/incoming/" in file for file in synced)


@pytest.mark.parametrize("share", [0.0, 0.5, 1.0], ids=["nothing else", "some of the rest", "all of the rest"])
def test_what_was_acknowledged_is_there_after_the_power_went_at_any_moment(
    watched: Watched, tmp_path: Path, share: float, capsys: pytest.CaptureFixture[str]
) -> None:
    answers, draw = watched.answered(), random.Random(SEED)
    syncs = [at + 1 for at, event in enumerate(watched.events) if isinstance(event, Sync) and at > answers[0]]
    moments = sorted({*(at + 1 for at in answers), *syncs})

    lost = []
    for moment in moments:
        acknowledged = watched.sent[: sum(at < moment for at in answers)]
        folder = restore(watched, tmp_path / "home", moment, draw, share)
        lost += [f"{moment}: {what}" for what in missing(folder, acknowledged)]

    with capsys.disabled():
        print(f"\n{len(moments)} power cuts (seed {SEED}, {share:.0%} of what was not synced): {len(lost)} lost")
    assert lost == []


def restore(watched: Watched, to: Path, moment: int, draw: random.Random, share: float) -> Path:
    """A home as the disk may have it."""
    shutil.rmtree(to, ignore_errors=True)
    shutil.copytree(watched.base, to)
    disk = after_power_loss(to, moved(watched.events, watched.home, to), moment, draw if share else None, share)
    for name, content in disk.files.items():
        file = Path(name)
        if file.is_relative_to(to) and file.suffix != ".sock" and not name.endswith("-shm"):
            file.parent.mkdir(parents=True, exist_ok=True)
            file.unlink(missing_ok=True)
            file.write_bytes(content)
    return to


def moved(events: list[Event], home: Path, to: Path) -> list[Event]:
    """The same events within another folder."""
    found = []
    for event in events:
        names = {name: getattr(event, name) for name in ("file", "to") if hasattr(event, name)}
        changed = {
            name: str(to) + path.removeprefix(str(home)) for name, path in names.items() if path.startswith(str(home))
        }
        found.append(type(event)(**(vars(event) | changed)) if changed else event)
    return found


def missing(home: Path, acknowledged: list[str]) -> list[str]:
    """What was acknowledged and is not whole."""
    connection = sqlite3.connect(home / "taxiway.db")
    whole = connection.execute("PRAGMA integrity_check").fetchone()[0]
    batches = connection.execute("SELECT count(*), coalesce(sum(size), 0) FROM run_batches").fetchone()
    points = connection.execute("SELECT count(DISTINCT seq), count(*) FROM run_points").fetchone()
    runs = connection.execute("SELECT count(*) FROM runs").fetchone()[0]
    connection.close()
    expected = acknowledged.count("batch")
    found = [] if whole == "ok" else [f"integrity: {whole}"]
    found += [f"{expected} batches, found {batches}"] if batches[0] < expected else []
    found += [f"half a batch: {points}, {batches}"] if points != (batches[1], batches[1]) else []
    found += ["the run"] if acknowledged and not runs else []
    for digest in (one for one in acknowledged if one.startswith("sha256:")):
        hexes = digest.removeprefix("sha256:")
        file = home / "blobs" / "sha256" / hexes[:2] / hexes
        if not file.exists() or hashlib.sha256(file.read_bytes()).hexdigest() != hexes:
            found.append(digest)
    return found


def test_a_disk_that_only_says_that_it_synced_would_be_found_out(watched: Watched, tmp_path: Path) -> None:
    lying = replace(watched, events=[Cut("", 0) if isinstance(event, Sync) else event for event in watched.events])
    last = lying.answered()[-1] + 1

    home = restore(lying, tmp_path / "home", last, random.Random(SEED), 0.0)

    assert len(missing(home, watched.sent)) > BLOBS


def test_a_server_starts_on_what_the_disk_has_left(watched: Watched, tmp_path: Path) -> None:
    last = watched.answered()[-1] + 1
    home = restore(watched, tmp_path / "home", last, random.Random(SEED), 0.0)

    with connect(home=home) as client:
        steps = [point.step for point in client.runs.metric(watched.run, "loss")]

    assert steps == list(range(BATCHES * POINTS))
