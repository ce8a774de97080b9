"""Servers as processes of their own, for what one process cannot show."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

STOP_S = 30.0


@contextmanager
def served_by_process(home: Path, *options: str) -> Iterator[str]:
    """The address of a server of `home` in a process of its own, until the block ends."""
    command = [sys.executable, "-m", "taxiway", "server", "--home", str(home), "--port", "0", *options]
    surroundings = {name: value for name, value in os.environ.items() if not name.startswith("TAXIWAY_")}
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=surroundings)
    assert process.stdout is not None
    try:
        said = process.stdout.readline()
        found = re.search(r"ready at (\S+) ", said)
        if found is None:
            raise RuntimeError(f"the server of {home} did not start: {said}")
        yield found.group(1)
    finally:
        process.terminate()
        process.wait(STOP_S)
        process.stdout.close()
