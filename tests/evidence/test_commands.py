"""The command line of evidence and of dossiers, as typed."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from taxiway.cli import main
from taxiway.dossiers import verify
from tests.gates.story import FAIR, Story
from tests.support.kept import Kept


@pytest.fixture(scope="module")
def told(kept: Kept, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    folder = tmp_path_factory.mktemp("commands")
    with pytest.MonkeyPatch.context() as patch, kept.again(Story, folder) as story:
        patch.chdir(folder)
        story.version(FAIR)
        yield story


@pytest.fixture
def story(told: Story, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Story:
    """A command line that acts as ivo, who runs the platform."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TAXIWAY_URL", told.live.url)
    monkeypatch.setenv("TAXIWAY_TOKEN", told.live.client.access.make_token("ivo").token)
    return told


def test_a_statement_is_shown_kept_and_verified_from_its_file(
    story: Story, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    [said] = story.ana.evidence.list(thing="model:mortgage@1").items

    codes = [main(["evidence", "show", said.id, "--out", "said.json"]), main(["evidence", "verify", "said.json"])]
    kept = tmp_path / "said.json"
    kept.write_text(kept.read_text().replace('"payload":"e', '"payload":"f', 1))
    codes.append(main(["evidence", "verify", "said.json"]))

    told = capsys.readouterr().out
    assert codes == [0, 0, 1]
    assert f"It holds: {said.predicate_type}" in told
    assert "It does not hold: no key of this platform signed it." in told


def test_a_file_that_is_no_envelope_is_told(story: Story, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "other.json").write_text("[]")

    assert main(["evidence", "verify", "other.json"]) == 1
    assert "a DSSE envelope as `taxiway evidence show ID --out FILE` writes it" in capsys.readouterr().err


def test_a_key_is_revoked_as_of_a_time_and_a_reason_is_asked_for(
    story: Story, capsys: pytest.CaptureFixture[str]
) -> None:
    made = story.ivo.evidence.rotate("for this test")

    codes = [main(["evidence", "revoke", made.id])]
    codes.append(main(["evidence", "revoke", made.id, "--reason", "it was copied", "--at", "2026-01-01"]))
    codes.append(main(["evidence", "keys"]))

    told = capsys.readouterr()
    assert codes == [1, 0, 0]
    assert "reason" in told.err
    assert "it was copied" in told.out


def test_a_dossier_is_written_once_and_says_what_is_missing(
    story: Story, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    codes = [main(["models", "dossier", "mortgage@1"]), main(["models", "dossier", "mortgage@1"])]

    told = capsys.readouterr()
    assert codes == [0, 1]
    assert "missing code/sources.json: the run kept none" in told.out
    assert "a file that is not there yet" in told.err
    assert zipfile.is_zipfile("mortgage-1.dossier.zip")
    assert verify.main(["mortgage-1.dossier.zip"]) == 0
