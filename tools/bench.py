"""Measure the figures that we promise, print them and keep them: `python -m tools.bench`.

Medians of several runs on whatever machine this is, in docs/benchmarks.md. They are told, never tested: a
busy machine is no defect.
"""

from __future__ import annotations

import datetime
import os
import platform
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

HOUSE = Path(__file__).parents[1]
PAGE = HOUSE / "docs" / "benchmarks.md"
TAXIWAY = Path(sys.executable).with_name("taxiway")
READY_WITHIN_S = 30.0
IDLE_S = 3.0


@dataclass(frozen=True)
class Figure:
    """One promised figure: what was measured over `runs` runs, and the most that it may be."""

    name: str
    unit: str
    most: float
    median: float
    low: float
    high: float
    runs: int

    def cells(self) -> tuple[str, ...]:
        promise = "kept" if self.median <= self.most else "**missed**"
        spread = f"{self.low:.1f} to {self.high:.1f}"
        return (
            self.name,
            f"{self.median:.1f} {self.unit}",
            spread,
            str(self.runs),
            f"≤ {self.most:g} {self.unit}",
            promise,
        )


def figure(name: str, unit: str, most: float, measured: list[float]) -> Figure:
    return Figure(name, unit, most, statistics.median(measured), min(measured), max(measured), len(measured))


def main() -> int:
    figures = [import_time(), help_time(), client_size(), *server()]
    header = ("figure", "median", "range", "runs", "promise", "")
    rows = [header, tuple("---" for _ in header), *(f.cells() for f in figures)]
    table = "\n".join(f"| {' | '.join(row)} |" for row in rows)
    print(table)
    measured = f"Measured {datetime.datetime.now(datetime.UTC):%Y-%m-%d} on {machine()}."
    PAGE.write_text(f"{INTRODUCTION}\n{measured}\n\n{table}\n")
    return 0


INTRODUCTION = """<!-- Written by `make bench`. -->
# Benchmarks

What Taxiway promises to cost where it does nothing yet.
`make bench` measures it on your machine and writes this page.
"""


def machine() -> str:
    system = f"{platform.system()} {platform.release()} ({platform.machine()})"
    return f"{system}, {os.cpu_count()} cores, Python {platform.python_version()}"


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
        with running_server() as (pid, ready_s):
            ready.append(ready_s)
            time.sleep(IDLE_S)
            resident.append(sum(map(resident_mb, family(pid))))
    yield figure("`taxiway server` to its first `/health`", "s", 2, ready)
    yield figure("server at rest, all its processes (RSS)", "MB", 200, resident)


@contextmanager
def running_server() -> Iterator[tuple[int, float]]:
    """A server on a new home: its process, and the seconds until `/health` answered."""
    home = tempfile.mkdtemp()
    port = free_port()
    start = time.perf_counter()
    command = [str(TAXIWAY), "server", "--home", home, "--port", str(port)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    try:
        await_health(port, process)
        yield process.pid, time.perf_counter() - start
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(READY_WITHIN_S)
        shutil.rmtree(home)


def await_health(port: int, process: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + READY_WITHIN_S
    while time.monotonic() < until and process.poll() is None:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=1) as answer:
                if answer.status == 200:
                    return
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            time.sleep(0.01)
    raise RuntimeError(f"`taxiway server` did not answer /health within {READY_WITHIN_S:g} s")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


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


if __name__ == "__main__":
    sys.exit(main())
