"""Where to work is found from the environment and the folder, the environment first."""

from __future__ import annotations

from pathlib import Path

import pytest

from taxiway.kernel.settings import ProjectFileBroken, read_settings


def test_the_nearest_home_above_is_used_like_git(tmp_path: Path) -> None:
    (tmp_path / ".taxiway").mkdir()
    inner = tmp_path / "a" / "b"
    inner.mkdir(parents=True)

    assert read_settings(inner, {}).home == tmp_path / ".taxiway"


def test_without_a_home_one_is_made_beside_the_project_file(tmp_path: Path) -> None:
    (tmp_path / "taxiway.toml").write_text('project = "fraud"\nexperiment = "trees"\n')
    inner = tmp_path / "src"
    inner.mkdir()

    settings = read_settings(inner, {})

    assert (settings.home, settings.project, settings.experiment) == (tmp_path / ".taxiway", "fraud", "trees")


def test_the_environment_wins(tmp_path: Path) -> None:
    (tmp_path / "taxiway.toml").write_text('project = "fraud"\nurl = "http://one"\n')
    given = {"TAXIWAY_URL": "http://two", "TAXIWAY_PROJECT": "other", "TAXIWAY_HOME": str(tmp_path / "h")}

    settings = read_settings(tmp_path, given)

    assert (settings.url, settings.project, settings.home) == ("http://two", "other", tmp_path / "h")


def test_a_broken_project_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "taxiway.toml").write_text("project = ")

    with pytest.raises(ProjectFileBroken, match=r"taxiway\.toml"):
        read_settings(tmp_path, {})


@pytest.mark.parametrize("text", ['projct = "fraud"\n', "project = 5\n"])
def test_a_project_file_that_says_something_else_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "taxiway.toml").write_text(text)

    with pytest.raises(ProjectFileBroken, match=r"proj.*it may say project, experiment, url"):
        read_settings(tmp_path, {})
