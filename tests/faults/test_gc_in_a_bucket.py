"""What `taxiway gc` says it freed is gone from a real bucket, byte for byte, and what a model needs is not."""

from __future__ import annotations

import json
from pathlib import Path

import obstore
import pytest

from taxiway.adapters.s3 import open_bucket
from taxiway.cli import main
from taxiway.kernel.caller import SYSTEM
from taxiway.models.contract import CreateModel, RegisterSource
from taxiway.storage.places import Bucket, parse_place
from tests.support.live import Live, running

pytestmark = pytest.mark.fault

FLAVORS = b"flavors:\n  python_function:\n    loader_module: mlflow.sklearn\n  sklearn:\n    pickled_model: m.pkl\n"


def in_bucket(url: str) -> dict[str, int]:
    """What is kept there, as the store itself lists it."""
    place = parse_place(url)
    assert isinstance(place, Bucket)
    return {meta["path"]: meta["size"] for page in obstore.list(open_bucket(place)) for meta in page}


def log_model(live: Live, name: str, weights: bytes) -> str:
    """A run with a model among its files, and one that only it has."""
    with live.client.runs.start(name, project="fraud") as run:
        run.log_artifact(FLAVORS, "model/MLmodel")
        run.log_artifact(weights, "model/m.pkl")
        run.log_artifact(name.encode() * 10_000, "notes.bin")
    return run.id


def test_gc_frees_in_the_bucket_what_it_says_and_nothing_that_a_model_needs(
    s3_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with running(tmp_path / "home", blobs_url=s3_url, login=False) as live:
        monkeypatch.setenv("TAXIWAY_URL", live.url)
        live.client.projects.create("fraud")
        live_run, gone_run = log_model(live, "kept", b"k" * 300_000), log_model(live, "gone", b"g" * 9_000_000)
        source = RegisterSource(source=f"runs:/{live_run}/model", run=live_run, folder="model")
        live.house.models.catalogue.create(SYSTEM, CreateModel("fraud", "fraud-model"), is_wide=True)
        live.house.models.sourced.register(SYSTEM, source, model="fraud-model")
        live.client.runs.delete(live_run)
        live.client.runs.delete(gone_run)
        before = in_bucket(s3_url)

        def gc(*more: str) -> dict[str, object]:
            assert main(["gc", "--json", "--grace", "0s", *more]) == 0
            said: dict[str, object] = json.loads(capsys.readouterr().out)
            return said

        planned = gc("--dry-run")
        between = in_bucket(s3_url)
        freed = gc()
        after = in_bucket(s3_url)
        again = gc()
        bundle = live.client.models.find("fraud-model@1")

    assert between == before
    assert {name: planned[name] for name in ("runs", "files", "size_bytes")} == {
        name: freed[name] for name in ("runs", "files", "size_bytes")
    }
    assert freed["runs"] == 1
    assert [kept["thing"] for kept in freed["kept"]] == [f"run:{live_run}"]  # type: ignore[attr-defined]
    assert freed["files"] == len(before) - len(after)
    assert freed["size_bytes"] == sum(before.values()) - sum(after.values())
    assert bundle.version == 1
    assert (again["runs"], again["files"], again["size_bytes"]) == (0, 0, 0)
    assert all(after[key] == before[key] for key in after)
