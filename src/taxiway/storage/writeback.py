"""Has the system begin early with what a later fsync will wait for."""

from __future__ import annotations

import ctypes
from collections.abc import Callable

START = 2  # SYNC_FILE_RANGE_WRITE: begins to write, and waits for nothing


def found() -> Callable[[int, int, int, int], int] | None:
    """Linux's sync_file_range; None where the system has no such call."""
    try:
        call = ctypes.CDLL(None).sync_file_range
    except (OSError, AttributeError, TypeError):
        return None
    call.argtypes = [ctypes.c_int, ctypes.c_int64, ctypes.c_int64, ctypes.c_uint]
    known: Callable[[int, int, int, int], int] = call
    return known


sync_file_range = found()


def begin(file: int, start: int, size: int) -> None:
    """Has this part of an open file go to the disk beside what comes next. It promises nothing: only fsync does."""
    if sync_file_range is not None:
        sync_file_range(file, start, size, START)
