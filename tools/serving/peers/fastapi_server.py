"""A model behind FastAPI and uvicorn, as its documentation shows it: ``python fastapi_server.py MODEL PORT``."""

from __future__ import annotations

import sys
from typing import Any

import joblib
import numpy as np
import uvicorn
from fastapi import FastAPI
from pydantic import BaseModel

model = joblib.load(sys.argv[1])
app = FastAPI()


class Asked(BaseModel):
    rows: list[list[float]]


@app.post("/predict")
def predict(asked: Asked) -> dict[str, Any]:
    scores = model.predict_proba(np.array(asked.rows))
    return {"predictions": scores.argmax(axis=1).tolist(), "scores": scores[:, 1].tolist()}


if __name__ == "__main__":
    uvicorn.run(app, port=int(sys.argv[2]), log_level="warning", access_log=False)
