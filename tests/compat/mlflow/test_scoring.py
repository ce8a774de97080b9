"""MLflow's own scoring client at one of our servers, and its loader on a folder that was exported for it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from taxiway.compat.exports.image import Exported
from taxiway.compat.exports.writing import Wish, write
from tests.compat.mlflow.real import RealClient
from tests.compat.standing import Running


def by_mlflow(mlflow: Any, client: Any, rows: list[dict[str, float]], folder: str) -> dict[str, list[str]]:
    """Labels by both; runs in MLflow's process."""
    import pandas as pd
    from mlflow.pyfunc.scoring_server.client import ScoringServerClient

    table = pd.DataFrame(rows)
    host, port = mlflow.get_tracking_uri().removeprefix("http://").split(":")
    scoring = ScoringServerClient(host, int(port))
    scoring.ping()
    asked = scoring.invoke(table).get_predictions()
    loaded = mlflow.pyfunc.load_model(folder).predict(table)
    return {"client": [str(each) for each in asked.iloc[:, 0]], "loaded": [str(each) for each in loaded]}


@pytest.mark.slow
def test_mlflows_client_and_its_loader_answer_as_the_model_does(
    alone: Running,
    rows: list[dict[str, float]],
    known: dict[str, list[str]],
    exported: Exported,
    real_client: RealClient,
    tmp_path: Path,
) -> None:
    write(tmp_path, exported, Wish("mlflow"))

    found = real_client.run(by_mlflow, f"http://{alone.url}", rows=rows, folder=str(tmp_path))

    assert found == {"client": known["labels"], "loaded": known["labels"]}
