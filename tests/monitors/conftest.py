"""The story that tests of monitors are told in."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.monitors.story import Story
from tests.support.kept import Kept
from tests.support.postgres import Postgres


@pytest.fixture
def story(
    kept: Kept, either_database: Postgres | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Story]:
    monkeypatch.chdir(tmp_path)  # so that runs find no sources to keep
    with kept.again(Story, tmp_path, either_database) as story:
        yield story
