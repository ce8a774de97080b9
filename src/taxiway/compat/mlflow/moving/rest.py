"""A live MLflow server, read through its own REST interface."""

from __future__ import annotations

import base64
import http.client
import math
import os
import ssl
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import urlencode, urlsplit

import msgspec
from msgspec.structs import replace

from taxiway.compat.mlflow.moving.points import Columns, split
from taxiway.compat.mlflow.moving.rest_traces import RestTraces, inputs_of, measure_of
from taxiway.compat.mlflow.moving.served import ServedTree
from taxiway.compat.mlflow.moving.source import (
    STATUSES,
    Found,
    FoundLogged,
    FoundTrace,
    Series,
    SourceUnusable,
    micros,
    stamp_of,
    stamped,
)
from taxiway.compat.mlflow.moving.trees import Tree
from taxiway.imports.contract import (
    Counts,
    IncomingExperiment,
    IncomingLogged,
    IncomingModel,
    IncomingUse,
    IncomingVersion,
    Skipped,
)
from taxiway.traces.contract import Span

API = "/api/2.0/mlflow"
AT_ONCE = 200
TIMEOUT_S = 60.0
MOST_BYTES = 1 << 30
TRIES = 3

Connect = Callable[[], http.client.HTTPConnection]

ODD_NUMBERS = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}


