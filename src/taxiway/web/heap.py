"""How a server's process keeps the memory that it works with, so that large bodies do not fetch it anew each time."""

from __future__ import annotations

import contextlib
import ctypes

M_TRIM_THRESHOLD, M_TOP_PAD, M_MMAP_THRESHOLD = -1, -2, -3  # of glibc's malloc.h
KEPT_BYTES = 32 << 20  # free memory at the heap's end that is not given back
STEP_BYTES = 4 << 20  # how far the heap grows at once
MAPPED_FROM_BYTES = 16 << 20  # larger pieces come from the system and go back to it


def keep_memory() -> None:
    """Has glibc keep what pieces of an upload are received in; other C libraries go on as they do.

    By default each piece's memory goes back to the system and is asked for again, page by page: half of the system's
    time for a large upload.
    """
    with contextlib.suppress(OSError, AttributeError):
        mallopt = ctypes.CDLL(None).mallopt
        for name, value in (
            (M_MMAP_THRESHOLD, MAPPED_FROM_BYTES),
            (M_TRIM_THRESHOLD, KEPT_BYTES),
            (M_TOP_PAD, STEP_BYTES),
        ):
            mallopt(name, value)
