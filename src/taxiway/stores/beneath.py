"""Opening files beneath a folder and nowhere else, whatever a path says and whatever links stand there."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import IO

LONGEST_PLACE = 4_000


def segments_of(place: str) -> list[str]:
    """The steps of a place. Raises ValueError for one that could lead elsewhere."""
    steps = place.split("/")
    is_safe = 0 < len(place) <= LONGEST_PLACE and "\0" not in place and "\\" not in place
    if not is_safe or any(step in ("", ".", "..") for step in steps):
        raise ValueError(f"{place!r} is no place beneath a folder")
    return steps


def open_beneath(folder: Path, place: str) -> IO[bytes]:
    """A plain file beneath a folder. Raises ValueError for links and other ways out, FileNotFoundError.

    Every step is opened from the one before and may not be a link, so that none can be put in its place meanwhile.
    """
    steps = segments_of(place)
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        for step in steps[:-1]:
            inner = enter(step, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, handle)
            os.close(handle)
            handle = inner
        found = enter(steps[-1], os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, handle)
    finally:
        os.close(handle)
    if not stat.S_ISREG(os.fstat(found).st_mode):
        os.close(found)
        raise ValueError(f"{place!r} is no plain file")
    return os.fdopen(found, "rb")


def enter(step: str, flags: int, handle: int) -> int:
    try:
        return os.open(step, flags, dir_fd=handle)
    except FileNotFoundError:
        raise
    except OSError as e:  # ELOOP and ENOTDIR: a link, or a file where a folder should be
        raise ValueError(f"{step!r} is a link or no folder") from e