class RestSource:
    """An MLflow server. Its credentials are those that MLflow's client reads from the environment."""

    def __init__(self, url: str, *, connect: Connect | None = None, headers: Mapping[str, str] | None = None) -> None:
        """connect: opens a connection in another way than by the address. Raises SourceUnusable."""
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname or "@" in parts.netloc:
            cause = "it is no address such as http://HOST:PORT without a password in it"
            raise SourceUnusable(source=parts.hostname or "the address", cause=cause)
        self.parts = parts
        self.base = parts.path.rstrip("/")
        self.origin = f"{parts.scheme}://{parts.netloc}{self.base}"
        self.skipped: list[Skipped] = []
        self.infinities = 0
        self.connect = connect
        self.headers = credentials() if headers is None else dict(headers)
        self.connection: http.client.HTTPConnection | None = None
        self.ids: list[str] = []
        self.keys: dict[str, list[str]] = {}  # the metrics of runs whose points were not read yet
        self.counts = Counts()
        self.uses: defaultdict[str, dict[tuple[str, str], IncomingUse]] = defaultdict(dict)  # of logged models
        self.has_logged = False
        self.traced = RestTraces(self)
        self.ask("POST", "/experiments/search", {"max_results": 1, "view_type": "ALL"})

    def close(self) -> None:
        if self.connection is not None:
            self.connection.close()
        self.connection = None

    # --- asking ---

    def ask(self, method: str, path: str, body: dict[str, Any], *, api: str = API) -> dict[str, Any]:
        """What the server answers to a call. Raises SourceUnusable."""
        given, data = path, b""
        if method == "GET":
            given = f"{path}?{urlencode(body, doseq=True)}"
        else:
            data = msgspec.json.encode(body)
        status, answer = self._try(method, f"{self.base}{api}{given}", data)
        if status != 200:
            said = answer[:200].decode(errors="replace")
            raise SourceUnusable(source=self.origin, cause=f"{path} answers {status}: {said}")
        try:
            found: dict[str, Any] = msgspec.json.decode(answer, type=dict[str, Any])
        except msgspec.MsgspecError as e:
            raise SourceUnusable(source=self.origin, cause=f"{path} answers no JSON: {e}") from e
        return found

    def _try(self, method: str, path: str, data: bytes) -> tuple[int, bytes]:
        for left in reversed(range(TRIES)):
            try:
                answer = self.send(method, path, data)
                return answer.status, answer.read(MOST_BYTES)
            except (OSError, http.client.HTTPException) as e:
                self.close()
                if not left:
                    raise SourceUnusable(source=self.origin, cause=str(e) or type(e).__name__) from e
        raise AssertionError("the last try returns or raises")

    def send(self, method: str, path: str, data: bytes = b"") -> http.client.HTTPResponse:
        if self.connection is None:
            self.connection = self.open()
        self.connection.request(method, path, data or None, {**self.headers, "Content-Type": "application/json"})
        return self.connection.getresponse()

    def open(self) -> http.client.HTTPConnection:
        if self.connect is not None:
            return self.connect()
        host, port = self.parts.hostname or "", self.parts.port
        if self.parts.scheme == "https":
            return http.client.HTTPSConnection(host, port, timeout=TIMEOUT_S, context=ssl.create_default_context())
        return http.client.HTTPConnection(host, port, timeout=TIMEOUT_S)

    def pages(
        self, method: str, path: str, body: dict[str, Any], name: str, *, api: str = API
    ) -> Iterator[list[dict[str, Any]]]:
        token = ""
        while True:
            answer = self.ask(method, path, {**body, "page_token": token} if token else body, api=api)
            yield answer.get(name, [])
            token = answer.get("next_page_token", "")
            if not token:
                return

    # --- experiments and runs ---

    def count_runs(self) -> int:
        return 0

    def totals(self) -> Counts:
        """How much there is: the server counts nothing itself, so these are what was read of it."""
        return self.counts

    def experiments(self) -> list[IncomingExperiment]:
        body = {"max_results": 1000, "view_type": "ALL"}
        found = [row for page in self.pages("POST", "/experiments/search", body, "experiments") for row in page]
        self.ids = [row["experiment_id"] for row in found]
        self.has_logged = self._has_logged()
        self.counts = Counts(experiments=len(found))
        return [
            IncomingExperiment(
                id=row["experiment_id"],
                name=row["name"],
                tags={tag["key"]: tag.get("value", "") for tag in row.get("tags", [])},
                created_at=micros(row.get("creation_time")),
                is_deleted=row.get("lifecycle_stage") == "deleted",
            )
            for row in found
        ]

    def runs(self, since_ms: int | None) -> Iterator[list[Found]]:
        """since_ms: those that began or ended since then, and all that go on."""
        filters = [""]
        if since_ms is not None:
            filters = [f"start_time >= {since_ms}", f"end_time >= {since_ms}", "status = 'RUNNING'"]
        for start in range(0, len(self.ids), 50):
            for text in filters:
                body = {
                    "experiment_ids": self.ids[start : start + 50],
                    "run_view_type": "ALL",
                    "max_results": AT_ONCE,
                    "order_by": ["start_time ASC"],
                }
                for page in self.pages("POST", "/runs/search", {**body, "filter": text} if text else body, "runs"):
                    yield [run for run in map(self._run, page) if run is not None]

    def _run(self, row: dict[str, Any]) -> Found | None:
        info, data = row["info"], row.get("data", {})
        status, started = STATUSES.get(info.get("status", "")), micros(info.get("start_time", 0))
        if status is None or started is None:
            problem = f"status {info.get('status')!r} and start {info.get('start_time')!r} cannot be read"
            self.skipped.append(Skipped("run", str(info.get("run_id"))[:200], problem))
            return None
        tags = {tag["key"]: tag.get("value", "") for tag in data.get("tags", [])}
        run = Found(
            id=info["run_id"],
            experiment=info["experiment_id"],
            name=info.get("run_name") or tags.get("mlflow.runName", ""),
            status=status,
            user=info.get("user_id", ""),
            started_at=started,
            ended_at=micros(info.get("end_time")),
            is_deleted=info.get("lifecycle_stage") == "deleted",
            place=info.get("artifact_uri", ""),
            params={param["key"]: param.get("value", "") for param in data.get("params", [])},
            tags=tags,
            stamp="",
            inputs=inputs_of(row),
        )
        newest = sorted((m["key"], m.get("step", 0), m["timestamp"], str(m["value"])) for m in data.get("metrics", []))
        self.count_more(runs=1, params=len(run.params), tags=len(tags), inputs=len(run.inputs))
        self._note_uses(row)
        self.keys[run.id] = [key for key, *_ in newest]
        return replace(run, stamp=stamp_of(run, newest))

    def count_more(self, **more: int) -> None:
        self.counts = replace(self.counts, **{name: getattr(self.counts, name) + n for name, n in more.items()})

    def _note_uses(self, row: dict[str, Any]) -> None:
        """Which logged models a run took in and brought forth."""
        run = row["info"]["run_id"]
        for one in row.get("inputs", {}).get("model_inputs", []):
            self.uses[one["model_id"]][run, "input"] = IncomingUse(run, "input")
        for one in row.get("outputs", {}).get("model_outputs", []):
            self.uses[one["model_id"]][run, "output"] = IncomingUse(run, "output", int(one.get("step", 0)))

    def series(self, runs: Sequence[Found]) -> Iterator[tuple[str, list[Series]]]:
        for run in runs:
            if self.has_logged:  # a search does not tell the models that a run took in
                self._note_uses(self.ask("GET", "/runs/get", {"run_id": run.id})["run"])
            found: list[Series] = []
            for key in self.keys.pop(run.id, []):
                found += self._history(run.id, key)
            if found:
                yield run.id, found

    def _history(self, run: str, key: str) -> list[Series]:
        rows = [
            row
            for page in self.pages(
                "GET", "/metrics/get-history", {"run_id": run, "metric_key": key, "max_results": 25_000}, "metrics"
            )
            for row in page
        ]
        if not rows:
            return []
        values = [ODD_NUMBERS.get(row["value"], row["value"]) for row in rows]
        floats = [float(value) if type(value) is int else value for value in values]
        columns = Columns(
            [key] * len(rows), [row.get("step", 0) for row in rows], [row["timestamp"] for row in rows], floats
        )
        result = split(columns)
        self.skipped += [Skipped("point", run, problem) for problem in result.problems]
        self.infinities += result.infinities
        self.count_more(points=len({(row["timestamp"], row.get("step", 0), str(row["value"])) for row in rows}))
        return result.series

    # --- files ---

    def tree(self, place: str) -> Tree:
        """The files of a place that the server serves itself."""
        return ServedTree(self, place)

    # --- models ---

    def logged(self) -> list[FoundLogged]:
        """The models that runs made; none where the server is older than they are."""
        found: list[FoundLogged] = []
        for start in range(0, len(self.ids), 50):
            body = {"experiment_ids": self.ids[start : start + 50], "max_results": 100}
            try:
                pages = list(self.pages("POST", "/logged-models/search", body, "models"))
            except SourceUnusable:
                return found
            found += [self._logged(row) for page in pages for row in page]
        c = [one.model for one in found]
        more = {"measures": sum(len(one.measures) for one in c), "uses": sum(len(one.uses) for one in c)}
        self.count_more(logged=len(c), **more)
        return found

    def _has_logged(self) -> bool:
        """Whether there is any model that a run made."""
        for start in range(0, len(self.ids), 50):
            body = {"experiment_ids": self.ids[start : start + 50], "max_results": 1}
            try:
                if self.ask("POST", "/logged-models/search", body).get("models"):
                    return True
            except SourceUnusable:
                return False
        return False

    def _logged(self, row: dict[str, Any]) -> FoundLogged:
        found = logged_of(row["info"], row.get("data", {}))
        return replace(found, model=stamped(replace(found.model, uses=[*self.uses[found.model.id].values()])))

    # --- traces ---

    def traces(self, since_ms: int | None) -> Iterator[list[FoundTrace]]:
        return self.traced.found(since_ms)

    def spans(self, found: Sequence[FoundTrace]) -> Iterator[tuple[str, list[Span] | None]]:
        return self.traced.spans(found)

    # --- models with names ---

    def models(self) -> list[IncomingModel]:
        names = [
            row
            for page in self.pages("GET", "/registered-models/search", {"max_results": 100}, "registered_models")
            for row in page
        ]
        found = [self._model(row) for row in names]
        versions = sum(len(one.versions) for one in found)
        aliases = sum(len(one.aliases) for one in found)
        self.counts = replace(self.counts, models=len(found), versions=versions, aliases=aliases)
        return found

    def _model(self, row: dict[str, Any]) -> IncomingModel:
        asked = {"filter": f"name='{row['name']}'", "max_results": 1000}
        versions = [
            one for page in self.pages("GET", "/model-versions/search", asked, "model_versions") for one in page
        ]
        return IncomingModel(
            name=row["name"],
            description=row.get("description", ""),
            tags={tag["key"]: tag.get("value", "") for tag in row.get("tags", [])},
            aliases={one["alias"]: int(one["version"]) for one in row.get("aliases", [])},
            versions=sorted(map(version_of, versions), key=lambda one: one.version),
        )


