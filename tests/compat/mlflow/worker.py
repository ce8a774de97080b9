"""Runs in MLflow's own environment: takes scripts as JSON lines, runs them with its client, gives what they return.

Importing MLflow takes seconds, so one process does it once for all tests.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
import traceback
from typing import Any


def main() -> None:
    # What scripts and libraries print goes to stderr; the answers alone to where stdout was.
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    import mlflow

    for line in sys.stdin:
        ask = json.loads(line)
        answers.write(json.dumps(run(mlflow, ask), default=str) + "\n")
        answers.flush()


def run(mlflow: Any, ask: dict[str, Any]) -> dict[str, Any]:
    """What a script returns, or what it raised."""
    start_afresh(mlflow, ask["url"], ask["environment"])
    room: dict[str, Any] = {"Any": Any}
    try:
        exec(compile(ask["source"], ask["name"], "exec"), room)
        client = mlflow.MlflowClient(ask["url"], ask["url"])
        return {"result": room[ask["name"]](mlflow, client, **ask["given"])}
    except Exception as e:  # noqa: BLE001 - a plug-in call: whatever a script raises is its answer
        code = getattr(e, "error_code", "")
        return {"raised": type(e).__name__, "code": code, "message": str(e), "trace": traceback.format_exc()}


def start_afresh(mlflow: Any, url: str, environment: dict[str, str]) -> None:
    """Forgets what the script before left: runs that it did not end, experiments, settings."""
    for name in [name for name in os.environ if name.startswith("MLFLOW_TRACKING_")]:
        del os.environ[name]
    os.environ.update(environment)
    with contextlib.suppress(Exception):
        while mlflow.active_run():
            mlflow.end_run()
    mlflow.tracking.fluent._active_experiment_id = None
    os.environ.pop("MLFLOW_EXPERIMENT_ID", None)
    mlflow.autolog(disable=True, silent=True)
    mlflow.set_tracking_uri(url)
    mlflow.set_registry_uri(url)


if __name__ == "__main__":
    main()
