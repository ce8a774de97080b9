"""MLflow's real client, in its own process, against our server."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest

from tests.compat.mlflow.real import RealClient, Script
from tests.support.live import Live, running
from tests.web.browse import Visitor


class Told(NamedTuple):
    """An answer of the dialect. code: MLflow's error code, where it is a refusal."""

    status: int
    body: Any

    @property
    def code(self) -> str:
        return str(self.body.get("error_code", "")) if isinstance(self.body, dict) else ""

    @property
    def message(self) -> str:
        return str(self.body.get("message", "")) if isinstance(self.body, dict) else ""


class Tracking:
    """A server, with MLflow's real client (`run`) and with plain HTTP (`call`)."""

    def __init__(self, live: Live, client: RealClient) -> None:
        self.live = live
        self.url = live.url
        self.client = client

    def run(self, script: Script, **given: Any) -> Any:
        """What ``script(mlflow, client, **given)`` returns in the client's process. Raises ScriptFailed."""
        return self.client.run(script, self.url, **given)

    def call(self, method: str, path: str, body: Any = None, *, token: str = "") -> Told:
        """A call of the dialect: `path` follows ``/api/2.0/mlflow``, or is whole where it begins with ``//``."""
        address = path[1:] if path.startswith("//") else f"/api/2.0/mlflow{path}"
        headers = {"Accept": "*/*"} | ({"Authorization": f"Bearer {token}"} if token else {})
        data = None
        if body is not None:
            headers["Content-Type"] = "application/json"
            data = body if isinstance(body, bytes) else json.dumps(body).encode()
        answer = Visitor(self.url).ask(method, address, body=data, headers=headers)
        is_json = answer.headers.get("Content-Type", "").startswith("application/json")
        return Told(answer.status, json.loads(answer.text) if is_json else answer.text)

    def new_experiment(self, name: str = "") -> str:
        """The id of a new experiment; its name is unique where none is given."""
        self.names = getattr(self, "names", 0) + 1
        told = self.call("POST", "/experiments/create", {"name": name or f"trial {self.names}"})
        assert told.status == 200, told
        return str(told.body["experiment_id"])

    def new_run(self, experiment: str = "0", **given: Any) -> str:
        """The id of a new run."""
        told = self.call(
            "POST", "/runs/create", {"experiment_id": experiment, "start_time": 1_700_000_000_000, **given}
        )
        assert told.status == 200, told
        return str(told.body["run"]["info"]["run_id"])

    def shown(self, run: str) -> Any:
        """The run as the dialect gives it."""
        return self.call("GET", f"/runs/get?run_id={run}").body["run"]


@pytest.fixture(scope="session")
def real_client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealClient]:
    """MLflow's client in its own process, for the whole session."""
    client = RealClient(tmp_path_factory.mktemp("mlflow"))
    yield client
    client.close()


@pytest.fixture(scope="module")
def tracking(tmp_path_factory: pytest.TempPathFactory, real_client: RealClient) -> Iterator[Tracking]:
    """A server without sign-in, shared by a module: its tests make experiments of their own."""
    with running(tmp_path_factory.mktemp("tracking") / "home", login=False) as live:
        yield Tracking(live, real_client)
