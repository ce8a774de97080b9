"""Two revisions behind a server, told once for all tests that need them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.endpoints.rollout.pairs import Pair
from tests.support.kept import Kept


@pytest.fixture
def pair(kept: Kept, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Pair]:
    monkeypatch.chdir(tmp_path)
    with kept.again(Pair, tmp_path) as pair:
        yield pair
