"""`taxiway init` writes a project that runs, and whose path takes its model as it is."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from taxiway.alone import callable_names
from taxiway.starter.write import FILES, as_name
from tests.server.test_process import TAXIWAY, surroundings


def at(folder: Path, *command: str) -> subprocess.CompletedProcess[str]:
    environment = {k: v for k, v in surroundings(folder).items() if k != "TAXIWAY_HOME"}
    return subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=120, check=False
    )


def test_a_fresh_project_runs_and_its_model_goes_to_production(tmp_path: Path) -> None:
    folder = tmp_path / "First Steps"
    folder.mkdir()

    for words in (
        ("init",),
        ("run", "--", sys.executable, "train.py"),
        ("gates", "evaluate", "first-steps@1"),
        ("models", "promote", "first-steps@1", "production", "--reason", "it separates"),
    ):
        done = at(folder, *TAXIWAY, *words)
        assert done.returncode == 0, (words, done.stdout, done.stderr)
    shown = json.loads(at(folder, *TAXIWAY, "models", "list", "--json").stdout)
    tested = at(folder, sys.executable, "test_train.py")

    assert "first-steps" in json.dumps(shown)
    assert tested.returncode == 0, tested.stderr


def test_the_next_steps_call_this_very_taxiway(monkeypatch: pytest.MonkeyPatch) -> None:
    folder = Path(sys.executable).parent

    monkeypatch.setenv("PATH", f"{folder}:/usr/bin")
    near = callable_names()
    monkeypatch.setenv("PATH", "/usr/bin")
    far = callable_names()

    assert near == ("taxiway", "python")
    assert far == (f"{folder}/taxiway", sys.executable)


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    (tmp_path / "train.py").write_text("mine")

    refused = at(tmp_path, *TAXIWAY, "init", "--project", "fine")

    assert refused.returncode == 1
    assert "train.py" in refused.stderr
    assert (tmp_path / "train.py").read_text() == "mine"
    assert not any((tmp_path / file).exists() for file in FILES if file != "train.py")


def test_a_name_that_cannot_be_one_is_refused(tmp_path: Path) -> None:
    refused = at(tmp_path, *TAXIWAY, "init", "--project", "Not Good")

    assert refused.returncode == 1
    assert "--project" in refused.stderr
    assert not (tmp_path / "train.py").exists()


@pytest.mark.parametrize(("folder", "name"), [("My Models (2026)", "my-models-2026"), ("a", "a"), ("x" * 80, "x" * 63)])
def test_a_folders_name_becomes_a_projects(folder: str, name: str) -> None:
    assert as_name(folder) == name
