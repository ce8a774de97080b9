"""A real OCI registry, Debian's docker-registry, over a folder of the test."""

from __future__ import annotations

import shutil
import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

READY_S = 20.0
CONFIGURATION = """\
version: 0.1
log: {{level: error, accesslog: {{disabled: true}}}}
storage: {{filesystem: {{rootdirectory: {folder}}}, delete: {{enabled: true}}}}
http: {{addr: "127.0.0.1:{port}"}}
{auth}
"""


@contextmanager
def running_registry(folder: Path, passwords: str = "") -> Iterator[str]:
    """The address of a registry, HOST:PORT, until the block ends. passwords: an htpasswd file (bcrypt), or none."""
    command = shutil.which("docker-registry")
    if command is None:
        raise RuntimeError("docker-registry is not installed; tools/registry installs it, and `make test` calls that")
    folder.mkdir(parents=True, exist_ok=True)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    auth = ""
    if passwords:
        (folder / "htpasswd").write_text(passwords)
        auth = f"auth: {{htpasswd: {{realm: tests, path: {folder / 'htpasswd'}}}}}"
    file = folder / "registry.yaml"
    file.write_text(CONFIGURATION.format(folder=folder / "data", port=port, auth=auth))
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen([command, "serve", str(file)], stdout=log, stderr=log)
    try:
        await_ready(port, process)
        yield f"127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(READY_S)


def await_ready(port: int, process: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + READY_S
    while time.monotonic() < until and process.poll() is None:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=1):
                return
        except OSError:
            time.sleep(0.02)
    raise RuntimeError("the registry did not start")
