"""A path that projects follow is changed by two people: one proposes, another accepts."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from taxiway.cli import main
from taxiway.client import Client
from taxiway.gates.proposing.contract import Proposal
from taxiway.gates.proposing.refusals import NeedsProposal, OwnProposal, ProposalDecided, ProposalOutdated
from taxiway.gates.refusals import NeedsPerson
from taxiway.kernel.errors import BadField, NotAllowed, TaxiwayError
from taxiway.storage.contract import YamlBroken
from tests.gates.story import FAIR, PATH, Story

STRICTER = PATH.replace("0.85", "0.9")


def proposed(story: Story, text: str = STRICTER) -> Proposal:
    return story.olga.gates.propose(text, reason="nine of ten is what the clerks reach")


def test_a_path_that_a_project_follows_is_not_published_by_one_person(story: Story) -> None:
    with pytest.raises(NeedsProposal) as refusal:
        story.ivo.gates.publish(STRICTER)

    assert refusal.value.projects == ["mortgages"]
    assert story.ivo.gates.path("strict").version == 1
    assert story.live.last_verb() == "gates.publish.refused"


def test_what_the_platform_demands_is_not_published_by_one_person(story: Story) -> None:
    with pytest.raises(NeedsProposal):
        story.ivo.gates.publish("path: baseline\nplatform: {risk: [high]}\nstages: {}\n")

    assert story.ivo.gates.publish("path: baseline\nplatform: {risk: [low]}\nstages: {}\n").version == 1


def test_a_second_person_accepts_and_that_publishes(any_story: Story) -> None:
    story = any_story
    version = story.version(FAIR)
    proposal = proposed(story)

    accepted = story.ivo.gates.proposals.accept(proposal.id, comment="agreed with the business", digest=proposal.digest)

    path = story.ana.gates.path("strict")
    assert (accepted.state, accepted.version, accepted.decided_by) == ("accepted", 2, "ivo")
    assert (path.version, path.digest, path.published_by, path.accepted_by) == (2, proposal.digest, "olga", "ivo")
    assert story.ana.gates.show(f"mortgage@{version.version}").path == "path:strict@2"
    assert story.live.last_verb() == "gates.accept"


def test_nobody_accepts_their_own(story: Story) -> None:
    proposal = story.ivo.gates.propose(STRICTER, reason="nine of ten")

    with pytest.raises(OwnProposal, match="Make another person an admin first"):
        story.ivo.gates.proposals.accept(proposal.id, comment="I like it")

    assert story.ivo.gates.path("strict").version == 1


def test_only_an_admin_who_signed_in_accepts(story: Story) -> None:
    proposal = proposed(story)

    with pytest.raises(NeedsPerson):
        story.live.client.gates.proposals.accept(proposal.id, comment="as the home's owner")
    for somebody in (story.ana, story.vera):
        with pytest.raises(NotAllowed):
            somebody.gates.proposals.accept(proposal.id, comment="fine with me")


def test_the_dry_run_goes_with_it_and_shows_what_its_reader_may_see(story: Story) -> None:
    story.version(FAIR)
    story.ana.gates.evaluate("mortgage")
    story.ana.models.promote("mortgage", "staging", reason="to look at it")

    proposal = proposed(story)

    assert [(v.model, v.effect) for v in proposal.plan.versions] == [("mortgage", "unknown")]
    eve = story.live.as_person("eve")
    assert eve.gates.proposals.show(proposal.id).plan.versions == []


def test_one_that_is_outdated_is_not_accepted(story: Story) -> None:
    first, second = proposed(story), proposed(story, PATH.replace("0.85", "0.95"))
    story.ivo.gates.proposals.accept(first.id, comment="good")

    with pytest.raises(ProposalOutdated, match="2 is the newest"):
        story.ivo.gates.proposals.accept(second.id, comment="better")

    assert story.ivo.gates.proposals.show(second.id).is_outdated


def test_another_text_than_was_looked_at_is_not_accepted(story: Story) -> None:
    proposal = proposed(story)

    with pytest.raises(ProposalOutdated, match="not the text"):
        story.ivo.gates.proposals.accept(proposal.id, comment="good", digest="sha256:0")


def test_what_was_decided_stays_decided(story: Story) -> None:
    rejected, withdrawn = proposed(story), proposed(story)
    story.ivo.gates.proposals.reject(rejected.id, comment="too strict for now")
    with pytest.raises(NotAllowed):
        story.ana.gates.proposals.withdraw(withdrawn.id, comment="mine?")
    story.olga.gates.proposals.withdraw(withdrawn.id, comment="a better one comes")

    for each in (rejected, withdrawn):
        with pytest.raises(ProposalDecided):
            story.ivo.gates.proposals.accept(each.id, comment="after all")
    assert [each.state for each in story.ana.gates.proposals.list(path="strict")] == ["withdrawn", "rejected"]
    assert story.ana.gates.proposals.list(state="open") == []


def test_a_reason_and_a_change_are_asked_for(story: Story) -> None:
    with pytest.raises(BadField, match="reason"):
        story.olga.gates.propose(STRICTER, reason=" ")
    with pytest.raises(BadField, match="the same path"):
        story.olga.gates.propose("# other words\n" + PATH, reason="tidier")
    with pytest.raises(YamlBroken, match="line 6"):
        story.olga.gates.propose(PATH.replace("0.85", "high"), reason="typo")


def test_many_at_once_accept_it_once(any_story: Story) -> None:
    story = any_story
    admins = [story.ivo, *(story.live.as_person(name, is_admin=True) for name in ("ida", "ines"))]
    proposal = proposed(story)

    def accept(admin: Client) -> str:
        try:
            return admin.gates.proposals.accept(proposal.id, comment="good").state
        except TaxiwayError as refusal:
            return type(refusal).__name__
        finally:
            admin.transport.close()

    with ThreadPoolExecutor(3) as pool:
        states = list(pool.map(accept, admins))

    assert sorted(states) == ["ProposalDecided", "ProposalDecided", "accepted"]
    assert story.ivo.gates.path("strict").version == 2


def test_the_whole_way_on_the_command_line(story: Story, capsys: pytest.CaptureFixture[str]) -> None:
    file = story.folder / "path.yaml"
    file.write_text(STRICTER)

    def typed(who: Client, *words: str) -> str:
        with pytest.MonkeyPatch.context() as typing:
            typing.setenv("TAXIWAY_URL", story.live.url)
            typing.setenv("TAXIWAY_TOKEN", who.transport.token or "")
            assert main(["gates", *words]) == 0
        return capsys.readouterr().out

    assert "strict after version 1, proposed by olga: nine of ten" in typed(
        story.olga, "propose", str(file), "--reason", "nine of ten"
    )
    [proposal] = story.ana.gates.proposals.list()
    assert proposal.id in typed(story.ana, "proposals")
    assert f"taxiway gates accept {proposal.id}" in typed(story.ana, "proposal", proposal.id)
    assert "Accepted by ivo as version 2: good" in typed(story.ivo, "accept", proposal.id, "--comment", "good")
