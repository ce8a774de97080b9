"""The command line of models, as typed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from taxiway.cli import main
from taxiway.models.commands import show_promoted
from tests.gates.story import FAIR, Story
from tests.support.live import running


@pytest.fixture
def story(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Story]:
    """One version, and a command line that acts as its author."""
    monkeypatch.chdir(tmp_path)
    with running(tmp_path / "home") as live:
        story = Story(live, tmp_path)
        story.version(FAIR)
        monkeypatch.setenv("TAXIWAY_URL", live.url)
        monkeypatch.setenv("TAXIWAY_TOKEN", live.client.access.make_token("ana").token)
        yield story


def test_verify_checks_a_version_and_a_folder(story: Story, capsys: pytest.CaptureFixture[str]) -> None:
    version = story.ana.models.find("mortgage")

    codes = [main(["models", "download", "mortgage@1", "copy"]), main(["models", "verify", "./copy"])]
    codes.append(main(["models", "verify", "mortgage@1"]))

    told = capsys.readouterr().out
    assert codes == [0, 0, 0]
    assert told.count(version.bundle) == 3
    assert "intact: mortgage@1, 3 files" in told


def test_verify_ends_with_1_and_names_the_file_that_was_changed(
    story: Story, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["models", "download", "mortgage@1", "copy"])
    (tmp_path / "copy" / "model.bin").write_bytes(b"something else")

    code = main(["models", "verify", "./copy"])

    assert code == 1
    assert "model.bin is not the file that was approved" in capsys.readouterr().err


def test_the_card_is_shown_and_entered(story: Story, capsys: pytest.CaptureFixture[str]) -> None:
    code = main(["models", "card", "mortgage", "--set", "limits=Boston only", "contact=ana"])

    told = capsys.readouterr().out
    assert code == 0
    assert "Limits (entered, ana)\n    Boston only" in told
    assert "Intended use (missing)" in told


def test_a_promotion_is_told_in_a_sentence_with_what_comes_next(story: Story) -> None:
    version = msgspec.structs.replace(story.ana.models.find("mortgage"), stage="production", aliases=["champion"])

    assert show_promoted(version) == (
        "mortgage@1 is in production; the alias champion moved with it. "
        "Next: `taxiway endpoints deploy mortgage mortgage@1`"
    )


def test_lists_and_aliases(story: Story, capsys: pytest.CaptureFixture[str]) -> None:
    codes = [
        main(["models", "alias", "mortgage", "candidate", "1"]),
        main(["models", "list"]),
        main(["models", "versions", "mortgage"]),
        main(["models", "show", "mortgage@candidate"]),
        main(["models", "alias", "mortgage", "candidate", "--drop"]),
    ]

    assert codes == [0] * 5
    said = capsys.readouterr().out
    assert "candidate=1" in said
    assert "It runs its own library" in said


def test_an_unknown_version_says_what_there_is(story: Story, capsys: pytest.CaptureFixture[str]) -> None:
    code = main(["models", "show", "mortgage@9"])

    assert code == 1
    assert "`taxiway models versions mortgage` shows those there are." in capsys.readouterr().err
