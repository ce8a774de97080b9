"""A mitigated model answers a row the same every time."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from fairlearn.reductions import DemographicParity, ExponentiatedGradient
from sklearn.linear_model import LogisticRegression

from taxiway.adapters.fairlearn import WeightedMix, as_mix
from taxiway.adapters.sklearn import load, save
from taxiway.models.bundles.bundle import write_bundle

RNG = np.random.default_rng(7)
NUMBERS = pd.DataFrame(RNG.normal(size=(300, 3)), columns=["a", "b", "c"])
LABELS = (NUMBERS.a + 0.5 * NUMBERS.b + RNG.normal(size=300) > 0).astype(int).to_numpy()


@pytest.fixture(scope="module")
def mitigated() -> Any:
    mitigation = ExponentiatedGradient(LogisticRegression(), DemographicParity(difference_bound=0.02))
    groups = np.where(NUMBERS.b > 0, "x", "y")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # fairlearn 0.15 sets values in a way that pandas 4 will refuse
        return mitigation.fit(NUMBERS, LABELS, sensitive_features=groups)


def test_a_hard_mix_scores_as_fairlearn_expects_on_average(mitigated: Any) -> None:
    mix = as_mix(mitigated, voting="hard")

    assert mix.predict_proba(NUMBERS) == pytest.approx(mitigated._pmf_predict(NUMBERS))


def test_a_soft_mix_is_the_weighted_mean_of_probabilities() -> None:
    first, second = (LogisticRegression(C=c).fit(NUMBERS, LABELS) for c in (0.01, 10.0))
    mix = WeightedMix([first, second], [0.25, 0.75])

    expected = 0.25 * first.predict_proba(NUMBERS) + 0.75 * second.predict_proba(NUMBERS)
    assert mix.predict_proba(NUMBERS) == pytest.approx(expected)


def test_a_mitigated_model_is_saved_without_pickle_and_never_changes_its_mind(mitigated: Any, tmp_path: Path) -> None:
    bundle = write_bundle(tmp_path / "m", save(as_mix(mitigated), tmp_path / "m", NUMBERS, name="m"))
    predictor = load(bundle.folder, bundle.digest)
    rows = NUMBERS.to_dict("records")

    first, again = predictor.predict(rows), predictor.predict(rows)

    assert bundle.manifest.native.serialization == "skops"
    assert first == again
    assert [answer["prediction"] for answer in first] == as_mix(mitigated).predict(NUMBERS).tolist()


def test_a_mix_is_made_of_fitted_members_not_fitted_itself() -> None:
    with pytest.raises(TypeError, match="as_mix"):
        WeightedMix().fit(NUMBERS, LABELS)
