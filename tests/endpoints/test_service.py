"""Who may answer: deployments, stops and starts, through the SDK and over both databases."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from taxiway.endpoints.refusals import EndpointElsewhere, ReasonMissing, StageNotServed
from taxiway.gates.refusals import GateClosed
from taxiway.kernel.errors import BadField, NotAllowed, NotFound
from taxiway.models.bundles.bundle import BundleTampered
from taxiway.models.contract import Target
from taxiway.models.refusals import StillAnswers
from tests.endpoints.story import Stage
from tests.gates.story import FAIR, PROJECT
from tests.support.kept import Kept
from tests.support.postgres import Postgres


@pytest.fixture
def stage(
    kept: Kept, either_database: Postgres | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Stage]:
    monkeypatch.chdir(tmp_path)
    with kept.again(Stage, tmp_path, either_database) as stage:
        yield stage


def test_a_version_that_the_gates_do_not_let_through_does_not_answer(stage: Stage) -> None:
    stage.version(FAIR)

    with pytest.raises(GateClosed) as refusal:
        stage.deployed("mortgage@1")

    assert [each.gate for each in refusal.value.unmet] == ["performance", "approvals"]
    assert stage.live.last_verb() == "endpoints.deploy.refused"
    assert stage.olu.endpoints.list() == []


def test_a_version_with_open_gates_must_be_promoted_before_it_answers(stage: Stage) -> None:
    stage.approved()

    with pytest.raises(StageNotServed, match="taxiway models promote mortgage@1 production"):
        stage.deployed("mortgage@1")


def test_a_deployment_makes_the_endpoint_its_revision_and_the_edges(stage: Stage) -> None:
    version = stage.promoted()

    revision = stage.olu.endpoints.deploy("mortgage", "mortgage@1", note="first", wait=False)

    shown = stage.olu.endpoints.show("mortgage")
    assert (revision.number, revision.bundle, revision.note) == (1, version.bundle, "first")
    assert (shown.endpoint.project, shown.endpoint.active, shown.endpoint.state) == (PROJECT, 1, "waiting")
    targets = {(e.source, e.target) for e in stage.ivo.lineage.walk("endpoint:mortgage").edges}
    assert {("model:mortgage@1", "revision:mortgage/1"), ("revision:mortgage/1", "endpoint:mortgage")} <= targets


def test_a_deployment_is_signed_for_the_gateway_with_a_growing_serial(stage: Stage) -> None:
    first = stage.promoted()
    stage.deployed()
    one = stage.configuration()
    second = stage.promoted()
    stage.deployed()
    two = stage.configuration()

    assert [(r.number, r.bundle_digest) for r in one.revisions] == [(1, first.bundle)]
    assert [(r.number, r.bundle_digest) for r in two.revisions] == [(1, first.bundle), (2, second.bundle)], "warm"
    assert two.serial > one.serial
    assert two.endpoints[0].login_required


def test_what_answers_already_is_not_deployed_twice(stage: Stage) -> None:
    stage.promoted()

    assert [stage.deployed("mortgage@1"), stage.deployed("mortgage@1")] == [1, 1]
    assert len(stage.olu.endpoints.show("mortgage").revisions) == 1


def test_an_earlier_revision_can_answer_again(stage: Stage) -> None:
    stage.promoted()
    stage.deployed()
    stage.promoted()
    stage.deployed()

    back = stage.olu.endpoints.roll_back("mortgage", 1, note="the new one is odd", wait=False)

    assert back.number == 1
    assert stage.configuration().endpoints[0].active == 1
    assert [r.number for r in stage.olu.endpoints.show("mortgage").revisions] == [2, 1]


def test_an_archived_version_does_not_answer_again(stage: Stage) -> None:
    stage.promoted()
    stage.deployed()
    stage.promoted()
    stage.deployed()
    stage.olu.models.promote("mortgage@1", "archived")

    with pytest.raises((StageNotServed, GateClosed)):
        stage.olu.endpoints.roll_back("mortgage", 1, wait=False)

    assert stage.configuration().endpoints[0].active == 2


def test_what_answers_cannot_be_archived_or_taken_back(stage: Stage) -> None:
    stage.promoted()
    stage.deployed()

    ways: tuple[Target, ...] = ("archived", "staging")
    for back in ways:
        with pytest.raises(StillAnswers, match="taxiway endpoints stop mortgage") as refusal:
            stage.olu.models.promote("mortgage@1", back)
        assert refusal.value.endpoints == ["mortgage"]

    assert stage.olu.models.find("mortgage@1").stage == "production"
    stage.olu.endpoints.stop("mortgage", reason="odd answers")
    assert stage.olu.models.promote("mortgage@1", "archived").stage == "archived"


def test_a_withdrawn_approval_lets_a_version_answer_nowhere_else(stage: Stage) -> None:
    stage.promoted()
    stage.deployed()
    [approval] = stage.vera.gates.show("mortgage@1").stages[-1].approvals
    stage.vera.gates.withdraw("mortgage@1", approval.id, reason="saw the map")

    with pytest.raises(GateClosed):
        stage.olu.endpoints.deploy("other", "mortgage@1", wait=False)

    assert stage.deployed() == 1  # what answers goes on


def test_a_changed_byte_in_the_bundle_is_refused_by_its_file(stage: Stage) -> None:
    version = stage.promoted()
    place = stage.live.house.shelf.place(version.bundle)
    place.chmod(0o755)
    copy = place / "copy"
    shutil.copyfile(place / "model.bin", copy)
    (place / "model.bin").unlink()
    copy.rename(place / "model.bin")
    (place / "model.bin").write_bytes(b"model X")

    with pytest.raises(BundleTampered) as refusal:
        stage.deployed()

    assert refusal.value.file == "model.bin"
    assert stage.live.last_verb() == "endpoints.deploy.refused"


def test_stopping_needs_a_reason_and_tells_it(stage: Stage) -> None:
    stage.promoted()
    stage.deployed()

    with pytest.raises(ReasonMissing):
        stage.olu.endpoints.stop("mortgage", reason=" ")
    stopped = stage.olu.endpoints.stop("mortgage", reason="answers oddly")

    assert (stopped.state, stopped.reason, stopped.changed_by) == ("stopped", "answers oddly", "olu")
    assert stage.configuration().endpoints[0].is_stopped


def test_a_stopped_endpoint_stays_stopped_when_something_is_deployed(stage: Stage) -> None:
    stage.promoted()
    stage.deployed()
    stage.olu.endpoints.stop("mortgage", reason="answers oddly")
    stage.promoted()

    assert stage.olu.endpoints.deploy("mortgage", "mortgage@2").state == "stopped"
    assert stage.olu.endpoints.start("mortgage", reason="the new one is right").state != "stopped"
    assert not stage.configuration().endpoints[0].is_stopped


def test_a_contributor_may_look_but_not_deploy(stage: Stage) -> None:
    stage.promoted()
    stage.deployed()

    with pytest.raises(NotAllowed) as refusal:
        stage.ana.endpoints.deploy("mortgage", "mortgage@1", wait=False)

    assert refusal.value.who_can == ["olga", "olu"]
    assert stage.ana.endpoints.show("mortgage").endpoint.name == "mortgage"


def test_a_stranger_sees_no_endpoint(stage: Stage) -> None:
    stage.promoted()
    stage.deployed()
    eve = stage.live.as_person("eve")

    assert eve.endpoints.list() == []
    with pytest.raises(NotFound):
        eve.endpoints.show("mortgage")


def test_an_endpoint_of_another_project_is_not_taken_over(stage: Stage) -> None:
    stage.promoted()
    stage.deployed()
    stage.ivo.projects.create("other", risk="high")

    with pytest.raises(EndpointElsewhere):
        stage.ivo.endpoints.deploy("mortgage", "mortgage@1", project="other", wait=False)


@pytest.mark.parametrize("name", ["No Name", "predictions", "new", "-x"])
def test_a_name_that_addresses_need_is_refused(stage: Stage, name: str) -> None:
    stage.promoted()

    with pytest.raises(BadField, match="endpoint"):
        stage.olu.endpoints.deploy(name, "mortgage@1", wait=False)


def test_unknown_names_say_what_to_do(stage: Stage) -> None:
    with pytest.raises(NotFound, match="taxiway endpoints list"):
        stage.ivo.endpoints.show("nope")
    with pytest.raises(NotFound, match="taxiway models list"):
        stage.ivo.endpoints.deploy("nope", "nope@1", wait=False)
