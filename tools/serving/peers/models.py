"""The models that all servers answer with, the same in every environment: ``python models.py KIND FORM FILE``.

FORM is how the server wants it: joblib, mlflow (a folder) or onnx.
"""

from __future__ import annotations

import sys
from typing import Any

import numpy as np

FEATURES = 20
NAMES = [f"f{number}" for number in range(FEATURES)]
TRAINED_ON = 2000
SEED = 7


def table() -> tuple[Any, Any]:
    """What they are trained on: 2,000 rows of 20 numbers, and two labels that depend on some of them."""
    draw = np.random.default_rng(SEED)
    rows = draw.normal(size=(TRAINED_ON, FEATURES))
    noise = draw.normal(scale=0.5, size=TRAINED_ON)
    return rows, (rows[:, 0] + rows[:, 1] * rows[:, 2] - np.abs(rows[:, 3]) + noise > 0).astype(int)


def fitted(kind: str, *, is_named: bool = False) -> Any:
    """One of them, trained. is_named: on a table with column names, as most people train."""
    rows, labels = table()
    if is_named:
        import pandas as pd

        rows = pd.DataFrame(rows, columns=NAMES)
    return made(kind).fit(rows, labels)


def made(kind: str) -> Any:
    """One of them, untrained."""
    if kind == "logistic":
        from sklearn.linear_model import LogisticRegression

        return LogisticRegression()
    if kind == "forest":
        from sklearn.ensemble import RandomForestClassifier

        return RandomForestClassifier(n_estimators=100, random_state=SEED)
    if kind == "histogram":
        from sklearn.ensemble import HistGradientBoostingClassifier

        return HistGradientBoostingClassifier(random_state=SEED)
    if kind == "lightgbm":
        from lightgbm import LGBMClassifier

        return LGBMClassifier(n_estimators=100, random_state=SEED, verbose=-1, n_jobs=1)
    raise ValueError(f"no model of the kind {kind}")


def write(kind: str, form: str, file: str) -> None:
    """Trains one and keeps it in the form that a server reads."""
    if form == "joblib":
        import joblib

        joblib.dump(fitted(kind), file)
    elif form == "mlflow":
        import mlflow.sklearn
        from mlflow.models import infer_signature

        model = fitted(kind, is_named=True)
        rows = model.feature_names_in_
        import pandas as pd

        example = pd.DataFrame(table()[0][:5], columns=rows)
        signature = infer_signature(example, model.predict(example))
        mlflow.sklearn.save_model(model, file, signature=signature, serialization_format="cloudpickle")
    elif form == "onnx":
        from pathlib import Path

        from skl2onnx import to_onnx  # type: ignore[import-not-found]  # in the peer's environment alone

        found = to_onnx(fitted(kind), table()[0][:1].astype(np.float32), options={"zipmap": False})
        Path(file).write_bytes(found.SerializeToString())
    else:
        raise ValueError(f"no form {form}")


if __name__ == "__main__":
    write(*sys.argv[1:4])
