"""Two revisions behind a server, told once for all tests that need them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.endpoints.rollout.pairs import Pair
from tests.support.kept import Kept
from tests.support.postgres import Postgres


@pytest.fixture
def pair(kept: Kept, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Pair]:
    monkeypatch.chdir(tmp_path)
    with kept.again(Pair, tmp_path) as pair:
        yield pair


@pytest.fixture
def either_pair(
    kept: Kept, either_database: Postgres | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Pair]:
    """As `pair`, over each of both databases."""
    monkeypatch.chdir(tmp_path)
    with kept.again(Pair, tmp_path, either_database) as pair:
        yield pair
