"""A file is served as it was kept, or not at all; and a key for sending again fits one request only."""

from __future__ import annotations

import io
import json
import os
from pathlib import Path

import pytest

from taxiway.runs import contract
from taxiway.runs.contract import AddArtifact, StartRun
from taxiway.storage.blobs import BytesGone, DigestMismatch, FileBlobs, digest_of
from taxiway.web.downloads import Checked, checked, store
from tests.gates.story import FAIR, Story
from tests.support.live import Live, running
from tests.web.browse import Answer, Visitor

TABLE = b"x\n1\n2\n"


def ask(live: Live, method: str, path: str, key: str = "", token: str = "", **body: object) -> Answer:
    headers = {"Accept": "application/json", "Content-Type": "application/json"}
    headers |= {"Idempotency-Key": key} if key else {}
    headers |= {"Authorization": f"Bearer {token}"} if token else {}
    data = json.dumps(body).encode() if method in ("POST", "PUT") else None
    return Visitor(live.url).ask(method, path, body=data, headers=headers)


def overwrite(file: Path, data: bytes) -> None:
    file.chmod(0o644)
    file.write_bytes(data)


def artifact(live: Live, data: bytes) -> str:
    """The address of an artifact with these bytes."""
    live.client.projects.create("kept")
    run = live.client.transport.call(contract.start_run, StartRun(project="kept", name="one")).id
    digest = live.house.blobs.put(io.BytesIO(data))
    live.client.transport.call(contract.add_artifact, AddArtifact(path="note.txt", digest=digest), run=run)
    return f"/api/runs/{run}/artifacts/content?path=note.txt"


def refused(answer: Answer) -> tuple[int, str]:
    told = json.loads(answer.text)
    return answer.status, told["error"]


def test_an_artifact_that_was_overwritten_is_not_served(open_live: Live) -> None:
    address = artifact(open_live, b"truth")
    assert ask(open_live, "GET", address).text == "truth"
    file = open_live.house.blobs.file(digest_of(b"truth"))

    overwrite(file, b"false")
    changed = ask(open_live, "GET", address)
    file.unlink()
    gone = ask(open_live, "GET", address)

    assert refused(changed) == (409, "DigestMismatch")
    assert "note.txt" in changed.text
    assert refused(gone) == (410, "BytesGone")
    assert "The bytes of note.txt are gone" in gone.text


@pytest.mark.parametrize("which", ["file", "table"])
def test_a_dataset_that_was_overwritten_is_not_served(open_live: Live, which: str) -> None:
    open_live.client.projects.create("kept")
    found = open_live.client.datasets.register("t", TABLE, project="kept")
    address = f"/api/datasets/kept/t/versions/1/{which}"
    file = open_live.house.blobs.file(found.digest if which == "file" else found.table)

    overwrite(file, b"x\n1\n3\n")
    changed = ask(open_live, "GET", address)
    file.unlink()
    gone = ask(open_live, "GET", address)

    assert refused(changed) == (409, "DigestMismatch")
    assert refused(gone) == (410, "BytesGone")


def test_a_file_is_hashed_again_once_it_was_touched(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_bytes(b"truth")
    checked, before = Checked(), file.stat()
    checked.check(file, digest_of(b"truth"), "file")
    assert list(checked.known) == [(file, digest_of(b"truth"))]

    file.write_bytes(b"false")
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))  # whoever covers traces sets the time back

    with pytest.raises(DigestMismatch, match="Restore it from the home's backup"):
        checked.check(file, digest_of(b"truth"), "file")
    with pytest.raises(BytesGone):
        checked.check(tmp_path / "nothing", None, "nothing")


def test_what_was_hashed_as_it_came_is_not_hashed_for_its_reader(tmp_path: Path) -> None:
    blobs = FileBlobs(tmp_path)
    file = blobs.file(digest_of(b"truth"))

    store(blobs, io.BytesIO(b"truth"))
    known = list(checked.known)
    overwrite(file, b"false")
    with pytest.raises(DigestMismatch):
        checked.check(file, digest_of(b"truth"), "file")
    store(blobs, io.BytesIO(b"truth"))  # mends what is damaged
    checked.check(file, digest_of(b"truth"), "file")

    assert (file, digest_of(b"truth")) in known
    assert file.read_bytes() == b"truth"


def test_what_was_changed_on_the_shelf_is_not_served(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with running(tmp_path / "home") as live:
        version = Story(live, tmp_path).version(FAIR)
        token = live.client.access.make_token("ana").token
        place = live.house.shelf.place(version.bundle) / "model.bin"
        address = "/api/models/mortgage/versions/1/files/model.bin"
        before = ask(live, "GET", address, token=token)
        overwrite(place, b"no model")
        changed = ask(live, "GET", address, token=token)

    assert before.status == 200
    assert refused(changed) == (409, "DigestMismatch")
    assert "model.bin" in changed.text


def test_a_key_for_one_address_answers_no_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with running(tmp_path / "home") as live:
        story = Story(live, tmp_path)
        story.version(FAIR)
        for alias in ("aa", "bb"):
            story.ana.models.point_alias("mortgage", alias, version=1)
        token = live.client.access.make_token("ana").token
        aliases = "/api/models/mortgage/aliases/"
        first, again, other = (ask(live, "DELETE", aliases + a, "once", token=token) for a in ("aa", "aa", "bb"))
        left = story.ana.models.find("mortgage@1").aliases

    assert (first.status, again.status, first.text) == (200, 200, again.text)
    assert refused(other) == (409, "KeyReused")
    assert left == ["bb"]


@pytest.mark.parametrize(
    "path",
    [
        "/api/gates/paths/careful/versions/{}",
        "/gates/paths/careful/versions/{}",
        "/datasets/kept/t/versions/{}",
        "/api/datasets/kept/t/versions/{}",
        "/api/models/m/versions/{}",
        "/models/m/versions/{}",
    ],
)
@pytest.mark.parametrize("number", ["9" * 10, "9" * 30, "9" * 100])
def test_a_number_that_no_column_holds_is_not_found(open_live: Live, path: str, number: str) -> None:
    assert ask(open_live, "GET", path.format(number)).status == 404


def test_a_prediction_of_the_year_10889_is_not_found(open_live: Live) -> None:
    (open_live.house.home / "inferences" / "one").mkdir(parents=True)

    assert ask(open_live, "GET", "/endpoints/predictions/" + "f" * 32).status == 404
    assert ask(open_live, "GET", "/api/endpoints/predictions/" + "f" * 32).status == 404


def test_numbers_in_bodies_are_bounded(open_live: Live) -> None:
    open_live.client.projects.create("kept")
    run = open_live.client.transport.call(contract.start_run, StartRun(project="kept", name="one")).id
    dataset = "dataset:kept/t@" + "9" * 26

    assert refused(ask(open_live, "POST", f"/api/runs/{run}/inputs", dataset=dataset)) == (400, "BadField")
    deployed = ask(open_live, "POST", "/api/endpoints", endpoint="m", revision=2**63)
    assert refused(deployed) == (400, "BadField")
    assert "revision" in deployed.text
