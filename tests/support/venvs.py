"""Other vendors' tools, each in an environment of its own that is made from its lock at first use."""

from __future__ import annotations

import fcntl
import subprocess
import sys
from pathlib import Path

HOUSE = Path(__file__).parents[2]


def venv(name: str) -> Path:
    """The folder of programs of ``.venvs/NAME``, which `make test` made already unless its lock changed since."""
    folder, lock = HOUSE / ".venvs" / name, HOUSE / "locks" / f"{name}.txt"
    stamp = folder / "installed"
    folder.parent.mkdir(exist_ok=True)
    with (folder.parent / f"lock-{name}").open("a") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        if not stamp.exists() or stamp.stat().st_mtime < lock.stat().st_mtime:
            make = [str(HOUSE / "tools" / "venv"), sys.executable, str(folder), str(lock), "alone"]
            subprocess.run(make, check=True, cwd=HOUSE, timeout=300)
            stamp.touch()
    return folder / "bin"
