"""The two servers, each as it starts by default, on a home of its own."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tools.bench.idle import family
from tools.bench.serving import TAXIWAY, free_port
from tools.moving.source import PYTHON as MLFLOW_PYTHON

READY_WITHIN_S = 300.0  # MLflow makes its tables first
ENDED_WITHIN_S = 20.0
TICKS = os.sysconf("SC_CLK_TCK")
# Both are asked by the same client; what it says of itself to its makers would only make noise.
QUIET = {"MLFLOW_DISABLE_TELEMETRY": "true", "GIT_PYTHON_REFRESH": "quiet", "MLFLOW_ENABLE_ASYNC_LOGGING": "false"}


@dataclass(frozen=True)
class Serving:
    """A server that answers. folder: where it keeps everything."""

    name: str
    url: str
    pid: int
    folder: Path

    def cpu_s(self) -> float:
        """The processor seconds of the server with all its processes."""
        total = 0
        for pid in family(self.pid):
            try:
                times = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
            except (FileNotFoundError, ProcessLookupError):
                continue
            total += int(times[11]) + int(times[12])
        return total / TICKS

    def resident_mb(self) -> float:
        """The memory of the server with all its processes; pages that they share count in parts."""
        total_kb = 0
        for pid in family(self.pid):
            try:
                lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
            except (FileNotFoundError, ProcessLookupError, PermissionError):
                continue
            total_kb += sum(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
        return total_kb / 1000


@contextmanager
def mlflow_server(folder: Path, *, store: str = "") -> Iterator[Serving]:
    """MLflow's, with SQLite where no store is named, and its own number of workers."""
    port = free_port()
    backend = store or f"sqlite:///{folder}/mlflow.db"
    command = [str(MLFLOW_PYTHON), "-W", "ignore", "-m", "mlflow", "server", "--host", "127.0.0.1"]
    command += ["--port", str(port), "--backend-store-uri", backend, "--artifacts-destination", str(folder / "files")]
    with serving("MLflow", command, port, folder) as server:
        yield server


@contextmanager
def taxiway_server(folder: Path, *, database: str = "") -> Iterator[Serving]:
    """Ours, with SQLite where no database is named."""
    port = free_port()
    command = [str(TAXIWAY), "server", "--home", str(folder / "home"), "--port", str(port)]
    with serving("Taxiway", [*command, *(["--database", database] if database else [])], port, folder) as server:
        yield server


@contextmanager
def serving(name: str, command: list[str], port: int, folder: Path) -> Iterator[Serving]:
    log = (folder / f"{name}.log").open("wb")
    environment = {**os.environ, **QUIET}
    process = subprocess.Popen(command, stdout=log, stderr=log, cwd=folder, env=environment, start_new_session=True)
    try:
        await_health(port, process, folder / f"{name}.log")
        yield Serving(name, f"http://127.0.0.1:{port}", process.pid, folder)
    finally:
        process.send_signal(signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(ENDED_WITHIN_S)
        with contextlib.suppress(ProcessLookupError):  # MLflow's own helpers outlive it
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        log.close()


def await_health(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    until = time.monotonic() + READY_WITHIN_S
    while time.monotonic() < until and process.poll() is None:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=2) as answer:
                if answer.status == 200:
                    return
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            time.sleep(0.05)
    raise RuntimeError(f"the server did not answer; it said:\n{log.read_text()[-2000:]}")
