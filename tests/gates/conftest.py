"""The story that most tests of gates are told in."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.gates.story import Story
from tests.support.live import Live, running


@pytest.fixture
def story(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Story]:
    """Over SQLite alone: for rules that touch no query of their own."""
    monkeypatch.chdir(tmp_path)  # so that runs find no sources to keep
    with running(tmp_path / "home") as live:
        yield Story(live, tmp_path)


@pytest.fixture
def any_story(live: Live, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Story:
    """Once over SQLite and once over PostgreSQL."""
    monkeypatch.chdir(tmp_path)
    return Story(live, tmp_path)
