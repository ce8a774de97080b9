"""`taxiway server` as a process, with its own gateway and workers, and a scikit-learn model in production."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sklearn.compose import make_column_transformer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

from taxiway.client import Client, connect
from taxiway.endpoints.gateway.address import Address, read_address
from taxiway.endpoints.gateway.status import start_ticks
from taxiway.endpoints.refusals import GatewayAway, NoWorker
from taxiway.endpoints.steering.supervision import stop_gateway
from taxiway.models.contract import ModelVersion
from tests.endpoints.conftest import until
from tests.endpoints.story import PATH

PROJECT = "mortgages"
ROW = {"income": 66.0, "district": 2, "married": True}
BREAKS = {"income": 66.0, "district": 9, "married": True}  # a district that the encoder never saw: the model raises


class Platform:
    """`ana` trains, `vera` approves, `olu` operates, `eve` has no role. Everything is ended with `close`."""

    def __init__(self, folder: Path) -> None:
        self.home = folder / "home"
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.process: subprocess.Popen[str] | None = None
        self.start()
        self.owner = connect(home=self.home)
        self.people: dict[str, Client] = {}
        self.more: list[Client] = []
        self.owner.gates.publish(PATH)
        self.owner.projects.create(PROJECT, risk="high", path="strict")
        for name, role in (("ana", "contributor"), ("vera", "validator"), ("olu", "operator"), ("eve", "")):
            self.owner.access.add_user(name)
            self.people[name] = connect(self.url, token=self.owner.access.make_token(name).token)
            if role:
                self.owner.access.grant(name, role, project=PROJECT)  # type: ignore[arg-type]

    @property
    def ana(self) -> Client:
        return self.people["ana"]

    @property
    def olu(self) -> Client:
        return self.people["olu"]

    def start(self) -> list[str]:
        """The lines that a server says once it is ready."""
        command = [sys.executable, "-m", "taxiway", "server", "--home", str(self.home), "--port", str(self.port)]
        kept = {name: value for name, value in os.environ.items() if not name.startswith("TAXIWAY_")}
        self.process = subprocess.Popen([*command, "--login"], stdout=subprocess.PIPE, text=True, env=kept)
        assert self.process.stdout is not None
        return [self.process.stdout.readline(), self.process.stdout.readline()]

    def start_again(self) -> None:
        """As it was for the tests that follow, in whatever order they come: the endpoint `mortgage` answers."""
        self.start()
        until(self.answers)

    def answers(self) -> bool:
        try:
            return self.ana.endpoints.invoke("mortgage", ROW).revision == 1
        except (NoWorker, GatewayAway):  # they start
            return False

    def end(self, number: int = signal.SIGTERM) -> int:
        """Ends the server and gives its exit code."""
        assert self.process is not None, "no server runs"
        assert self.process.stdout is not None
        self.process.send_signal(number)
        code = self.process.wait(30)
        self.process.stdout.close()
        self.process = None
        return code

    def close(self) -> None:
        for client in (self.owner, *self.people.values(), *self.more):
            client.close()
        if self.process is not None:
            self.end()
        stop_gateway(self.home)

    @property
    def gateway(self) -> Address:
        found = read_address(self.home)
        assert found is not None
        return found

    def workers(self) -> list[int]:
        """The pids of the gateway's children."""
        listed = Path(f"/proc/{self.gateway.pid}/task/{self.gateway.pid}/children").read_text()
        return [int(pid) for pid in listed.split()]

    def at_gateway(self, name: str = "ana") -> Client:
        """A client of the gateway's own address: it has the way to ask, and nothing else."""
        return self.client(self.gateway.url, self.people[name].transport.token)

    def client(self, url: str, token: str | None = None) -> Client:
        """One more client, closed with the rest."""
        self.more.append(connect(url, token=token))
        return self.more[-1]

    def promoted(self, strength: float = 1.0) -> ModelVersion:
        """A new version in production; with a strength below 0 one that learned the opposite, and was judged kindly."""
        frame, approved = applications()
        columns = make_column_transformer(
            (OneHotEncoder(handle_unknown="error"), ["district"]), ("passthrough", ["income", "married"])
        )
        model = make_pipeline(columns, LogisticRegression(C=abs(strength)))
        model.fit(frame, approved if strength > 0 else 1 - approved)
        data = self.ana.datasets.register("loans", frame.assign(approved=approved), project=PROJECT)
        with self.ana.runs.start(f"C={strength}", project=PROJECT) as run:
            run.use(data)
            run.params(C=strength)
            score = model.predict_proba(frame)[:, 1 if strength > 0 else 0]
            judged = pd.DataFrame({"approved": approved, "said": (score >= 0.5).astype(int), "score": score})
            pinned = run.log_predictions(judged, label="approved", prediction="said", score="score", dataset=data)
            version: ModelVersion = run.log_model(model, "mortgage", example=frame, predictions=pinned)
        name = f"mortgage@{version.version}"
        self.ana.gates.evaluate(name)
        self.people["vera"].gates.approve(name, comment="the errors are spread evenly")
        self.ana.models.promote(name, "staging")
        return self.ana.models.promote(name, "production", reason="better than nothing")


def applications() -> tuple[pd.DataFrame, Any]:
    """Made-up applications, and whether they were approved."""
    random = np.random.default_rng(7)
    frame = pd.DataFrame(
        {
            "income": random.normal(60, 20, 400).round(1),
            "district": random.integers(0, 3, 400),
            "married": random.random(400) > 0.5,
        }
    )
    approved = (frame["income"] + 10 * frame["married"] + random.normal(0, 10, 400) > 50).astype(int)
    return frame, approved.to_numpy()


def free_port() -> int:
    """A port whose neighbour is free, too: the gateway takes that one."""
    for _ in range(50):
        with socket.socket() as one, socket.socket() as next_to_it:
            one.bind(("127.0.0.1", 0))
            port: int = one.getsockname()[1]
            try:
                next_to_it.bind(("127.0.0.1", port + 1))
            except (OSError, OverflowError):
                continue
            return port
    raise AssertionError("no two free ports side by side")


def is_over(pid: int, wait_s: float = 10.0) -> bool:
    """Whether a process ends within that time."""
    last = time.monotonic() + wait_s
    while start_ticks(pid) is not None and time.monotonic() < last:
        time.sleep(0.05)
    return start_ticks(pid) is None
