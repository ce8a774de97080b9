"""Our own server as its users start it: a home, models logged, promoted and deployed, the gateway answering."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pandas as pd

from taxiway.client import Client, connect
from taxiway.endpoints.gateway.address import read_address
from taxiway.endpoints.steering.supervision import stop_gateway
from tools.bench.serving import running_server
from tools.serving.peers.models import NAMES, fitted, table
from tools.serving.targets import Target

PATH = "path: open\nstages: {}\n"


@contextmanager
def taxiway(folder: Path, kinds: Sequence[str], names: Sequence[str] = (), workers: int = 1) -> Iterator[Target]:
    """A gateway that answers for an endpoint per kind of model, with schema check, metrics and log as by default.

    names: of the endpoints, all with the first kind of model; else each has its kind's name. workers: of each.
    """
    with opened(folder / "home") as client:
        for name, kind in [(name, kinds[0]) for name in names] or zip(kinds, kinds, strict=True):
            deploy(client, name, kind, workers)
        yield gateway_of(folder / "home")


@contextmanager
def opened(home: Path) -> Iterator[Client]:
    """A server on a new home, with a path that asks for nothing."""
    with running_server(home) as running, connect(running.url) as client:
        client.gates.publish(PATH)
        client.projects.create("bench", path="open")
        try:
            yield client
        finally:
            stop_gateway(home)


def gateway_of(home: Path) -> Target:
    """The gateway that answers now."""
    found = read_address(home)
    assert found is not None
    parts = urlsplit(found.url)
    return Target("Taxiway", parts.hostname or "", parts.port or 0, None, [found.pid])


def deploy(client: Client, name: str, kind: str, workers: int = 1) -> None:
    """A model of that kind behind an endpoint of that name."""
    promoted(client, name, kind)
    client.endpoints.deploy(name, f"{name}@1", workers=workers)


def promoted(client: Client, name: str, kind: str) -> None:
    """A model of that kind in production, which nothing answers with yet."""
    rows = pd.DataFrame(table()[0], columns=NAMES)
    with client.runs.start(project="bench") as run:
        run.log_model(fitted(kind, is_named=True), name, example=rows)
    client.models.promote(f"{name}@1", "production", reason="to be measured")


if __name__ == "__main__":  # a home to profile by hand: python -m tools.serving.ours FOLDER KIND...
    with taxiway(Path(sys.argv[1]), sys.argv[2:]) as target:
        print(f"http://{target.host}:{target.port}", target.pids, flush=True)
        subprocess.run(["sleep", os.environ.get("SLEEP", "3600")], check=False)
