"""A server with sign-in that is attacked: Ana has a secret in her project, Mallory a project of her own."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from tests.compat.mlflow.wire import Reply, ask
from tests.support.live import Live, running

SECRET = b"THE-SECRET-OF-ANA"
SHOWN = (SECRET, b"root:x:", b"SQLite format")  # what no answer to an attack may hold
TRACE = "tr-" + "a" * 32
V2, V3, PROXY = "/api/2.0/mlflow", "/api/3.0/mlflow", "/api/2.0/mlflow-artifacts"


class Attempt(NamedTuple):
    """An attack and what came of it."""

    name: str
    reply: Reply

    @property
    def status(self) -> int:
        return self.reply.status

    @property
    def told(self) -> Any:
        return json.loads(self.reply.body)


class City:
    """`hers` and `his` are experiments, of Ana and Mallory; `run` is hers, with the secret, `own_run` is his."""

    def __init__(self, live: Live) -> None:
        self.live = live
        self.tokens = {"": ""}
        (self.hers, self.run), (self.his, self.own_run) = (
            self._settle(name, project) for name, project in (("ana", "hers"), ("mallory", "his"))
        )
        self.place = f"{self.hers}/{self.run}/artifacts"
        self.own_place = f"{self.his}/{self.own_run}/artifacts"
        live.as_person("ana", "contributor", project="default")  # where models are that were not made by a run
        logged = self.attack("POST", f"{V2}/logged-models", {"experiment_id": self.hers, "name": "kept"})
        self.logged = logged.told["model"]["info"]["model_id"]
        self.logged_place = f"{self.hers}/models/{self.logged}/artifacts"
        version = {"name": "hers", "source": f"runs:/{self.run}/model", "run_id": self.run}
        made = [
            self.attack("PUT", f"{PROXY}/artifacts/{self.place}/secret.txt", SECRET),
            self.attack("PUT", f"{PROXY}/artifacts/{self.place}/model/secret.txt", SECRET),
            self.attack("PUT", f"{PROXY}/artifacts/{self.logged_place}/secret.txt", SECRET),
            self.attack("POST", f"{V3}/traces", trace(self.hers, SECRET.decode())),
            self.attack("POST", f"{V2}/registered-models/create", {"name": "hers"}),
            self.attack("POST", f"{V2}/model-versions/create", version),
            self.attack("POST", f"{V2}/registered-models/create", {"name": "sourced"}),
        ]
        assert [one.status for one in made] == [200] * len(made), made

    def _settle(self, name: str, project: str) -> tuple[str, str]:
        self.live.client.projects.create(project)
        self.live.as_person(name, "contributor", project=project)
        self.tokens[name] = self.live.client.access.make_token(name).token
        made = self.attack("POST", f"{V2}/experiments/create", {"name": f"{project}/a"}, by=name)
        experiment = made.told["experiment_id"]
        opened = self.attack("POST", f"{V2}/runs/create", {"experiment_id": experiment}, by=name)
        return experiment, opened.told["run"]["info"]["run_id"]

    def attack(
        self, method: str, target: str, body: object = b"", *, by: str = "ana", headers: dict[str, str] | None = None
    ) -> Attempt:
        """A request by somebody: bytes go as they are, anything else as JSON. by: a name, or a token."""
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        reply = ask(self.live.url, method, target, data, token=self.tokens.get(by, by), headers=headers)
        return Attempt(f"{method} {target[:150]} {data[:80]!r} {headers or ''}", reply)

    def counts(self) -> tuple[int, ...]:
        """How many experiments, versions and files there are: what no attack changes."""
        told = self.attack("POST", f"{V2}/experiments/search", {"max_results": 1000}).told
        versions = self.attack("GET", f"{V2}/model-versions/search?max_results=1000").told["model_versions"]
        files, others = self.live.house.runs.artifacts(self.run), self.live.house.models.logged.files(self.logged)
        return len(told["experiments"]), len(versions), len(files), len(others)


@contextmanager
def attacked(folder: Path) -> Iterator[City]:
    with running(folder / "home") as live:
        yield City(live)


def trace(experiment: str, preview: str = "", id_: str = TRACE, **more: object) -> dict[str, object]:
    """What the client says of a trace."""
    location = {"type": "MLFLOW_EXPERIMENT", "mlflow_experiment": {"experiment_id": experiment}}
    told = {"trace_id": id_, "trace_location": location, "request_time": "2026-11-23T10:00:00Z", "state": "OK"}
    return {"trace": {"trace_info": {**told, "request_preview": preview, **more}}}


def not_refused(attempts: Iterable[Attempt]) -> list[str]:
    """The attacks that were answered by anything but a refusal of the caller, or with a secret."""
    return [
        f"{one.name} -> {one.status} {one.reply.body[:80]!r}"
        for one in attempts
        if not 400 <= one.status < 500 or any(secret in one.reply.body for secret in SHOWN)
    ]
