"""`taxiway models export`, as typed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from taxiway.cli import main
from taxiway.models.bundles.bundle import read_manifest
from tests.gates.story import FAIR, Story
from tests.support.kept import Kept


@pytest.fixture
def story(kept: Kept, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Story]:
    monkeypatch.chdir(tmp_path)
    with kept.again(Story, tmp_path) as story:
        monkeypatch.setenv("TAXIWAY_URL", story.live.url)
        monkeypatch.setenv("TAXIWAY_TOKEN", story.live.client.access.make_token("ana").token)
        yield story


def test_a_version_is_exported_by_name_and_nothing_is_left_of_what_was_refused(
    story: Story, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    version = story.version(FAIR)

    codes = [
        main(["models", "export", "mortgage", "folder", "--to", "mlflow"]),
        main(["models", "export", "mortgage", "folder", "--to", "mlflow"]),
        main(["models", "export", "mortgage", "image", "--to", "docker"]),
        main(["models", "export", "mortgage", "twin", "--to", "onnx"]),
        main(["models", "export", "mortgage", "nowhere"]),
    ]

    told = capsys.readouterr()
    assert codes == [0, 1, 1, 1, 1]
    assert version.bundle in told.out
    assert "mlflow models serve --model-uri folder" in told.out
    assert read_manifest(tmp_path / "folder").name == "mortgage"
    assert "a folder that is not there yet" in told.err
    assert "models of flavour 'none'" in told.err
    assert "no ONNX file" in told.err
    assert "docker, sagemaker, kserve, mlflow, onnx" in told.err
    assert sorted(path.name for path in tmp_path.iterdir() if path.name.startswith((".export", "image", "twin"))) == []
