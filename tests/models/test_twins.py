"""A twin for a version that stands: another version, tied to the one it comes from and different in nothing else."""

from __future__ import annotations

import shutil
from argparse import Namespace
from pathlib import Path
from typing import Any

import msgspec
import pandas as pd
import pytest
from sklearn.ensemble import RandomForestClassifier
from sklearn.neighbors import KNeighborsClassifier

from taxiway.kernel.errors import BadField
from taxiway.models.bundles.bundle import MANIFEST, write_bundle
from taxiway.models.refusals import TwinNotMade
from taxiway.models.twins import making
from taxiway.models.twins.commands import twin
from taxiway.models.twins.record import FILE
from tests.support.live import Live

SEEN = pd.DataFrame({"income": [1.0, 2.0, 8.0, 9.0] * 10, "debt": [3.0, 2.0, 1.0, 0.5] * 10})
LABELS = [0, 0, 1, 1] * 10


def asked(version: str, **flags: bool) -> Namespace:
    return Namespace(**{"version": version, "make": False, "check": False, "may_run_code": False, **flags})


def log(live: Live, model: Any, name: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """Logs a model where ONNX Runtime is not installed."""
    client = live.client
    client.projects.create("loans", risk="low")
    fitted = model.fit(SEEN, LABELS)
    scored = SEEN.assign(y=LABELS, p=fitted.predict_proba(SEEN)[:, 1], said=fitted.predict(SEEN))
    with client.runs.start(project="loans") as run, monkeypatch.context() as without:
        without.setattr(making, "runtime_version", lambda: "")
        predictions = run.log_predictions(scored, label="y", prediction="said", score="p", threshold=0.6)
        run.log_model(fitted, name, example=SEEN, predictions=predictions)
    return name


def test_a_version_gets_a_twin_as_the_next_version(
    open_live: Live, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    client = open_live.client
    name = log(open_live, RandomForestClassifier(8, random_state=1), "forest", monkeypatch)
    assert "ONNX Runtime is not installed where it was logged" in twin(client, asked(name))

    said = twin(client, asked(f"{name}@1", make=True))

    first, second = client.models.find(f"{name}@1"), client.models.find(f"{name}@2")
    assert said.startswith("forest@2, version 1 with a twin. It runs its ONNX twin: equal to the last bit on ")
    manifest = client.models.manifest(f"{name}@2")
    assert manifest.twin is not None
    assert manifest.twin.made_from == first.bundle != second.bundle
    kept = ("run", "datasets", "evaluation", "threshold", "environment", "project")
    assert all(getattr(first, field) == getattr(second, field) for field in kept)
    assert (second.stage, second.aliases) == ("none", [])
    edges = client.lineage.walk(second.ref).edges
    assert [edge.source for edge in edges if edge.verb == "compiled_into"] == [first.ref]
    checked = twin(client, asked(f"{name}@2", check=True))
    assert checked.endswith("Checked here: its file is the one that the model makes, and both answer alike.")

    with pytest.raises(TwinNotMade, match=r"forest v2 .* no twin was made: it has one\."):
        client.models.add_twin(f"{name}@2")
    check_only_the_twin_is_new(open_live, name, tmp_path)


def check_only_the_twin_is_new(live: Live, name: str, tmp_path: Path) -> None:
    """Whoever says that a bundle is another with a twin may change nothing else, nor name one that is not there."""
    bundle = live.client.models.download(f"{name}@2", tmp_path / "made")

    def resealed(folder: str, **changes: Any) -> Path:
        shutil.copytree(bundle.folder, tmp_path / folder)
        (tmp_path / folder / MANIFEST).unlink()
        write_bundle(tmp_path / folder, msgspec.structs.replace(bundle.manifest, **changes))
        return tmp_path / folder

    with pytest.raises(BadField, match="a bundle that model:forest@1 has but for the twin"):
        live.client.models.register(resealed("otherwise", threshold=0.1), project="loans")
    assert bundle.manifest.twin is not None
    nowhere = msgspec.structs.replace(bundle.manifest.twin, made_from="sha256:" + "0" * 64)
    with pytest.raises(BadField, match="the bundle of a version of forest"):
        live.client.models.register(resealed("nowhere", twin=nowhere), project="loans")


def test_a_forged_twin_is_told_of_where_it_is_checked(
    open_live: Live, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    client = open_live.client
    name = log(open_live, RandomForestClassifier(8, random_state=2), "forged", monkeypatch)
    client.models.add_twin(name)
    bundle = client.models.download(f"{name}@2", tmp_path / "made")
    data = bytearray((bundle.folder / FILE).read_bytes())
    data[-200] ^= 1
    (bundle.folder / FILE).write_bytes(bytes(data))
    (bundle.folder / MANIFEST).unlink()
    write_bundle(bundle.folder, bundle.manifest)
    client.models.register(bundle.folder, project="loans")

    said = twin(client, asked(f"{name}@3", check=True))

    assert said.endswith("Here the library would answer: its file is not the one that Taxiway writes of the model.")


def test_what_has_no_twin_is_not_registered_again(open_live: Live, monkeypatch: pytest.MonkeyPatch) -> None:
    name = log(open_live, KNeighborsClassifier(2), "near", monkeypatch)

    with pytest.raises(TwinNotMade, match="KNeighborsClassifier is none that Taxiway knows"):
        open_live.client.models.add_twin(name, may_run_code=True)

    assert [version.version for version in open_live.client.models.versions(name)] == [1]
