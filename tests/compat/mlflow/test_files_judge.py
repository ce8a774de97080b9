"""Files and traces against a real MLflow server: scripts are told the same; and large files in little memory."""

from __future__ import annotations

import hashlib
import http.client
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.compat.mlflow.conftest import Tracking
from tests.compat.mlflow.real import RealClient, Script, real_server
from tests.compat.mlflow.wire import ask_json
from tests.server.test_process import server

pytestmark = pytest.mark.judge

LARGE_MB = 500
MOST_GROWTH_MB = 64
MB = 1 << 20
ON_PURPOSE = (
    "name IN ",  # takes the list that other attributes take
    "name NOT IN ",
    "span.attributes.model = 'small'",  # finds what is equal; there the value stands in quotes of its own
    "11 GET",  # says that an empty file has 0 bytes
    "22 PUT",  # refuses a backslash, which climbs where the file is saved on another system
    "26 GET",  # and therefore does not list it
)


@pytest.fixture(scope="module")
def peer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a real `mlflow server`."""
    with real_server(tmp_path_factory.mktemp("peer")) as url:
        yield url


def files_by_request(mlflow: Any, client: Any) -> Any:
    """What plain requests about files are answered: status, code, and what is listed."""
    import requests

    base = mlflow.get_tracking_uri()
    experiment = client.create_experiment("files by request")
    run = client.create_run(experiment).info.run_id
    root = f"{experiment}/{run}/artifacts"
    proxy, api = f"{base}/api/2.0/mlflow-artifacts/artifacts", f"{base}/api/2.0/mlflow"
    listed = f"{api}/artifacts/list?run_id={run}"
    asked = [
        ("PUT", f"{proxy}/{root}/a.txt", b"one"),
        ("PUT", f"{proxy}/{root}/a.txt", b"other"),
        ("PUT", f"{proxy}/{root}/dir/b c.txt", b"two"),
        ("PUT", f"{proxy}/{root}/dir/sub/%C3%BC.txt", b""),
        ("GET", f"{proxy}/{root}/a.txt", None),
        ("GET", f"{proxy}/{root}/none.txt", None),
        ("GET", f"{proxy}?path={root}", None),
        ("GET", f"{proxy}?path={root}/dir", None),
        ("GET", f"{proxy}?path={root}/none", None),
        ("GET", listed, None),
        ("GET", f"{listed}&path=dir", None),
        ("GET", f"{listed}&path=dir/sub", None),
        ("GET", f"{listed}&path=none", None),
        ("GET", f"{listed}&path=a.txt", None),
        ("GET", f"{listed}&path=../x", None),
        ("GET", f"{listed}&path=%252e%252e/x", None),
        ("GET", f"{listed}&path=/etc", None),
        ("GET", f"{api}/artifacts/list?run_id={'0' * 32}", None),
        ("GET", f"{api}/artifacts/list", None),
        ("GET", f"{base}/get-artifact?run_id={run}&path=a.txt", None),
        ("GET", f"{base}/get-artifact?run_id={run}&path=..%2Fx", None),
        ("PUT", f"{proxy}/{root}/%2e%2e/%2e%2e/x", b"x"),
        ("PUT", f"{proxy}/{root}/..%5cx", b"x"),
        ("PUT", f"{proxy}/%2fetc/x", b"x"),
        ("DELETE", f"{proxy}/{root}/a.txt", None),
        ("DELETE", f"{proxy}/{root}/none.txt", None),
        ("GET", listed, None),
    ]
    found: dict[str, Any] = {}
    for method, url, body in asked:
        answer = requests.request(method, url, data=body, timeout=20)
        is_json = answer.headers.get("Content-Type", "").startswith("application/json")
        told = answer.json() if is_json and answer.content else {}
        files = [{key: file[key] for key in sorted(file)} for file in told.get("files", [])]
        place = told.get("root_uri", "").replace(run, "RUN").replace(f"/{experiment}/", "/EXPERIMENT/")
        text = answer.text if "/a.txt" in url and method == "GET" and answer.ok else ""
        name = url.replace(base, "").replace(root, "ROOT").replace(run, "RUN")
        found[f"{len(found)} {method} {name}"] = [answer.status_code, told.get("error_code", ""), files, place, text]
    return found


def traces_by_filter(mlflow: Any, client: Any) -> Any:
    """Which of some traces filters and orders find, and what is read of one."""
    import contextlib

    experiment = client.create_experiment("traces by filter")
    mlflow.set_experiment(experiment_id=experiment)

    def told(name: str, fails: bool, kind: str, **attributes: Any) -> None:
        with contextlib.suppress(ValueError), mlflow.start_span(name, span_type="CHAIN") as root:
            root.set_inputs({"name": name})
            mlflow.update_current_trace(tags={"team": name[:1], "n": str(len(name))})
            with mlflow.start_span("inner", span_type=kind, attributes=attributes) as inner:
                inner.set_outputs([name, 1, 2.5, None])
                if fails:
                    raise ValueError("no")

    told("alpha", fails=False, kind="LLM", model="small", size=3)
    told("Alpine", fails=True, kind="TOOL", model="large")
    told("beta", fails=False, kind="LLM", city="Bern")
    mlflow.flush_trace_async_logging()
    filters = [
        "", "status = 'OK'", "status = 'ERROR'", "attributes.status != 'OK'", "trace.status = 'OK'", "name = 'beta'",
        "name LIKE 'Al%'", "name ILIKE 'al%'", "name RLIKE '^[ab]'", "tags.team = 'a'", "tag.team != 'a'",
        "tags.none = 'x'", "tags.`team` = 'b'", "timestamp_ms > 0", "timestamp < 5", "execution_time_ms >= 0",
        "span.name = 'inner'", "span.type = 'TOOL'", "span.status = 'ERROR'", "span.attributes.model = 'small'",
        "span.attributes.model LIKE '%l%'", "name IN ('beta', 'alpha')", "name NOT IN ('beta')",
        "status = 'OK' AND tags.team = 'b'", "tags.team IS NULL", "tags.team IS NOT NULL", "metadata.none IS NULL",
        "status > 'OK'", "nothing = 'x'", "tags.team > 'a'", "status = 'OK' OR status = 'ERROR'", "span.size = 'x'",
    ]  # fmt: skip
    orders = [[], ["timestamp_ms ASC"], ["name DESC"], ["status", "timestamp DESC"], ["nothing"], ["name sideways"]]

    def names(**ask: Any) -> Any:
        try:
            found = mlflow.search_traces(locations=[experiment], return_type="list", **ask)
        except mlflow.exceptions.MlflowException as e:
            return e.error_code
        return [trace.info.tags["mlflow.traceName"] for trace in found]

    every = mlflow.search_traces(locations=[experiment], return_type="list", order_by=["timestamp_ms ASC"])
    first = every[0]
    spans = [
        [
            s.name,
            s.span_type,
            s.inputs,
            s.outputs,
            s.status.status_code.value,
            s.parent_id is None,
            s.attributes.get("size"),
        ]
        for s in first.data.spans
    ]
    found = {text: names(filter_string=text) for text in filters} | {str(o): names(order_by=o) for o in orders}
    return found | {
        "spans": spans,
        "info": [first.info.request_preview, first.info.response_preview, first.info.state.value],
        "tags": sorted(key for key in first.info.tags if not key.startswith("mlflow.")),
        "exception": every[1].data.spans[1].events[0].attributes["exception.message"],
        "deleted": client.delete_traces(experiment, max_timestamp_millis=2**50, max_traces=2),
        "left": names(),
    }


@pytest.mark.parametrize("script", [files_by_request, traces_by_filter], ids=lambda script: script.__name__)
def test_a_script_is_told_the_same(tracking: Tracking, real_client: RealClient, peer: str, script: Script) -> None:
    expected, found = real_client.run(script, peer), tracking.run(script)

    differences = [f"{one}: {found[one]} for {expected[one]}" for one in expected if found[one] != expected[one]]
    assert not [each for each in differences if not each.startswith(ON_PURPOSE)], "\n".join(differences)


class Watched:
    """The memory that a process has in use, and the most that it had since."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self.before = self.most = self.now()
        self.is_over = threading.Event()
        threading.Thread(target=self._watch, daemon=True).start()

    def now(self) -> float:
        lines = Path(f"/proc/{self.pid}/status").read_text().splitlines()
        return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmRSS"))

    def _watch(self) -> None:
        while not self.is_over.wait(0.02):
            self.most = max(self.most, self.now())

    def growth(self) -> float:
        self.is_over.set()
        return self.most - self.before


def test_large_files_go_up_and_down_in_little_memory(tmp_path: Path) -> None:
    block = hashlib.sha256(b"seed").digest() * (MB // 32)
    with server(tmp_path / "home") as (process, url):
        made = ask_json(url, "POST", "/api/2.0/mlflow/runs/create", {"experiment_id": "0"})
        target = f"/api/2.0/mlflow-artifacts/artifacts/0/{made['run']['info']['run_id']}/artifacts/large.bin"
        line = http.client.HTTPConnection(urlsplit(url).netloc, timeout=120)
        watched = Watched(process.pid)
        head = {"Content-Length": str(LARGE_MB * MB), "Content-Type": "application/octet-stream"}
        line.request("PUT", target, (block for _ in range(LARGE_MB)), head)
        up = line.getresponse()
        up.read()
        line.request("GET", target)
        down, came = line.getresponse(), 0
        while piece := down.read(MB):
            came += len(piece)
        line.close()
        growth = watched.growth()

    assert (up.status, down.status, came) == (200, 200, LARGE_MB * MB)
    assert growth <= MOST_GROWTH_MB
