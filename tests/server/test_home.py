"""Opening a home: for its owner alone, and refused in words where it cannot be used."""

from __future__ import annotations

import sqlite3
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


class Full(sqlite3.Connection):
    """A connection to a file on a full disk, where the log beside it cannot be made."""

    def execute(self, sql: str, *given: object) -> sqlite3.Cursor:
        if "journal_mode" in sql:
            raise sqlite3.OperationalError("disk I/O error")
        return super().execute(sql, *given)  # type: ignore[arg-type]


def test_a_full_disk_at_the_start_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    connect = sqlite3.connect
    monkeypatch.setattr("sqlite3.dbapi2.connect", lambda *a, **k: connect(*a, **(k | {"factory": Full})))

    with pytest.raises((DatabaseUnusable, HomeUnusable), match="disk I/O error"):
        House(tmp_path / "home")
