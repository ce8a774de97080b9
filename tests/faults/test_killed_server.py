"""A server that is killed amid batches loses nothing that it acknowledged, doubles nothing, and tears no batch."""

from __future__ import annotations

import os
import random
from pathlib import Path

import pytest

from tests.faults.killing import kill_amid_batches

KILLS = int(os.environ.get("KILLS", "20"))


@pytest.mark.server
def test_two_kills_lose_double_and_tear_nothing(tmp_path: Path) -> None:
    figures = kill_amid_batches(tmp_path / "home", kills=2, seed=7, longest_s=0.8)

    assert (figures.lost, figures.doubled, figures.halves) == (0, 0, 0)
    assert figures.acknowledged > 0


@pytest.mark.fault
def test_many_kills_lose_double_and_tear_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    figures = kill_amid_batches(tmp_path / "home", kills=KILLS, seed=random.SystemRandom().randrange(2**32))
    with capsys.disabled():
        print(f"\n{figures}")

    assert (figures.lost, figures.doubled, figures.halves) == (0, 0, 0)
