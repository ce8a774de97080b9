"""A model behind BentoML, one worker, as its documentation shows it; the model's file is in MODEL."""

from __future__ import annotations

import os
from typing import Any

import bentoml
import joblib
import numpy as np


@bentoml.service(workers=1)
class Model:
    def __init__(self) -> None:
        self.model = joblib.load(os.environ["MODEL"])

    @bentoml.api
    def predict(self, rows: list[list[float]]) -> dict[str, Any]:
        scores = self.model.predict_proba(np.array(rows))
        return {"predictions": scores.argmax(axis=1).tolist(), "scores": scores[:, 1].tolist()}
