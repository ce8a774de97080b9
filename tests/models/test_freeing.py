"""What models need stays when the trash is emptied, and goes once nobody needs it."""

from __future__ import annotations

import io
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression
from sqlalchemy import insert

from taxiway.kernel.errors import NotFound
from taxiway.models.tables import logged_files, logged_models
from tests.support.live import Live

NOW = datetime(2026, 11, 23, tzinfo=UTC)
ROWS = pd.DataFrame({"income": [1.0, 2.0, 8.0, 9.0] * 10, "debt": [3.0, 2.0, 1.0, 0.5] * 10})


@pytest.fixture(autouse=True)
def quiet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


def on_disk(home: Path) -> int:
    """What blobs and bundles take together: a file with two names counts once."""
    files = [f.stat() for room in ("blobs", "bundles") for f in (home / room).rglob("*") if f.is_file()]
    return sum({status.st_ino: status.st_size for status in files}.values())


def test_a_version_keeps_its_run_and_bytes_until_it_is_deleted(open_live: Live) -> None:
    client, home = open_live.client, open_live.house.home
    client.projects.create("mortgages")
    with client.runs.start(project="mortgages") as run:
        run.log_artifact(b"x" * 60_000, "big.bin")
        version = run.log_model(LogisticRegression().fit(ROWS, [0, 0, 1, 1] * 10), "mortgage", example=ROWS)
    client.runs.delete(run.id)

    kept = client.runs.empty_trash(grace_s=0)

    assert [(one.thing, one.because) for one in kept.kept] == [
        (f"run:{run.id}", "model mortgage version 1 was made by it")
    ]
    assert client.models.verify(f"mortgage@{version.version}").files > 0
    client.models.delete("mortgage")
    before = on_disk(home)
    planned = client.runs.empty_trash(grace_s=0, dry_run=True)
    freed = client.runs.empty_trash(grace_s=0)
    assert (freed.runs, freed.kept) == (1, [])
    assert planned.size_bytes == freed.size_bytes == before - on_disk(home)
    assert list((home / "bundles").iterdir()) == []
    with pytest.raises(NotFound):
        client.runs.show(run.id)


def test_a_model_that_was_only_logged_goes_with_its_run(open_live: Live) -> None:
    house = open_live.house
    with open_live.client.runs.start() as run:
        run.log_artifact(b"kept by the run", "a.txt")
    row = {"project": "default", "experiment": 1, "name": "m", "kind": "", "status": "READY", "status_message": ""}
    at = {"created_by": "local", "created_at": NOW, "changed_at": NOW}
    digest = house.blobs.put(io.BytesIO(b"w" * 50_000))
    with house.database.engine.begin() as connection:
        connection.execute(insert(logged_models).values(id="m-1", run=run.id, **row, **at))
        file = {"path": "model.bin", "digest": digest, "size_bytes": 50_000, "media_type": "", "added_at": NOW}
        connection.execute(insert(logged_files).values(model="m-1", **file))

    assert open_live.client.runs.empty_trash(grace_s=0).size_bytes == 0
    open_live.client.runs.delete(run.id)
    planned = open_live.client.runs.empty_trash(grace_s=0, dry_run=True)
    freed = open_live.client.runs.empty_trash(grace_s=0)

    assert planned.size_bytes == freed.size_bytes >= 50_000
    assert not house.blobs.has(digest)
