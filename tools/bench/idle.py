"""What Taxiway costs where it does nothing yet: the promised figures."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from tools.bench.figure import Figure, figure
from tools.bench.serving import TAXIWAY, running_server

HOUSE = Path(__file__).parents[2]
IDLE_S = 3.0


def figures() -> Iterator[Figure]:
    yield import_time()
    yield help_time()
    yield client_size()
    yield from server()


def import_time(runs: int = 15) -> Figure:
    """What `import taxiway` adds to a bare interpreter; the two take turns, so that load falls on both."""
    added = [
        took_ms(sys.executable, "-c", "import taxiway") - took_ms(sys.executable, "-c", "pass") for _ in range(runs)
    ]
    return figure("`import taxiway`, over a bare interpreter", "ms", 50, added)


def help_time(runs: int = 15) -> Figure:
    return figure("`taxiway --help`", "ms", 150, [took_ms(str(TAXIWAY), "--help") for _ in range(runs)])


def took_ms(*command: str) -> float:
    start = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, cwd=HOUSE)
    return (time.perf_counter() - start) * 1000


def client_size() -> Figure:
    """The bytes that `pip install taxiway` lays down, without compiled caches."""
    pip = [
        sys.executable,
        "-m",
        "pip",
        "--disable-pip-version-check",
        "install",
        "-qq",
        "--no-deps",
        "--no-compile",
    ]
    with tempfile.TemporaryDirectory() as folder:
        into = [*pip, "--target", folder]
        subprocess.run([*into, "--require-hashes", "-r", "locks/client.txt"], check=True, cwd=HOUSE)
        subprocess.run([*into, "--no-build-isolation", "."], check=True, cwd=HOUSE)
        size = sum(file.stat().st_size for file in Path(folder).rglob("*") if file.is_file())
    return figure("client-only install", "MB", 25, [size / 1e6])


def server(runs: int = 5) -> Iterator[Figure]:
    ready: list[float] = []
    resident: list[float] = []
    for _ in range(runs):
        with running_server() as running:
            ready.append(running.ready_s)
            time.sleep(IDLE_S)
            resident.append(sum(map(resident_mb, family(running.pid))))
    yield figure("`taxiway server` to its first `/health`", "s", 2, ready)
    yield figure("server at rest, all its processes (RSS)", "MB", 200, resident)


def family(pid: int) -> list[int]:
    """A process and all that descend from it."""
    children: dict[int, list[int]] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            after_name = stat.read_text().rsplit(")", 1)[1].split()
        except (FileNotFoundError, ProcessLookupError):
            continue  # it ended while we looked
        children.setdefault(int(after_name[1]), []).append(int(stat.parent.name))
    found = [pid]
    for one in found:
        found += children.get(one, [])
    return found


def resident_mb(pid: int) -> float:
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGESIZE") / 1e6
