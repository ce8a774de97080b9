"""A plain-Python service is a version like any other: sealed with its source and the versions that it uses."""

from __future__ import annotations

import shutil
from pathlib import Path

import msgspec
import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression

from taxiway.adapters.python import load
from taxiway.adapters.sklearn import CodeInModel
from taxiway.kernel.errors import BadField
from taxiway.models.bundles.bundle import BundleTampered, write_bundle
from taxiway.models.client import split
from taxiway.models.contract import show_manifest
from taxiway.models.predicting.predictor import Predictor
from taxiway.models.predicting.signature import InputMismatch
from tests.models.graph_service import Careful
from tests.support.live import Live

ROW = {"a": 0.01, "b": 0.0, "tag": "x"}
SURE = {"a": 3.0, "b": 3.0, "tag": "y"}


@pytest.fixture
def logged(sqlite_live: Live, tmp_path: Path) -> tuple[Live, Path]:
    """A project with two versions of a model and a service of both, and the service's bundle, fetched."""
    live, random = sqlite_live, np.random.default_rng(5)
    ana = live.as_person("ana", is_admin=True)
    ana.projects.create("adding", purpose="sums")
    frame = pd.DataFrame({"a": random.normal(size=200), "b": random.normal(size=200)})
    (tmp_path / "margin.txt").write_text("0.2")
    service = Careful()
    service.files = {"margin.txt": tmp_path / "margin.txt"}
    with ana.runs.start(project="adding") as run:
        for sign in (1, -1):
            run.log_model(LogisticRegression().fit(frame, sign * (frame["a"] + frame["b"]) > 0), "sums", example=frame)
        run.log_model(service, "careful", example=frame.assign(tag="x"))
    ana.models.download("careful@1", tmp_path / "bundle")
    return live, tmp_path / "bundle"


def test_a_service_answers_by_the_versions_that_it_uses_and_is_bound_to_them(logged: tuple[Live, Path]) -> None:
    live, folder = logged
    ana = live.as_person("ana")
    version = ana.models.find("careful@1")
    service: Predictor = load(folder, version.bundle, may_run_code=True)

    answers = service.predict([ROW, SURE])

    assert [(a["by"], a["tag"]) for a in answers] == [("second", "X"), ("first", "Y")]  # type: ignore[typeddict-item]
    assert [column.name for column in version.signature.outputs] == ["prediction", "score", "by", "tag"]
    manifest = ana.transport.call(show_manifest, **split("careful@1"))
    assert [(u.name, u.bundle) for u in manifest.uses] == [
        (name, ana.models.find(f"sums@{n}").bundle) for n, name in ((1, "first"), (2, "second"))
    ]
    edges = {(e.source, e.verb) for e in ana.lineage.walk(version.ref).edges if e.target == version.ref}
    assert {("model:sums@1", "used_by"), ("model:sums@2", "used_by")} <= edges
    with pytest.raises(InputMismatch, match="tag"):
        service.predict([{"a": 1.0, "b": 1.0}])
    with pytest.raises(CodeInModel):
        load(folder, version.bundle)
    with pytest.raises(CodeInModel):
        load(folder, may_run_code=True)

    # Another version's bundle in the place of one that is named is refused where it is registered.
    other = folder.parent / "other"
    shutil.copytree(folder, other)
    (other / "taxiway.json").unlink()
    named = tuple(msgspec.structs.replace(each, version=1) for each in manifest.uses)
    write_bundle(other, msgspec.structs.replace(manifest, uses=named, files=(), name="careful"))
    with pytest.raises(BadField, match="uses"):
        ana.models.register(other, project="adding")

    # A changed byte of its source, or of a model that it uses, and it is not loaded.
    for path in ("code/tests/models/graph_service.py", "models/first/model.skops"):
        data = (folder / path).read_bytes()
        (folder / path).write_bytes(data + b"\n")
        with pytest.raises(BundleTampered):
            load(folder, version.bundle, may_run_code=True)
        (folder / path).write_bytes(data)
    assert load(folder, version.bundle, may_run_code=True).predict([SURE]) == answers[1:]
