"""Models answer plain numbers as they answer the tables that they were trained with."""

from __future__ import annotations

from typing import Any

import lightgbm
import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from taxiway.models.predicting.matrices import without_names

FRAME = pd.DataFrame(np.random.default_rng(0).normal(size=(60, 2)), columns=["a", "b"])
SIGNS = (FRAME["a"] > FRAME["b"]).to_numpy()


@pytest.mark.parametrize(
    "model",
    [
        LogisticRegression(),
        lightgbm.LGBMClassifier(n_estimators=3, verbose=-1),
        make_pipeline(
            StandardScaler().set_output(transform="pandas"), lightgbm.LGBMClassifier(n_estimators=3, verbose=-1)
        ),
    ],
    ids=lambda model: type(model).__name__,
)
def test_a_model_without_its_names_takes_plain_numbers_and_no_warning_comes(model: Any) -> None:
    trained = model.fit(FRAME, SIGNS)

    bare = without_names(trained)

    assert bare.predict_proba(FRAME.to_numpy()).tolist() == trained.predict_proba(FRAME).tolist()
    assert not hasattr(bare, "feature_names_in_")
    assert list(trained.feature_names_in_) == ["a", "b"]
