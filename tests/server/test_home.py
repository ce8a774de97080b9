"""Opening a home: for its owner alone, and refused in words where it cannot be used."""

from __future__ import annotations

import hashlib
import resource
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from taxiway.house import House
from taxiway.kernel.errors import Unavailable
from taxiway.storage.database import DatabaseUnusable
from taxiway.storage.home import HomeUnusable
from tests.support.live import running
from tests.web.browse import Visitor

EMPTY = f"sha256:{hashlib.sha256().hexdigest()}"


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


def test_what_would_be_written_to_a_home_that_is_gone_is_refused(tmp_path: Path) -> None:
    home = tmp_path / "home"
    with running(home, login=False) as live:
        live.client.projects.create("fraud")
        (home / "taxiway.db").rename(home / "elsewhere")
        with pytest.raises(Unavailable, match="deleted, moved or replaced"):
            live.client.projects.create("churn")

        (home / "blobs").rename(home / "away")
        sent = Visitor(live.url).ask("PUT", f"/api/blobs/{EMPTY}", headers={"Content-Type": "application/octet-stream"})
        (home / "away").rename(home / "blobs")
        (home / "elsewhere").rename(home / "taxiway.db")
        live.client.projects.create("churn")

        assert {project.project.name for project in live.client.projects.list()} >= {"fraud", "churn"}
    assert (sent.status, "is gone" in sent.text) == (503, True)
