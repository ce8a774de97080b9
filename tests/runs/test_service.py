"""The rules of runs, through the SDK and over a real port."""

from __future__ import annotations

import urllib.request
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from taxiway.kernel.clock import now
from taxiway.kernel.errors import BadField, NotAllowed, NotFound
from taxiway.runs import contract
from taxiway.runs.contract import (
    AddArtifact,
    CaptureRun,
    Code,
    Environment,
    FetchArtifact,
    StartRun,
    UseDataset,
)
from taxiway.runs.refusals import RunEnded
from taxiway.storage.blobs import digest_of
from taxiway.storage.contract import put_blob
from tests.runs.conftest import MakeRun
from tests.support.live import Live, running


def test_the_default_project_is_there_at_its_first_use(live: Live, make_run: MakeRun) -> None:
    run = make_run(live.client, project="default")

    standing = live.client.projects.show("default")
    assert (run.project, run.experiment, run.name) == ("default", "default", "default-1")
    assert [stage.stage for stage in standing.stages] == ["idea", "experiment"]
    assert standing.stages[-1].because == run.ref


def test_an_unknown_project_is_not_found_and_says_what_to_do(live: Live, make_run: MakeRun) -> None:
    with pytest.raises(NotFound, match="taxiway projects create fraud"):
        make_run(live.client, project="fraud")

    assert live.client.runs.list() == []


def test_an_experiment_is_made_once_and_counts_its_runs(live: Live, make_run: MakeRun) -> None:
    live.client.projects.create("fraud")
    first, second = make_run(live.client), make_run(live.client)

    assert [run.name for run in (first, second)] == ["default-1", "default-2"]
    assert [(e.project, e.name, e.runs) for e in live.client.runs.experiments()] == [("fraud", "default", 2)]


def test_a_bad_experiment_is_refused_by_name(live: Live) -> None:
    with pytest.raises(BadField) as refusal:
        live.client.transport.call(contract.start_run, StartRun(project="default", experiment="No Way"))

    assert refusal.value.field == "experiment"


def test_who_may_only_look_can_start_nothing(live: Live, make_run: MakeRun) -> None:
    live.client.projects.create("fraud")
    run = make_run(live.client)
    vera = live.as_person("vera", "viewer", project="fraud")

    with pytest.raises(NotAllowed, match=r"runs\.write"):
        make_run(vera)
    with pytest.raises(NotAllowed):
        vera.runs.finish(run.id)

    assert vera.runs.show(run.id).status == "running"


def test_a_stranger_sees_no_run(live: Live, make_run: MakeRun) -> None:
    live.client.projects.create("fraud")
    run, other = make_run(live.client), make_run(live.client)
    eve = live.as_person("eve")

    assert eve.runs.list() == []
    assert eve.runs.experiments() == []
    with pytest.raises(NotFound):
        eve.runs.show(run.id)
    with pytest.raises(NotFound):
        eve.runs.compare(run.id, other.id)


def test_a_run_ended_twice_ended_once(live: Live, make_run: MakeRun) -> None:
    live.client.projects.create("fraud")
    run = make_run(live.client)
    first = live.client.runs.finish(run.id)
    entries = live.client.audit.head().size

    assert live.client.runs.finish(run.id) == first
    with pytest.raises(RunEnded, match="finished"):
        live.client.runs.finish(run.id, "failed")
    assert live.client.audit.head().size == entries


def test_a_run_that_falls_silent_is_lost_until_it_is_heard_of(tmp_path: Path, make_run: MakeRun) -> None:
    ahead = [timedelta()]

    def clock() -> datetime:
        return now() + ahead[0]

    with running(tmp_path / "home", login=False, clock=clock) as live:
        run = make_run(live.client, project="default")
        ahead[0] = timedelta(minutes=6)

        assert live.client.runs.show(run.id).status == "lost"
        assert [r.id for r in live.client.runs.list('status = "lost"')] == [run.id]
        assert live.client.runs.list('status = "running"') == []
        assert live.client.runs.finish(run.id, "failed").status == "failed"


def test_an_artifact_comes_back_as_it_was(live: Live, make_run: MakeRun, tmp_path: Path) -> None:
    live.client.projects.create("fraud")
    run = make_run(live.client)
    store(live, data := b"<script>alert(1)</script>")

    body = AddArtifact("pages/a b.html", digest_of(data), "text/html")
    kept = live.client.transport.call(contract.add_artifact, body, run=run.id)

    assert live.client.runs.artifacts(run.id) == [kept]
    assert live.client.runs.download(run.id, "pages/a b.html", tmp_path).read_bytes() == data
    assert live.last_verb() == "runs.add_artifact"


@pytest.mark.parametrize("path", ["../x", "/etc/passwd", "a//b", "..%2fx/../y", "a\\b", ""])
def test_an_artifact_never_names_a_place(open_live: Live, make_run: MakeRun, path: str) -> None:
    run = make_run(open_live.client, project="default")
    store(open_live, data := b"x")

    body = AddArtifact(path, digest_of(data))
    with pytest.raises(BadField):
        open_live.client.transport.call(contract.add_artifact, body, run=run.id)
    with pytest.raises(NotFound):
        open_live.client.runs.download(run.id, path or "nothing", "work.txt")


def test_an_artifact_without_its_bytes_is_refused(open_live: Live, make_run: MakeRun) -> None:
    run = make_run(open_live.client, project="default")

    body = AddArtifact("a.txt", digest_of(b"never sent"))
    with pytest.raises(NotFound):
        open_live.client.transport.call(contract.add_artifact, body, run=run.id)


