"""The story that most tests of gates are told in."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.gates.story import Story
from tests.support.kept import Kept
from tests.support.postgres import Postgres


@pytest.fixture
def story(kept: Kept, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Story]:
    """Over SQLite alone: for rules that touch no query of their own."""
    monkeypatch.chdir(tmp_path)  # so that runs find no sources to keep
    with kept.again(Story, tmp_path) as story:
        yield story


@pytest.fixture
def any_story(
    kept: Kept, either_database: Postgres | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Story]:
    """Once over SQLite and once over PostgreSQL."""
    monkeypatch.chdir(tmp_path)
    with kept.again(Story, tmp_path, either_database) as story:
        yield story
