"""A dossier of a version that took its path: what it holds, that it is the same each time, and that nothing in it can
be changed."""

import hashlib
import io
import json
import random
import subprocess
import sys
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from taxiway.client import Client
from taxiway.dossiers.verify import DER, DOSSIER, MANIFEST, Fails, local_header, main, verify
from taxiway.evidence.contract import PublicKey, RotateKey
from taxiway.evidence.dsse import seal
from taxiway.evidence.statement import statement_bytes
from taxiway.kernel.caller import SYSTEM
from taxiway.kernel.canonical import canonical_json
from taxiway.kernel.errors import BadField, NotFound
from tests.gates.story import CARD, FAIR, PROJECT, Story
from tests.support.kept import Kept

NAME = "mortgage@1"


class Told:
    """A story with an approved version, a head that was held before and one after, and its dossier."""

    def __init__(self, story: Story, folder: Path) -> None:
        self.story = story
        self.folder = folder
        self.ana: Client = story.ana
        self.version = story.version(FAIR)
        self.early = story.ivo.audit.head()
        self.ana.models.enter_card(NAME, **CARD)
        self.ana.gates.evaluate(NAME)
        story.vera.gates.approve(NAME, comment="looked at the groups", stage="production")
        self.ana.models.promote(NAME, "production", reason="it is fair")
        self.data = self.ana.dossiers.save(NAME, folder / "one.zip").read_bytes()
        story.ivo.access.add_user("somebody")
        self.late = story.ivo.audit.head()
        self.key: PublicKey = self.ana.evidence.keys()[0]


@pytest.fixture(scope="module")
def told(kept: Kept, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Told]:
    folder = tmp_path_factory.mktemp("dossiers")
    with pytest.MonkeyPatch.context() as patch, kept.again(Story, folder) as story:
        patch.chdir(folder)
        yield Told(story, folder)


def problem(data: bytes) -> str:
    """What is wrong with a dossier; empty where nothing is."""
    try:
        verify(io.BytesIO(data))
    except Fails as e:
        return str(e)
    return ""