def test_an_ended_run_takes_no_artifact(open_live: Live, make_run: MakeRun) -> None:
    run = make_run(open_live.client, project="default")
    open_live.client.runs.finish(run.id)
    store(open_live, data := b"x")

    body = AddArtifact("a.txt", digest_of(data))
    with pytest.raises(RunEnded):
        open_live.client.transport.call(contract.add_artifact, body, run=run.id)


def test_an_uploaded_page_is_offered_for_saving_only(open_live: Live, make_run: MakeRun) -> None:
    run = make_run(open_live.client, project="default")
    store(open_live, data := b"<script>alert(1)</script>")
    body = AddArtifact("a.html", digest_of(data), "text/html")
    open_live.client.transport.call(contract.add_artifact, body, run=run.id)

    headers = headers_of(open_live.url + contract.fetch_artifact.url({"run": run.id}, FetchArtifact("a.html")))

    assert headers["content-disposition"].startswith("attachment")
    assert headers["content-security-policy"].startswith("sandbox; default-src 'none'")
    assert headers["x-content-type-options"] == "nosniff"


def test_a_dataset_that_a_run_reads_is_drawn(live: Live, make_run: MakeRun, folder: Path) -> None:
    live.client.projects.create("fraud")
    (folder / "loans.csv").write_text("a,b\n1,2\n3,4\n")
    version = live.client.datasets.register("loans", folder / "loans.csv", project="fraud")
    run = make_run(live.client)
    ref = f"dataset:fraud/loans@{version.version}"

    shown = live.client.transport.call(contract.use_dataset, UseDataset(ref), run=run.id)

    edges = live.client.lineage.walk(run.ref).edges
    assert shown.inputs == [ref]
    assert [(e.source, e.verb, e.target) for e in edges] == [(ref, "read_by", run.ref)]


@pytest.mark.parametrize("ref", ["loans", "dataset:fraud/loans", "model:fraud/loans@1", "dataset:loans@1"])
def test_what_is_no_dataset_version_is_refused(open_live: Live, make_run: MakeRun, ref: str) -> None:
    run = make_run(open_live.client, project="default")

    with pytest.raises(BadField):
        open_live.client.transport.call(contract.use_dataset, UseDataset(ref), run=run.id)


def test_a_dataset_that_does_not_exist_is_not_found(open_live: Live, make_run: MakeRun) -> None:
    run = make_run(open_live.client, project="default")

    ask = UseDataset("dataset:default/loans@1")
    with pytest.raises(NotFound):
        open_live.client.transport.call(contract.use_dataset, ask, run=run.id)


def test_equal_environments_are_one(open_live: Live, make_run: MakeRun) -> None:
    here = Environment(python="3.11", implementation="CPython", platform="Linux", machine="x86_64", cpus=2)
    runs = []
    for packages in ({"a": "1", "b": "2"}, {"b": "2", "a": "1"}, {"a": "1", "b": "3"}):
        run = make_run(open_live.client, project="default")
        body = CaptureRun(environment=here, packages=packages)
        runs.append(open_live.client.transport.call(contract.capture_run, body, run=run.id))

    digests = [run.environment.digest for run in runs if run.environment]
    assert digests[0] == digests[1] != digests[2]
    assert open_live.client.runs.packages(runs[2].id).packages == {"a": "1", "b": "3"}


def test_a_comparison_says_what_differs(open_live: Live, make_run: MakeRun) -> None:
    sources = [b'{"train.py": "x = 1\\n", "same.py": ""}', b'{"train.py": "x = 2\\n", "same.py": ""}']
    runs = []
    for number, data in enumerate(sources):
        run = make_run(open_live.client, project="default", params={"C": number, "k": 1}, metrics={"auc": 0.5})
        store(open_live, data)
        code = Code("folder", sources=digest_of(data), files=2)
        open_live.client.transport.call(contract.capture_run, CaptureRun(code=code), run=run.id)
        runs.append(run.id)

    found = open_live.client.runs.compare(*runs)

    assert [(row.name, row.is_different) for row in found.params] == [("C", True), ("k", False)]
    assert [row.is_different for row in found.metrics] == [False]
    assert [(change.run, change.file) for change in found.code] == [(runs[1], "train.py")]
    assert "-x = 1\n+x = 2" in found.code[0].diff


def test_a_comparison_is_of_two_or_more(open_live: Live, make_run: MakeRun) -> None:
    run = make_run(open_live.client, project="default")

    with pytest.raises(BadField):
        open_live.client.runs.compare(run.id, run.id)


def test_a_run_is_renamed_and_tagged_after_its_end(open_live: Live, make_run: MakeRun) -> None:
    run = make_run(open_live.client, project="default", tags={"team": "risk"})
    open_live.client.runs.finish(run.id)

    changed = open_live.client.runs.change(run.id, name="the good one", tags={"team": "fraud", "seen": "yes"})

    assert (changed.name, changed.tags) == ("the good one", {"seen": "yes", "team": "fraud"})
    assert open_live.last_verb() == "runs.change"


def headers_of(url: str) -> dict[str, str]:
    with urllib.request.urlopen(url) as reply:
        return {name.lower(): value for name, value in reply.getheaders()}


def store(live: Live, data: bytes) -> None:
    live.client.transport.upload(put_blob, data, len(data), digest=digest_of(data))
