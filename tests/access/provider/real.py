"""A real OpenID provider for the tests: Canaille, in an environment that is made at first use."""

from __future__ import annotations

import fcntl
import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

HOUSE = Path(__file__).parents[3]
VENV = HOUSE / ".venvs" / "provider"
PROGRAM = Path(__file__).parent / "canaille_program.py"
CLIENT, SECRET = "taxiway", "a-secret-of-the-tests"
PASSWORD = "correct horse battery"


class Canaille:
    """A provider in a process of its own; `tell` has it do what `canaille_program.Canaille` can."""

    def __init__(self, process: subprocess.Popen[str], port: int) -> None:
        self.process = process
        self.issuer = f"http://localhost:{port}"
        assert self._answer() == "ready"

    def tell(self, do: str, **said: Any) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps({"do": do, **said}) + "\n")
        self.process.stdin.flush()
        assert (answer := self._answer()) is None, answer

    def _answer(self) -> Any:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line, "the provider ended; its own words are above"
        return json.loads(line)


@contextmanager
def running_canaille(public_url: str) -> Iterator[Canaille]:
    """A provider whose only client is the server at `public_url`, until the block ends."""
    port = free_port()
    addresses = [f"{public_url}/sign-in/provider/callback", f"{public_url}/sign-in"]
    command = [python(), str(PROGRAM), str(port), CLIENT, SECRET, *addresses]
    environment = {k: v for k, v in os.environ.items() if not k.startswith("PYTHON")}
    process = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=PROGRAM.parent, env=environment
    )
    try:
        yield Canaille(process, port)
    finally:
        process.kill()  # it keeps nothing
        process.communicate(timeout=20)


def python() -> str:
    """The interpreter of the provider's environment."""
    lock, stamp = HOUSE / "locks" / "provider.txt", VENV / "installed"
    VENV.parent.mkdir(exist_ok=True)
    with (VENV.parent / "lock-provider").open("a") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        if not stamp.exists() or stamp.stat().st_mtime < lock.stat().st_mtime:
            make = [str(HOUSE / "tools" / "venv"), sys.executable, str(VENV), str(lock), "alone"]
            subprocess.run(make, check=True, cwd=HOUSE, timeout=300)
            stamp.touch()
    return str(VENV / "bin" / "python")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port
