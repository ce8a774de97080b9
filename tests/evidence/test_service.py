"""Statements over the real server: made with what they speak of, found by what they are about, held against keys."""

import stat
from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from taxiway.evidence.contract import KeyRevoked
from taxiway.evidence.dsse import payload_of
from taxiway.evidence.statement import (
    APPROVAL,
    CHECK_RESULT,
    PROMOTION,
    PROVENANCE,
    TEST_RESULT,
    WITHDRAWAL,
    read_statement,
)
from taxiway.gates.refusals import EvidenceMissing
from taxiway.kernel.errors import NotAllowed, NotFound
from taxiway.models.contract import ModelVersion
from taxiway.storage.blobs import digest_of
from tests.gates.story import CARD, FAIR, Story


def approved(story: Story) -> ModelVersion:
    """A version that was evaluated, approved by vera, and moved to production."""
    version = story.version(FAIR)
    name = f"{version.model}@{version.version}"
    story.ana.models.enter_card(name, **CARD)
    story.ana.gates.evaluate(name)
    story.vera.gates.approve(name, comment="looked at the groups", stage="production")
    story.ana.models.promote(name, "production", reason="it is fair")
    return story.ana.models.find(name)


def test_every_step_of_the_path_is_said_of_the_bundle(any_story: Story) -> None:
    story = any_story
    version = approved(story)

    found = story.ana.evidence.list(subject=version.bundle).items

    types = [each.predicate_type for each in reversed(found)]
    checks = [TEST_RESULT, CHECK_RESULT]
    assert types == [PROVENANCE, *checks * 4, APPROVAL, PROMOTION]
    assert {each.thing for each in found} == {version.ref}
    assert [each.by for each in found[:2]] == ["ana", "vera"]
    assert all(story.ana.evidence.verify(story.ana.evidence.show(each.id).envelope).holds for each in found)
    noted = [each.facts.get("statements", []) for each in story.ivo.audit.entries(thing=version.ref).items]
    assert {digest for some in noted for digest in some} == {each.digest for each in found}


def test_what_is_said_names_what_it_rests_on(story: Story) -> None:
    version = approved(story)
    shown = {
        each.predicate_type: story.ana.evidence.show(each.id)
        for each in story.ana.evidence.list(thing=version.ref).items
    }

    made = shown[PROVENANCE].predicate
    assert {"name": story.data.ref, "digest": {"sha256": story.data.digest.removeprefix("sha256:")}} in made[
        "buildDefinition"
    ]["resolvedDependencies"]
    assert made["runDetails"]["metadata"]["invocationId"] == version.run
    assert shown[APPROVAL].predicate["digests"]["bundle"] == version.bundle
    assert shown[PROMOTION].predicate["approvals"] == [shown[APPROVAL].predicate["id"]]
    assert shown[TEST_RESULT].predicate["result"] == "PASSED"
    assert shown[CHECK_RESULT].predicate["outcome"]["verdict"] == "pass"
    payload = payload_of(shown[APPROVAL].envelope)
    assert digest_of(payload) == shown[APPROVAL].statement.digest
    assert read_statement(payload).subject[0].digest == {"sha256": version.bundle.removeprefix("sha256:")}


def test_a_refused_approval_leaves_no_statement(story: Story) -> None:
    version = story.version(FAIR)

    with pytest.raises(EvidenceMissing):
        story.vera.gates.approve(f"{version.model}@{version.version}", comment="too early", stage="production")

    assert story.ana.evidence.list(thing=version.ref, predicate_type=APPROVAL).items == []


def test_an_approval_that_is_taken_back_is_said_too(story: Story) -> None:
    version = story.version(FAIR)
    name = f"{version.model}@{version.version}"
    story.ana.models.enter_card(name, **CARD)
    story.ana.gates.evaluate(name)
    given = story.vera.gates.approve(name, comment="looked at it", stage="production")

    story.vera.gates.withdraw(name, given.id, reason="the data were wrong")

    [said] = story.ana.evidence.list(thing=version.ref, predicate_type=WITHDRAWAL).items
    assert story.ana.evidence.show(said.id).predicate["approval"] == given.id


def test_statements_follow_a_models_new_name(any_story: Story) -> None:
    story = any_story
    version = story.version(FAIR)

    story.ana.models.rename(version.model, "homes")

    [said] = story.ana.evidence.list(thing=f"model:homes@{version.version}").items
    assert said.subjects[0].digest == version.bundle


def test_who_may_not_see_a_project_sees_no_statement_of_it(story: Story) -> None:
    version = story.version(FAIR)
    [said] = story.ana.evidence.list(thing=version.ref).items
    otto = story.live.as_person("otto")

    assert otto.evidence.list(subject=version.bundle).items == []
    with pytest.raises(NotFound):
        otto.evidence.show(said.id)


def test_an_old_key_verifies_what_it_signed_and_a_new_one_signs(story: Story) -> None:
    first = story.version(FAIR)
    [before] = story.ana.evidence.list(thing=first.ref).items

    made = story.ivo.evidence.rotate("a year has passed")

    second = story.version(FAIR, right=0.91)
    [after] = story.ana.evidence.list(thing=second.ref).items
    assert (after.key, before.key) == (made.id, story.ana.evidence.keys()[1].id)
    states = [key.state for key in story.ivo.evidence.keys()]  # noqa: SIM118
    assert states == ["signs", "retired"]
    assert story.ana.evidence.verify(story.ana.evidence.show(before.id).envelope).trust == "good"


def test_what_a_revoked_key_signed_is_marked_and_what_it_signed_since_is_bad(any_story: Story) -> None:
    story = any_story
    [early] = story.ana.evidence.list(thing=story.version(FAIR).ref).items
    [late] = story.ana.evidence.list(thing=story.version(FAIR, right=0.91).ref).items

    revoked = story.ivo.evidence.revoke(early.key, "its machine was stolen", at=late.at)

    assert revoked.state == "revoked"
    found = {each.id: each for each in story.ana.evidence.list().items}
    assert (found[early.id].trust, found[late.id].trust) == ("marked", "bad")
    verdict = story.ana.evidence.verify(story.ana.evidence.show(late.id).envelope)
    assert not verdict.holds
    assert "its machine was stolen" in verdict.problem
    assert story.ana.evidence.verify(story.ana.evidence.show(early.id).envelope).holds
    [new] = story.ana.evidence.list(thing=story.version(FAIR, right=0.92).ref).items
    assert new.key != early.key
    with pytest.raises(KeyRevoked):
        story.ivo.evidence.revoke(early.key, "again", at=datetime.now(UTC) - timedelta(days=1))


def test_a_changed_envelope_does_not_hold(story: Story) -> None:
    [said] = story.ana.evidence.list(thing=story.version(FAIR).ref).items
    envelope = story.ana.evidence.show(said.id).envelope
    other = envelope.payload[:40] + ("A" if envelope.payload[40] != "A" else "B") + envelope.payload[41:]

    verdict = story.ana.evidence.verify(msgspec.structs.replace(envelope, payload=other))

    assert (verdict.holds, verdict.problem) == (False, "no key of this platform signed it")


def test_only_an_admin_changes_keys(story: Story) -> None:
    story.version(FAIR)
    key = story.ana.evidence.keys()[0].id

    with pytest.raises(NotAllowed):
        story.olga.evidence.rotate("why not")
    with pytest.raises(NotAllowed):
        story.olga.evidence.revoke(key, "why not")


def test_the_private_key_is_its_owners_alone(story: Story) -> None:
    folder = story.live.house.home / "keys" / "evidence"

    [file] = folder.glob("*.pem")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