def logged_of(info: dict[str, Any], data: dict[str, Any]) -> FoundLogged:
    model = IncomingLogged(
        id=info["model_id"],
        experiment=info["experiment_id"],
        name=info.get("name", ""),
        kind=info.get("model_type", ""),
        run=info.get("source_run_id", ""),
        is_ready=info.get("status") == "LOGGED_MODEL_READY",
        created_at=micros(info.get("creation_timestamp_ms")),
        params={one["key"]: one.get("value", "") for one in data.get("params", [])},
        tags={one["key"]: one.get("value", "") for one in info.get("tags", [])},
        measures=[measure_of(one) for one in data.get("metrics", [])],
    )
    return FoundLogged(model, info.get("artifact_uri", ""), micros(info.get("creation_timestamp_ms")) or 0)


def version_of(row: dict[str, Any]) -> IncomingVersion:
    stage = row.get("current_stage", "None")
    return IncomingVersion(
        version=int(row["version"]),
        created_at=micros(row.get("creation_timestamp")) or 0,
        run=row.get("run_id", ""),
        source=row.get("source", ""),
        stage="" if stage == "None" else stage,
        description=row.get("description", ""),
        tags={tag["key"]: tag.get("value", "") for tag in row.get("tags", [])},
    )


def credentials() -> dict[str, str]:
    """The headers that prove who asks, from the variables that MLflow's own client reads."""
    token, name = os.environ.get("MLFLOW_TRACKING_TOKEN"), os.environ.get("MLFLOW_TRACKING_USERNAME")
    if token:
        return {"Authorization": f"Bearer {token}"}
    if name:
        pair = f"{name}:{os.environ.get('MLFLOW_TRACKING_PASSWORD', '')}"
        return {"Authorization": f"Basic {base64.b64encode(pair.encode()).decode()}"}
    return {}
