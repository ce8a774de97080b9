"""Where files of tests lie that need not outlive them: in memory, for most of their time is waiting for a disk."""

from __future__ import annotations

import os
import shutil
from functools import cache
from pathlib import Path

MEMORY = Path("/dev/shm")
ROOM_BYTES = 6 << 30


@cache
def memory() -> Path | None:
    """A folder in memory; None where there is none, or too little room in it."""
    if MEMORY.is_dir() and os.access(MEMORY, os.W_OK) and shutil.disk_usage(MEMORY).free > ROOM_BYTES:
        return MEMORY
    return None
