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
def taxiway(folder: Path, kinds: Sequence[str], names: Sequence[str] = ()) -> Iterator[Target]:
    """A gateway that answers for an endpoint per kind of model, with schema check, metrics and log as by default.

    names: of the endpoints, all with the first kind of model; else each has its kind's name.
    """
    home = folder / "home"
    with running_server(home) as running, connect(running.url) as client:
        client.gates.publish(PATH)
        client.projects.create("bench", path="open")
        for name, kind in [(name, kinds[0]) for name in names] or zip(kinds, kinds, strict=True):
            deploy(client, name, kind)
        found = read_address(home)
        assert found is not None
        parts = urlsplit(found.url)
        try:
            yield Target("Taxiway", parts.hostname or "", parts.port or 0, None, [found.pid])
        finally:
            stop_gateway(home)


def deploy(client: Client, name: str, kind: str) -> None:
    """A model of that kind behind an endpoint of that name."""
    rows = pd.DataFrame(table()[0], columns=NAMES)
    with client.runs.start(project="bench") as run:
        run.log_model(fitted(kind, is_named=True), name, example=rows)
    client.models.promote(f"{name}@1", "production", reason="to be measured")
    # skops does not vouch for the trees of scikit-learn's forests.
    client.endpoints.deploy(name, f"{name}@1", may_run_code=kind == "forest")


if __name__ == "__main__":  # a home to profile by hand: python -m tools.serving.ours FOLDER KIND...
    with taxiway(Path(sys.argv[1]), sys.argv[2:]) as target:
        print(f"http://{target.host}:{target.port}", target.pids, flush=True)
        subprocess.run(["sleep", os.environ.get("SLEEP", "3600")], check=False)
