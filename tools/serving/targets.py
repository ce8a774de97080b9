"""What is asked: each server as it starts by default with one worker, on the same model."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from tools.bench.serving import free_port
from tools.moving.source import PYTHON as MLFLOW_PYTHON
from tools.serving.peers.models import NAMES
from tools.serving.processes import Process, started

ROOT = Path(__file__).parents[2]
PEERS = Path(__file__).parent / "peers"
SCRIPTS = {"FastAPI": "fastapi_server.py", "LitServe": "litserve_server.py", "bare": "bare_server.py"}
VENVS = {"FastAPI": "fastapi", "bare": "fastapi", "LitServe": "litserve", "BentoML": "bentoml", "MLServer": "mlserver"}
FORMS = {"MLflow": "mlflow", "bare": "onnx"}  # all others read joblib
NAMED = {"bare": "ASGI + ONNX Runtime, nothing else", "FastAPI": "FastAPI + uvicorn"}


class Question(NamedTuple):
    """A request as it goes over the wire, in the form that a server takes."""

    path: str
    body: bytes
    headers: tuple[tuple[str, str], ...] = (("Content-Type", "application/json"),)


class Target(NamedTuple):
    """A server that answers. parts: the processes it is made of, as far as the bench may rest them."""

    name: str
    host: str
    port: int
    process: Process | None
    pids: list[int]


def python_of(name: str) -> Path:
    """The interpreter of a peer's environment."""
    return MLFLOW_PYTHON if name == "MLflow" else ROOT / ".venvs" / VENVS[name] / "bin" / "python"


def missing(name: str) -> str:
    """Why a peer cannot be run here; empty where it can."""
    python = python_of(name)
    if not python.exists():
        return f"{name} is not installed"
    return ""


def question(name: str, rows: Any, endpoint: str = "logistic") -> Question:
    """The same rows in the form that a server takes: its own, in the shortest way that its documentation shows."""
    numbers = rows.tolist()
    if name == "Taxiway":
        said = [dict(zip(NAMES, row, strict=True)) for row in numbers]
        return Question(f"/endpoints/{endpoint}/invocations", compact(said[0] if len(said) == 1 else said))
    if name == "MLflow":
        return Question("/invocations", compact({"dataframe_split": {"columns": NAMES, "data": numbers}}))
    if name == "MLServer":
        flat = [value for row in numbers for value in row]
        tensor = {"name": "rows", "shape": list(rows.shape), "datatype": "FP64", "data": flat}
        return Question("/v2/models/model/infer", compact({"inputs": [tensor]}))
    return Question("/predict", compact({"rows": numbers}))


def binary_question(rows: Any, endpoint: str) -> Question:
    """The same rows as Triton's client sends them to us: one tensor of bytes, answers in bytes as well."""
    data = rows.tobytes()
    kinds = {"parameters": {"binary_data_output": True}}
    tensor = {"name": "rows", "shape": list(rows.shape), "datatype": "FP64"}
    head = compact({"inputs": [{**tensor, "parameters": {"binary_data_size": len(data)}}], **kinds})
    headers = (("Content-Type", "application/octet-stream"), ("Inference-Header-Content-Length", str(len(head))))
    return Question(f"/v2/models/{endpoint}/infer", head + data, headers)


def compact(said: Any) -> bytes:
    return json.dumps(said, separators=(",", ":")).encode()


def model_file(name: str, kind: str, folder: Path) -> Path:
    """A model in the form that a peer reads, trained in the peer's own environment."""
    form = FORMS.get(name, "joblib")
    file = folder / f"{name}-{kind}.{form}"
    if not file.exists():
        command = [str(python_of(name)), "-W", "ignore", str(PEERS / "models.py"), kind, form, str(file)]
        done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=folder)
        if done.returncode:
            raise RuntimeError(f"{name} has no model of the kind {kind}: {done.stderr.strip().splitlines()[-1:]}")
    return file


def command_of(name: str, file: Path, port: int, folder: Path) -> list[str]:
    """How a peer is started with one worker."""
    python = str(python_of(name))
    if name == "MLflow":
        fixed = ["--env-manager", "local", "--host", "127.0.0.1", "--workers", "1"]
        return [python, "-W", "ignore", "-m", "mlflow", "models", "serve", "-m", str(file), "-p", str(port), *fixed]
    if name == "BentoML":
        return [python, "-W", "ignore", "-m", "bentoml", "serve", "bento_server:Model", "--port", str(port)]
    if name == "MLServer":
        return [str(python_of(name).with_name("mlserver")), "start", str(mlserver_folder(file, port, folder))]
    return [python, "-W", "ignore", str(PEERS / SCRIPTS[name]), str(file), str(port)]


def mlserver_folder(file: Path, port: int, folder: Path) -> Path:
    """A folder as MLServer reads it."""
    made = folder / f"mlserver-{port}"
    made.mkdir()
    shutil.copy(file, made / "model.joblib")
    ports = {"http_port": port, "grpc_port": free_port(), "metrics_port": free_port()}
    # Its process for inference ends at once with the uvloop that it is installed with, so it answers in its own.
    alone = {"host": "127.0.0.1", "debug": False, "parallel_workers": 0}
    (made / "settings.json").write_text(json.dumps({**alone, **ports}))
    model = {"name": "model", "implementation": "mlserver_sklearn.SKLearnModel", "parameters": {"uri": "model.joblib"}}
    (made / "model-settings.json").write_text(json.dumps(model))
    return made


@contextmanager
def echo(folder: Path) -> Iterator[Target]:
    """A server that only echoes."""
    port = free_port()
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with started("echo", [sys.executable, "-m", "tools.serving.echo", str(port)], folder, environment) as process:
        process.await_port(port)
        yield Target("echo", "127.0.0.1", port, process, [process.pid])


@contextmanager
def peer(name: str, kind: str, folder: Path) -> Iterator[Target]:
    """A peer that answers with a model. Raises RuntimeError where it cannot be run."""
    if reason := missing(name):
        raise RuntimeError(reason)
    file, port = model_file(name, kind, folder), free_port()
    environment = {
        **os.environ,
        "MODEL": str(file),
        "MLFLOW_DISABLE_TELEMETRY": "true",
        "BENTOML_DO_NOT_TRACK": "true",
        "BENTOML_HOME": str(folder / "bento"),
        "PATH": f"{python_of(name).parent}:{os.environ['PATH']}",
        "PYTHONPATH": str(PEERS) if name == "BentoML" else "",
    }
    with started(f"{name}-{kind}", command_of(name, file, port, folder), folder, environment) as process:
        process.await_port(port)
        yield Target(name, "127.0.0.1", port, process, [process.pid])


if sys.platform != "linux":
    raise SystemExit("Processes are rested and weighed by what Linux tells of them.")
