"""A digest is no key: naming bytes needs having sent them, or a right to read something that names them."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any, NamedTuple, get_args

import msgspec
import pytest
from msgspec import Struct
from sqlalchemy import select

from taxiway.access.tables import sent
from taxiway.client import Client
from taxiway.datasets import contract as datasets
from taxiway.imports.contract import TakeFiles, take_files
from taxiway.kernel.clock import now
from taxiway.kernel.endpoint import Endpoint
from taxiway.kernel.errors import NotAllowed, NotFound, TaxiwayError
from taxiway.models import contract as models
from taxiway.models.bundles.bundle import BundleFile, Manifest, NativeModel, bundle_digest
from taxiway.models.predicting.signature import Signature
from taxiway.runs import contract as runs
from taxiway.storage.blobs import digest_of
from taxiway.storage.contract import put_blob
from tests.support.live import Live, running

# Of one size each: named in ana's project by a version of a dataset, a run's file and a model's bundle.
SECRET, LOGGED, BUNDLED = (b"who,owes\nann,1\nben,%d\n" % number for number in (2, 3, 4))
PREDICTED = runs.Predictions(digest="", rows=2, label="who", prediction="owes")
# What is called a digest in a body and opens no bytes: why.
OPENS_NOTHING = {
    ("PUT", "/api/runs/{run}/capture", "environment.digest"): "worked out anew from what the environment says",
    ("POST", "/api/models", "digest"): "the bundle's own, held against its manifest",
    ("POST", "/api/gates/models/{model}/versions/{version}/approvals", "digests"): "held against the stage as it is",
    ("POST", "/api/gates/proposals/{proposal}/acceptance", "digest"): "held against the proposal as it is",
    ("POST", "/api/gates/proposals/{proposal}/rejection", "digest"): "held against the proposal as it is",
    ("POST", "/api/gates/proposals/{proposal}/withdrawal", "digest"): "held against the proposal as it is",
    ("POST", "/api/imports/{source}/runs", "runs.inputs.digest"): "another system's short text; for admins",
    ("POST", "/api/imports/{source}/files", "owners.files.digest"): "for admins, who may read everything",
    ("POST", "/api/imports/{source}/logged", "measures.dataset_digest"): "another system's short text; for admins",
}


def manifest(digest: str, *, name: str = "scores") -> Manifest:
    file = BundleFile(path="model.bin", size_bytes=len(SECRET), digest=digest)
    native = NativeModel(file="model.bin", serialization="none")
    signature = Signature(inputs=(), outputs=())
    return Manifest(name=name, flavour="none", signature=signature, native=native, files=(file,), format=1)


def version_of(made: Manifest, judged: str = "") -> models.RegisterVersion:
    evaluation = msgspec.structs.replace(PREDICTED, digest=judged) if judged else None
    return models.RegisterVersion("mine", made, bundle_digest(made), evaluation)


class Town(NamedTuple):
    """A server with ana's project `theirs`, in which many things name SECRET, and eve's project `mine`."""

    live: Live
    eve: Client
    run: str
    own: str  # bytes that eve sent

    def asks(self, digest: str) -> dict[tuple[str, str, str], Callable[[], Any]]:
        """For each field of a body that names bytes, a request of eve's that names these."""

        def ask(endpoint: Endpoint[Any, Any], field: str, body: Struct, **path: str) -> Any:
            at = (endpoint.method, endpoint.path, field)
            return at, lambda: self.eve.transport.call(endpoint, body, **path)

        judged = msgspec.structs.replace(PREDICTED, digest=digest)
        code = runs.Code(kind="folder", sources=digest)
        table = {"project": "mine", "name": "d"}
        named = runs.AddArtifact("x.csv", digest)
        pinned = runs.AddArtifact("y.csv", self.own, predictions=judged)
        version = {"model": "mine-already", "version": "1"}
        made = models.LogModel(manifest(digest, name="logged"))
        held = models.LogModel(manifest(self.own, name="logged"), judged)
        return dict(
            [
                ask(datasets.register_version, "digest", datasets.RegisterDatasetVersion(digest, "csv"), **table),
                ask(datasets.check_table, "digest", datasets.CheckTable(digest=digest, format="csv"), **table),
                ask(runs.add_artifact, "digest", named, run=self.run),
                ask(runs.add_artifact, "predictions.digest", pinned, run=self.run),
                ask(runs.capture_run, "lock", runs.CaptureRun(lock=digest), run=self.run),
                ask(runs.capture_run, "code.sources", runs.CaptureRun(code=code), run=self.run),
                ask(models.register_version, "manifest.files.digest", version_of(manifest(digest))),
                ask(models.register_version, "evaluation.digest", version_of(manifest(self.own), digest)),
                ask(models.judge_by, "digest", judged, **version),
                ask(models.log_model, "manifest.files.digest", made, run=self.run),
                ask(models.log_model, "evaluation.digest", held, run=self.run),
            ]
        )

    def told(self, digest: str) -> dict[tuple[str, str, str], tuple[str, str]]:
        """What eve is told by each, without the digest that was asked with."""
        return {at: refusal(ask, digest) for at, ask in self.asks(digest).items()}


def refusal(ask: Callable[[], Any], digest: str) -> tuple[str, str]:
    try:
        return "taken", str(ask())
    except TaxiwayError as e:
        return type(e).__name__, str(e).replace(digest, "DIGEST")


