"""Opening a home: for its owner alone, and refused in words where it cannot be used."""

from __future__ import annotations

import resource
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from taxiway.house import HomeUnusable, House
from taxiway.storage.database import DatabaseUnusable


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


@pytest.mark.parametrize("before", [0o755, 0o777, 0o700])
def test_a_home_made_by_others_hands_is_closed_to_others(tmp_path: Path, before: int) -> None:
    home = tmp_path / "home"
    home.mkdir()
    home.chmod(before)

    House(home).close()

    assert mode(home) == 0o700


@pytest.fixture
def no_room_beyond() -> Iterator[Callable[[int], None]]:
    """Lets no file grow beyond so many bytes, which fails as writing to a full disk does."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    yield lambda size: resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.parametrize(("room", "refusal"), [(0, HomeUnusable), (100, DatabaseUnusable), (4096, DatabaseUnusable)])
def test_a_full_disk_at_the_start_is_said(
    tmp_path: Path, no_room_beyond: Callable[[int], None], room: int, refusal: type[Exception]
) -> None:
    no_room_beyond(room)

    with pytest.raises(refusal, match=r"cannot be used: (File too large|disk I/O error)"):
        House(tmp_path / "home")
