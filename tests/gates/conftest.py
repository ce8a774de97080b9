"""The story that most tests of gates are told in."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.gates.story import Story
from tests.support.live import Live


@pytest.fixture
def story(live: Live, tmp_path: Path) -> Story:
    return Story(live, tmp_path)