def send(client: Client, data: bytes) -> str:
    digest = digest_of(data)
    client.transport.upload(put_blob, io.BytesIO(data), len(data), digest=digest)
    return digest


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    with running(tmp_path_factory.mktemp("digests") / "home") as live:
        ana, eve = live.as_person("ana"), live.as_person("eve")
        ana.projects.create("theirs")
        send(ana, SECRET)
        body = datasets.RegisterDatasetVersion(digest_of(SECRET), "csv")
        ana.transport.call(datasets.register_version, body, project="theirs", name="debts")
        with ana.runs.start(project="theirs") as run:
            run.log_artifact(LOGGED, "debts.csv")
        theirs = manifest(send(ana, BUNDLED), name="theirs")
        ana.transport.call(models.register_version, models.RegisterVersion("theirs", theirs, bundle_digest(theirs)))
        eve.projects.create("mine")
        live.client.projects.create("rae")
        own = send(eve, SECRET[::-1])
        eve.transport.call(models.register_version, version_of(manifest(own, name="mine-already")))
        opened = eve.transport.call(runs.start_run, runs.StartRun("mine"))
        yield Town(live, eve, opened.id, own)


def digest_fields(kind: Any, at: tuple[str, ...] = (), within: frozenset[type] = frozenset()) -> Iterator[str]:
    """The dotted names of the fields of a body that are called digests."""
    if isinstance(kind, type) and issubclass(kind, Struct):
        for field in msgspec.structs.fields(kind) if kind not in within else ():
            if "digest" in field.name:
                yield ".".join((*at, field.name))
            yield from digest_fields(field.type, (*at, field.name), within | {kind})
    for part in get_args(kind):
        yield from digest_fields(part, at, within)


def test_every_digest_in_a_body_is_asked_with_or_opens_nothing(town: Town) -> None:
    declared = {
        (endpoint.method, endpoint.path, field)
        for endpoint in Endpoint.declared.values()
        for field in digest_fields(endpoint.body)
    }

    assert len(declared) > 10
    assert declared - town.asks("").keys() == OPENS_NOTHING.keys()


@pytest.mark.parametrize("data", [SECRET, LOGGED, BUNDLED])
def test_bytes_of_others_are_answered_as_bytes_that_are_not_there(town: Town, data: bytes) -> None:
    theirs, absent = town.told(digest_of(data)), town.told(digest_of(b"nobody sent these"))

    assert {at: (told, absent[at]) for at, told in theirs.items() if told != absent[at]} == {}
    assert {kind for kind, _ in theirs.values()} == {"NotFound", "EvaluationUnfit"}


def test_a_model_cannot_say_that_it_was_trained_on_data_of_others(town: Town) -> None:
    trained = msgspec.structs.replace(manifest(town.own), datasets=(digest_of(SECRET),))

    with pytest.raises(NotFound):
        town.eve.transport.call(models.register_version, version_of(trained))


def test_a_text_that_mentions_a_digest_gives_no_right_to_its_bytes(town: Town) -> None:
    mentioning = msgspec.structs.replace(manifest(town.own, name="mentions"), taxiway=digest_of(SECRET))
    town.eve.transport.call(models.register_version, version_of(mentioning))

    assert refusal(town.asks(digest_of(SECRET))["PUT", "/api/runs/{run}/artifacts", "digest"], "")[0] == "NotFound"


def test_only_admins_name_the_files_of_an_import(town: Town) -> None:
    with pytest.raises(NotAllowed):
        town.eve.transport.call(take_files, TakeFiles([]), source="old")


@pytest.mark.parametrize("data", [SECRET, LOGGED, BUNDLED])
def test_who_may_read_what_names_bytes_may_name_them(town: Town, data: bytes) -> None:
    reader = town.live.as_person("rae", "viewer", project="theirs")
    town.live.as_person("rae", "contributor", project="rae")
    run = reader.transport.call(runs.start_run, runs.StartRun("rae"))
    body = runs.AddArtifact("x.csv", digest_of(data))

    assert reader.transport.call(runs.add_artifact, body, run=run.id).size_bytes == len(data)


def test_who_sent_the_bytes_themselves_may_name_them_everywhere(town: Town) -> None:
    data = b"how,many\none,1\n"
    send(town.live.client, data)
    digest = digest_of(data)
    before = town.told(digest)["PUT", "/api/runs/{run}/artifacts", "digest"][0]

    send(town.eve, data)

    after = town.told(digest)
    refused = [at for at, (kind, text) in after.items() if kind == "NotFound" or "was not stored" in text]
    assert (before, refused) == ("NotFound", [])


@pytest.mark.parametrize("noun", ["runs", "datasets", "models", "logged", "traces"])
def test_each_noun_that_keeps_files_is_asked(town: Town, noun: str) -> None:
    asked = {names.__module__ for names in town.live.house.access.digests.named_in}

    named = {"logged": "taxiway.models.logged.store"}.get(noun, f"taxiway.{noun}.store")
    assert named in asked


def test_who_sent_bytes_is_forgotten_once_they_are_freed(town: Town) -> None:
    left = send(town.eve, b"of an upload that came to nothing")
    digests = town.live.house.access.digests
    digests.forget([left], now() - timedelta(hours=1))
    with town.live.house.database.read() as connection:
        kept = connection.execute(select(sent).where(sent.c.digest == bytes.fromhex(left[7:]))).all()

    town.live.client.runs.empty_trash(grace_s=0)

    with town.live.house.database.read() as connection:
        gone = connection.execute(select(sent).where(sent.c.digest == bytes.fromhex(left[7:]))).all()
    assert (len(kept), gone) == (1, [])
