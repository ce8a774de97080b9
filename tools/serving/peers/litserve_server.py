"""A model behind LitServe, one worker, as its documentation shows it: ``python litserve_server.py MODEL PORT``."""

from __future__ import annotations

import sys
from typing import Any

import joblib
import litserve
import numpy as np


class Model(litserve.LitAPI):
    def setup(self, device: str) -> None:
        self.model = joblib.load(sys.argv[1])

    def decode_request(self, request):  # without types: LitServe would make a query parameter of one
        return np.array(request["rows"])

    def predict(self, rows: Any) -> Any:
        return self.model.predict_proba(rows)

    def encode_response(self, scores: Any) -> dict[str, Any]:
        return {"predictions": scores.argmax(axis=1).tolist(), "scores": scores[:, 1].tolist()}


if __name__ == "__main__":
    server = litserve.LitServer(Model(), accelerator="cpu", workers_per_device=1)
    server.run(port=int(sys.argv[2]), num_api_servers=1, generate_client_file=False, log_level="warning")
