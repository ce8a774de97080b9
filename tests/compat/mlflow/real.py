"""MLflow's real client for tests, and where tests need it, its real server."""

from __future__ import annotations

import fcntl
import inspect
import json
import os
import signal
import socket
import subprocess
import sys
import textwrap
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

HOUSE = Path(__file__).parents[3]
VENV = HOUSE / ".venvs" / "mlflow"
QUIET = {
    "GIT_PYTHON_REFRESH": "quiet",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "DO_NOT_TRACK": "true",
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
    "PYTHONWARNINGS": "ignore",
}

Script = Callable[..., Any]


class ScriptFailed(AssertionError):
    """What a script raised in the client's process. kind: its class's name; code: MLflow's error code."""

    def __init__(self, told: dict[str, str]) -> None:
        super().__init__(told["trace"])
        self.kind = told["raised"]
        self.code = told["code"]
        self.message = told["message"]


class RealClient:
    """One process with MLflow's client, which runs scripts against any server."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.log = (folder / "client.log").open("w")
        environment = {k: v for k, v in os.environ.items() if not k.startswith(("MLFLOW_", "PYTHON"))}
        self.process = subprocess.Popen(
            [python(), "-P", str(Path(__file__).with_name("worker.py"))],
            cwd=folder,
            env=environment | QUIET,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self.log,
            text=True,
        )

    def run(self, script: Script, url: str, *, environment: dict[str, str] | None = None, **given: Any) -> Any:
        """What ``script(mlflow, client, **given)`` returns, as JSON carries it; its source is what runs there.

        The script imports what it uses. Raises ScriptFailed.
        """
        ask = {
            "source": textwrap.dedent(inspect.getsource(script)),
            "name": script.__name__,
            "url": url,
            "environment": environment or {},
            "given": given,
        }
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps(ask) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        assert line, f"MLflow's client ended; see {self.log.name}"
        told = json.loads(line)
        if "raised" in told:
            raise ScriptFailed(told)
        return told["result"]

    def close(self) -> None:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.close()
        self.process.kill()  # it has nothing to say any more, and libraries in it take seconds to leave
        self.process.wait(20)
        self.process.stdout.close()
        self.log.close()


def python() -> str:
    """The interpreter of MLflow's environment, which is set up at first use."""
    (HOUSE / ".venvs").mkdir(exist_ok=True)
    with (HOUSE / ".venvs" / "lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (VENV / "installed").exists():
            version = f"python{sys.version_info.major}.{sys.version_info.minor}"
            command = ["tools/venv", version, str(VENV), "locks/mlflow.txt", "alone"]
            subprocess.run(command, cwd=HOUSE, check=True)
            (VENV / "installed").touch()
    return str(VENV / "bin" / "python")


@contextmanager
def real_server(folder: Path) -> Iterator[str]:
    """The URL of a real `mlflow server` over SQLite in a folder, until the block ends."""
    port = free_port()
    folder.mkdir(parents=True, exist_ok=True)
    command = [python(), "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", str(port), "--workers", "1"]
    command += [
        "--backend-store-uri",
        f"sqlite:///{folder}/mlflow.db",
        "--artifacts-destination",
        str(folder / "files"),
    ]
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("MLFLOW_", "PYTHON"))} | QUIET
    with (folder / "server.log").open("w") as log:
        process = subprocess.Popen(command, cwd=folder, env=environment, stdout=log, stderr=log, start_new_session=True)
        try:
            url = f"http://127.0.0.1:{port}"
            wait_for(f"{url}/health", process)
            yield url
        finally:
            os.killpg(process.pid, signal.SIGKILL)  # with the workers that it started; nothing of it is kept
            process.wait(20)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


def wait_for(url: str, process: subprocess.Popen[bytes], within_s: float = 180.0) -> None:
    until = time.monotonic() + within_s
    while time.monotonic() < until:
        assert process.poll() is None, "MLflow's server ended"
        try:
            with urllib.request.urlopen(url, timeout=2):
                return
        except OSError:
            time.sleep(0.2)
    raise AssertionError("MLflow's server does not answer")
