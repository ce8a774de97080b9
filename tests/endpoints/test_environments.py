"""A revision runs with the packages of its bundle's lock, or is refused with what could not be had."""

from __future__ import annotations

import importlib.metadata
from pathlib import Path

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from taxiway.adapters import sklearn as adapter
from taxiway.endpoints.refusals import EnvironmentFailed
from taxiway.endpoints.worker import environments
from taxiway.models.bundles.bundle import Bundle, write_bundle
from tests.endpoints import trial


def locked(folder: Path, lock: str) -> Bundle:
    folder.mkdir(parents=True)
    features = np.random.default_rng(7).normal(size=(50, 3))
    model = LogisticRegression().fit(features, features.sum(axis=1) > 0)
    return write_bundle(folder, adapter.save(model, folder, features, name="loans"), lock=lock)


def test_what_cannot_be_had_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UV_OFFLINE", "1")
    bundle = locked(tmp_path / "bundle", "no-such-package-of-taxiway==1.0\n")

    with pytest.raises(EnvironmentFailed, match="no-such-package-of-taxiway could not be installed"):
        environments.prepared(tmp_path, bundle.folder, bundle.digest, lambda _: None)

    assert list((tmp_path / "environments").iterdir()) == []


def test_a_bundle_without_a_lock_has_no_environment(tmp_path: Path) -> None:
    bundle = trial.trial_bundle(tmp_path / "bundle", "1")

    with pytest.raises(EnvironmentFailed, match=r"the bundle has no requirements\.lock"):
        environments.prepared(tmp_path, bundle.folder, bundle.digest, lambda _: None)


def test_an_environment_names_the_flavours_that_can_be_loaded_in_it(tmp_path: Path) -> None:
    libraries = tmp_path / "lib" / "python3" / "site-packages"
    libraries.mkdir(parents=True)

    environments.name_flavours(tmp_path)

    [found] = importlib.metadata.distributions(path=[str(libraries)])
    assert "sklearn" in found.entry_points.select(group="taxiway.flavours").names