def unpacked(data: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def run_verify(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """The program that is shipped inside, run away from Taxiway."""
    command = [sys.executable, "-I", "verify.py", *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=60)


@pytest.fixture
def away(told: Told, tmp_path: Path) -> Path:
    """A folder with the dossier and the program from within it."""
    (tmp_path / "one.zip").write_bytes(told.data)
    (tmp_path / "verify.py").write_bytes(unpacked(told.data)["verify.py"])
    return tmp_path


def test_it_verifies_on_its_own_and_says_who_sealed_it(away: Path, told: Told) -> None:
    done = run_verify(away, "one.zip", "--key", told.key.id)

    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith(f"It holds: model:{NAME}, ")
    assert f"Sealed by the key {told.key.id}." in done.stdout
    imported = [line for line in unpacked(told.data)["verify.py"].decode().splitlines() if "import" in line]
    assert not [line for line in imported if "taxiway" in line]
    assert len(unpacked(told.data)["verify.py"].splitlines()) <= 250


def test_a_changed_byte_is_told_by_the_program_too(away: Path, told: Told) -> None:
    at = told.data.index(b"it is fair")
    (away / "one.zip").write_bytes(told.data[:at] + b"I" + told.data[at + 1 :])

    done = run_verify(away, "one.zip")

    assert done.returncode == 1
    assert done.stdout.startswith("It does not hold. ")
    assert done.stdout.endswith(" is not the file that was sealed.\n")


BAD_SIZES = [-5, -1, 1 << 70, 1.5, "x", None, [1]]


def sealed(predicate: dict[str, object], files: dict[str, bytes], **of_key: str) -> bytes:
    """A dossier that a stranger made and sealed with a key of their own: nothing in it needs to be as ours is."""
    key = Ed25519PrivateKey.generate()
    public = key.public_key().public_bytes_raw()
    keys = [{"public": public.hex(), "use": "statements", "revoked_at": None, **of_key}]
    told = {"format": 1, "keys": keys, "sizes": {n: len(d) for n, d in files.items()}, "thing": "x", **predicate}
    subject = [{"name": n, "digest": {"sha256": hashlib.sha256(d).hexdigest()}} for n, d in files.items()]
    payload = json.dumps({"predicateType": DOSSIER, "subject": subject, "predicate": told}).encode()
    name = hashlib.sha256(DER + public).hexdigest()
    text = canonical_json(seal(payload, key.sign, keyid=name))
    return local_header(MANIFEST, len(text), zlib.crc32(text)) + text


@pytest.mark.parametrize("size", BAD_SIZES)
def test_sizes_that_cannot_be_are_told_and_no_traceback(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], size: object
) -> None:
    (tmp_path / "odd.zip").write_bytes(sealed({"sizes": {"a": size}}, {"a": b""}))

    assert main([str(tmp_path / "odd.zip")]) == 1
    assert capsys.readouterr().out.startswith("It does not hold. ")


def test_whoever_sealed_it_writes_nothing_that_a_terminal_obeys(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    because = "\x1b[2K\rIt holds: all of it\n\ud800"
    (tmp_path / "odd.zip").write_bytes(sealed({}, {}, revoked_at="x", because=because))

    assert main([str(tmp_path / "odd.zip")]) == 1
    assert capsys.readouterr().out.endswith("which was revoked: \\x1b[2K\\rIt holds: all of it\\n\\ud800.\n")


def test_another_key_and_a_file_that_is_not_there_are_told(away: Path) -> None:
    assert run_verify(away, "one.zip", "--key", "0" * 64).returncode == 1
    assert run_verify(away, "none.zip").returncode == 2


def test_it_holds_all_that_the_version_rests_on(told: Told) -> None:
    files = unpacked(told.data)

    manifest = json.loads(files["bundle/taxiway.json"])
    assert {f"bundle/{each['path']}" for each in manifest["files"]} <= files.keys()
    assert hashlib.sha256(files["bundle/taxiway.json"]).hexdigest() == told.version.bundle.removeprefix("sha256:")
    assert {f"datasets/{PROJECT}/loans@1/{name}.json" for name in ("version", "profile")} <= files.keys()
    assert files["gates/paths/strict@1.yaml"].startswith(b"path: strict")
    said = json.loads(files["gates/standing.json"])
    [approval] = [each for stage in said["stages"] for each in stage["approvals"]]
    assert (approval["by"], approval["void_because"]) == ("vera", "")
    assert len([name for name in files if name.startswith("statements/")]) == 11
    verbs = {
        json.loads(text)["verb"] for name, text in files.items() if name.startswith("audit/") and name[6].isdigit()
    }
    assert {"models.register", "gates.evaluate", "gates.approve", "models.promote"} <= verbs
    assert files[f"keys/{told.key.id}.pem"].decode() == told.key.public


def test_what_it_cannot_hold_is_listed(told: Told) -> None:
    shown = told.ana.dossiers.show(NAME)

    lacking = {each.part for each in shown.missing}
    assert "code/sources.json" in lacking
    assert [f"Missing: {each.part}: {each.why}." for each in shown.missing] == verify(io.BytesIO(told.data))[
        -len(lacking) :
    ]


def test_the_same_version_makes_the_same_bytes_whatever_else_happens(told: Told, tmp_path: Path) -> None:
    again = told.story.olga.dossiers.save(NAME, tmp_path / "two.zip").read_bytes()

    assert hashlib.sha256(again).hexdigest() == hashlib.sha256(told.data).hexdigest()


def test_five_hundred_flipped_bytes_are_all_found(told: Told) -> None:
    draw = random.Random(7)
    places = draw.sample(range(len(told.data)), 500)

    missed = []
    for place in places:
        flipped = bytearray(told.data)
        flipped[place] ^= draw.randrange(1, 256)
        if not problem(bytes(flipped)):
            missed.append(place)

    assert missed == []


def test_every_byte_of_headers_and_of_the_signed_list_counts(told: Told) -> None:
    with zipfile.ZipFile(io.BytesIO(told.data)) as archive:
        entries, directory = archive.infolist(), archive.start_dir
    headers = [at for each in entries for at in range(each.header_offset, each.header_offset + 30)]
    places = [*headers[::5], *range(30, 43), *range(directory, len(told.data), 7), *range(44, 4000, 61)]

    missed = []
    for place in places:
        flipped = bytearray(told.data)
        flipped[place] ^= 1
        if not problem(bytes(flipped)):
            missed.append(place)

    assert missed == []


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda data: data + b"\0", "its directory or its end"),
        (lambda data: b"\0" + data, "does not begin"),
        (lambda data: data[:-1], "its directory or its end"),
        (lambda data: data[: len(data) // 2], "not the file that was sealed"),
        (lambda data: b"", "does not begin"),
        (lambda data: data[:20], "does not begin"),
    ],
)
def test_what_is_added_or_cut_off_is_found(told: Told, change: Callable[[bytes], bytes], words: str) -> None:
    assert words in problem(change(told.data))


def test_a_head_that_was_held_is_held_against_the_log_inside(told: Told, tmp_path: Path) -> None:
    early = told.ana.dossiers.save(NAME, tmp_path / "early.zip", held=told.early.size).read_bytes()
    late = told.ana.dossiers.save(NAME, tmp_path / "late.zip", held=told.late.size).read_bytes()
    heads = {size: json.loads(msgspec.json.encode(head)) for size, head in ((0, told.early), (1, told.late))}

    assert verify(io.BytesIO(early), told.key.id, heads[0])
    assert verify(io.BytesIO(late), told.key.id, heads[1])
    for data, head in ((early, heads[0]), (late, heads[1])):
        with pytest.raises(Fails, match="not the one of the head"):
            verify(io.BytesIO(data), told.key.id, {**head, "root": "00" * 32})
    with pytest.raises(Fails, match="no proof for a head"):
        verify(io.BytesIO(told.data), told.key.id, heads[0])


def test_a_statement_signed_after_its_key_was_revoked_is_found(
    kept: Kept, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with kept.again(Story, tmp_path) as story:
        version = story.version(FAIR)
        [said] = story.ana.evidence.list(thing=version.ref).items
        story.ivo.evidence.revoke(said.key, "it was stolen", at=said.at)
        data = story.ana.dossiers.save(NAME, tmp_path / "one.zip").read_bytes()

    assert "signed after its key was revoked: it was stolen" in problem(data)


def test_a_key_that_is_rotated_meanwhile_spoils_no_dossier(
    kept: Kept, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with kept.again(Story, tmp_path) as story:
        story.version(FAIR)

        def late(*said: Any) -> bytes:
            """The list of files, and a new key a moment before it is signed."""
            story.live.house.statements.rotate(SYSTEM, RotateKey("it is Monday"))
            return statement_bytes(*said)

        monkeypatch.setattr("taxiway.dossiers.service.statement_bytes", late)
        data = story.ana.dossiers.save(NAME, tmp_path / "one.zip").read_bytes()

    assert problem(data) == ""


def test_who_may_not_see_the_project_gets_no_dossier(told: Told, tmp_path: Path) -> None:
    otto = told.story.live.as_person("otto")

    with pytest.raises(NotFound):
        otto.dossiers.save(NAME, tmp_path / "no.zip")
    assert list(tmp_path.iterdir()) == []


def test_a_renamed_version_keeps_its_past(told: Told, tmp_path: Path) -> None:
    second = told.story.version(FAIR, right=0.91, name="other")
    told.ana.models.rename("other", "another")

    data = told.ana.dossiers.save("another@1", tmp_path / "another.zip").read_bytes()

    assert problem(data) == ""
    texts = [text for name, text in unpacked(data).items() if name.startswith("audit/") and name[6].isdigit()]
    assert second.ref in {json.loads(text)["thing"] for text in texts}


@pytest.mark.parametrize("held", [0, -1, 10**6])
def test_a_head_that_cannot_have_been_held_is_refused(told: Told, held: int) -> None:
    with pytest.raises(BadField, match="the size of a head, from 1 to"):
        told.ana.dossiers.show(NAME, held=held)


def test_a_version_that_is_not_there_has_none(told: Told) -> None:
    with pytest.raises(NotFound):
        told.ana.dossiers.show("mortgage@99")


def test_a_version_without_files_has_a_dossier_that_says_so(told: Told, tmp_path: Path) -> None:
    told.ana.models.create("label", project=PROJECT)
    told.ana.models.register_source("label", "a folder elsewhere")

    data = told.ana.dossiers.save("label@1", tmp_path / "label.zip").read_bytes()

    assert problem(data) == ""
    missing = {each.part for each in told.ana.dossiers.show("label@1").missing}
    assert {"bundle", "run", "datasets"} <= missing
