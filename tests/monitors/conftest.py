"""The story that tests of monitors are told in."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.monitors.story import Story
from tests.support.live import Live


@pytest.fixture
def story(live: Live, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Story:
    monkeypatch.chdir(tmp_path)  # so that runs find no sources to keep
    return Story(live, tmp_path)
