"""The folder that holds everything of a platform: one process has it open, and nobody else may look into it."""

from __future__ import annotations

import contextlib
import fcntl
import os
from pathlib import Path
from typing import IO

from taxiway.kernel.errors import TaxiwayError


class HomeTaken(TaxiwayError):
    """Another process has the home open."""

    status = 409
    home: str
    owner: str

    def __str__(self) -> str:
        return f"{self.home} is open in {self.owner}. Stop that first, or give another folder with --home."


class HomeUnusable(TaxiwayError):
    """The home's folder cannot be made or written."""

    status = 507
    home: str
    cause: str

    def __str__(self) -> str:
        return f"The home {self.home} cannot be used: {self.cause}. Mend that, or give another folder with --home."


def take_home(home: Path) -> IO[str]:
    """The open lock of a home; it is free again when the file is closed or the process ends, however it ends."""
    try:
        home.mkdir(parents=True, exist_ok=True, mode=0o700)
        close_to_others(home)
        lock = (home / "lock").open("a+")
    except OSError as e:
        raise HomeUnusable(home=str(home), cause=e.strerror or str(e)) from e
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as e:
        lock.seek(0)
        owner = f"process {lock.read().strip() or 'unknown'}"
        lock.close()
        raise HomeTaken(home=str(home), owner=owner) from e
    try:
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
    except OSError as e:  # such as a full disk; closing would try to write once more
        with contextlib.suppress(OSError):
            lock.close()
        raise HomeUnusable(home=str(home), cause=e.strerror or str(e)) from e
    return lock


def close_to_others(home: Path) -> None:
    """Takes a folder of ours away from other people, whatever it was made with: it holds keys and data."""
    found = home.stat()
    if found.st_uid == os.getuid() and found.st_mode & 0o077:
        home.chmod(0o700)
