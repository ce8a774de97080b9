"""Whether a bundle passes a path, said alike by the platform and by a dossier where there is none."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from zlib import crc32

import pytest

from taxiway.cli import main
from taxiway.dossiers.judging.client import judge
from taxiway.dossiers.verify import MANIFEST, local_header
from taxiway.kernel.errors import NotFound
from tests.gates.story import FAIR, PATH, UNFAIR, Story
from tests.support.kept import Kept

STRICTER = PATH.replace("at_least: 0.85", "at_least: 0.99")


@pytest.fixture
def story(kept: Kept, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Story]:
    monkeypatch.chdir(tmp_path)
    with kept.again(Story, tmp_path) as story:
        (tmp_path / "path.yaml").write_text(PATH)
        (tmp_path / "stricter.yaml").write_text(STRICTER)
        monkeypatch.setenv("TAXIWAY_URL", story.live.url)
        monkeypatch.setenv("TAXIWAY_TOKEN", story.live.tokens["ana"])
        yield story


def verdicts(text: str) -> dict[str, str]:
    """The gates of a told table with their verdicts."""
    rows = [line.split() for line in text.splitlines() if line.startswith(("staging", "production"))]
    return {row[1]: row[3] for row in rows}


def test_a_name_a_digest_and_a_folder_are_judged_alike(story: Story, tmp_path: Path) -> None:
    version = story.ready()
    story.ana.models.download("mortgage@1", tmp_path / "bundle")

    found = [judge(story.ana.transport, subject) for subject in ("mortgage@1", version.bundle)]
    code = main(["gates", "verify", str(tmp_path / "bundle"), "--stage", "staging"])

    assert [(each.thing, each.is_open) for each in found] == [("model:mortgage@1", False)] * 2
    assert [gate.gate for gate in found[0].gates if gate.stops] == ["approvals"]
    assert code == 0
    with pytest.raises(NotFound, match="No version that you may see"):
        judge(story.ana.transport, f"sha256:{'0' * 64}")


def test_a_dossier_says_the_same_where_no_platform_is(
    story: Story, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    story.ready()
    story.vera.gates.approve("mortgage", comment="seen")
    story.ana.dossiers.save("mortgage@1", tmp_path / "kept.zip")
    key = story.ana.evidence.keys()[0].id
    codes = [main(["gates", "verify", "mortgage@1", "--path", "path.yaml"])]
    online = verdicts(capsys.readouterr().out)
    monkeypatch.setenv("TAXIWAY_URL", "http://127.0.0.1:9")

    codes.append(main(["gates", "verify", "kept.zip", "--path", "path.yaml", "--key", key]))
    offline = verdicts(capsys.readouterr().out)
    codes.append(main(["gates", "verify", "kept.zip", "--path", "stricter.yaml", "--key", key]))
    stricter = verdicts(capsys.readouterr().out)

    assert codes == [0, 0, 1]
    assert set(online.values()) == {"pass"}
    assert offline == online
    assert {gate for gate, verdict in stricter.items() if verdict != "pass"} == {"performance"}


def test_what_failed_or_was_taken_back_stays_so_offline(
    story: Story, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    story.ready()
    approval = story.vera.gates.approve("mortgage", comment="seen")
    story.vera.gates.withdraw("mortgage", approval.id, reason="looked again")
    story.ana.dossiers.save("mortgage@1", tmp_path / "withdrawn.zip")
    story.version(UNFAIR)
    story.ana.gates.evaluate("mortgage@2")
    story.ana.dossiers.save("mortgage@2", tmp_path / "unfair.zip")

    given = ["--path", "path.yaml", "--key", story.ana.evidence.keys()[0].id]
    codes = [main(["gates", "verify", f"{name}.zip", *given]) for name in ("withdrawn", "unfair")]

    said = capsys.readouterr().out
    assert codes == [1, 1]
    assert "not open: approvals" in said
    assert "■ fail" in said


def test_a_changed_dossier_is_no_ground(story: Story, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    story.version(FAIR)
    story.ana.dossiers.save("mortgage@1", tmp_path / "kept.zip")
    data = bytearray((tmp_path / "kept.zip").read_bytes())
    data[len(data) // 2] ^= 1
    (tmp_path / "kept.zip").write_bytes(data)

    key = story.ana.evidence.keys()[0].id
    codes = [
        main(["gates", "verify", "kept.zip", "--path", "path.yaml", "--key", key]),
        main(["gates", "verify", "kept.zip", "--key", key]),
    ]

    said = capsys.readouterr()
    assert codes == [1, 1]
    assert "The dossier does not hold." in said.out
    assert "a path's YAML file" in said.err


def test_a_dossier_that_somebody_sealed_themselves_is_no_ground(
    story: Story, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    story.ready()
    story.vera.gates.approve("mortgage", comment="seen")
    story.ana.dossiers.save("mortgage@1", tmp_path / "kept.zip")
    deep = b"[" * 200_000
    (tmp_path / "deep.zip").write_bytes(local_header(MANIFEST, len(deep), crc32(deep)) + deep)

    codes = [
        main(["gates", "verify", "kept.zip", "--path", "path.yaml"]),
        main(["gates", "verify", "kept.zip", "--path", "path.yaml", "--key", "ab" * 32]),
        main(["gates", "verify", "deep.zip", "--path", "path.yaml", "--key", "ab" * 32]),
    ]

    said = capsys.readouterr()
    assert codes == [1, 1, 1]
    assert "give the fingerprint of the key" in said.err
    assert f"not by {'ab' * 32}" in said.out
    assert "RecursionError" in said.out
