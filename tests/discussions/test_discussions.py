"""What people say of a thing: who hears of it, who may change it, and that nothing of it is lost."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from taxiway.client import Client
from taxiway.discussions.refusals import AlreadySo, NotAsked, NotYours
from taxiway.kernel.errors import BadField, NotFound
from tests.discussions.conftest import PROJECT, THING, People


def inbox(client: Client, kind: str) -> list[str]:
    return [each.what for each in client.notices.list(kind=kind)]  # type: ignore[arg-type]


def test_whoever_may_read_a_thing_speaks_of_it_and_is_told(people: People) -> None:
    thread = people.vera.discussions.say(THING, "Why is income left out, @ana? Ask @nils, not `@vito`.")
    after = people.ana.discussions.reply(thread.id, "It drifts.")

    assert (thread.project, thread.state, thread.opening[:17]) == (PROJECT, "open", "Why is income lef")
    assert thread.comments[0].mentions == ["ana"]
    assert [(each.number, each.by) for each in after.comments] == [(1, "vera"), (2, "ana")]
    assert people.live.last_verb() == "discussions.reply"
    assert inbox(people.ana, "mention") == [f"vera mentioned you: {THING}"]
    assert inbox(people.vera, "reply") == [f"ana said something about {THING}"]
    assert inbox(people.vito, "mention") == inbox(people.nils, "mention") == inbox(people.ana, "reply") == []
    assert people.vito.discussions.list(THING)[0].id == thread.id
    assert [each.id for each in people.vito.discussions.list("model:mortgage", whom="ana")] == [thread.id]


def test_who_may_not_read_a_thing_is_told_that_there_is_none(people: People) -> None:
    thread = people.vera.discussions.say(THING, "between us")

    acts: list[Callable[[], object]] = [
        lambda: people.nils.discussions.say(THING, "hello"),
        lambda: people.nils.discussions.show(thread.id),
        lambda: people.nils.discussions.reply(thread.id, "hello"),
        lambda: people.nils.discussions.resolve(thread.id),
        lambda: people.vera.discussions.say("model:mortgage@99", "hello"),
    ]
    for act in acts:
        with pytest.raises(NotFound):
            act()
    assert people.nils.discussions.list(state="all") == []


@pytest.mark.parametrize("thing", ["mortgage", "user:ana", "model:", "audit:1"])
def test_a_reference_that_nobody_discusses_is_refused(people: People, thing: str) -> None:
    with pytest.raises(BadField, match="thing"):
        people.vera.discussions.say(thing, "hello")


@pytest.mark.parametrize("kind", ["run", "dataset", "endpoint", "monitor", "alert", "finding", "path-proposal"])
def test_a_thing_that_there_is_not_is_not_discussed(people: People, kind: str) -> None:
    with pytest.raises(NotFound):
        people.live.client.discussions.say(f"{kind}:none/such", "hello")


def test_what_one_said_is_changed_by_oneself_alone_and_keeps_what_it_said(people: People) -> None:
    thread = people.vera.discussions.say(THING, "It is wrong")

    changed = people.vera.discussions.edit(thread.id, 1, "It is *odd*, @vito")

    assert changed.comments[0].text == "It is *odd*, @vito"
    assert [edit.text for edit in changed.comments[0].edits] == ["It is wrong"]
    assert inbox(people.vito, "mention") == [f"vera mentioned you: {THING}"]
    with pytest.raises(NotYours, match="change a comment of vera"):
        people.olga.discussions.edit(thread.id, 1, "It is right")
    with pytest.raises(NotFound):
        people.vera.discussions.edit(thread.id, 7, "hm")


def test_a_withdrawn_comment_leaves_a_mark_and_no_words(people: People) -> None:
    thread = people.vera.discussions.say(THING, "first thought")
    people.vera.discussions.edit(thread.id, 1, "a secret")

    after = people.vera.discussions.withdraw(thread.id, 1)

    [comment] = after.comments
    assert (comment.text, comment.edits, comment.by) == ("", [], "vera")
    assert comment.withdrawn_at is not None
    with pytest.raises(AlreadySo):
        people.vera.discussions.edit(thread.id, 1, "again")


def test_who_began_it_or_owns_the_project_resolves_and_anybody_opens_again(people: People) -> None:
    thread = people.vera.discussions.say(THING, "Is the card right?")

    with pytest.raises(NotYours) as refusal:
        people.ana.discussions.resolve(thread.id)
    resolved = people.olga.discussions.resolve(thread.id, "It is.")
    again = people.ana.discussions.reopen(thread.id)
    with pytest.raises(AlreadySo):
        people.vera.discussions.reopen(thread.id)

    assert refusal.value.who_can == ["vera", "olga"]
    assert (resolved.state, resolved.resolved_by, resolved.comments[-1].text) == ("resolved", "olga", "It is.")
    assert (again.state, again.resolved_by) == ("open", "")
    assert people.vera.discussions.resolve(thread.id).state == "resolved"


def test_who_is_asked_to_look_has_it_in_the_inbox_until_they_answered(people: People) -> None:
    thread = people.ana.discussions.ask(THING, "Is the card right?", people=["vera", "vito"])
    asked = f"look at {THING}, as ana asks"

    before = (inbox(people.vera, "look"), inbox(people.vito, "look"), inbox(people.olga, "look"))
    people.vera.discussions.reply(thread.id, answer="agree")
    one = (inbox(people.vera, "look"), inbox(people.vito, "look"))
    with pytest.raises(NotAsked):
        people.olga.discussions.reply(thread.id, answer="agree")
    done = people.vito.discussions.reply(thread.id, "well done", answer="agree")

    assert before == ([asked], [asked], [])
    assert one == ([], [asked])
    assert (done.state, done.resolved_by, done.waits_for) == ("resolved", "vito", [])
    assert inbox(people.vito, "look") == []


def test_a_question_that_somebody_only_remarks_on_stays_open(people: People) -> None:
    thread = people.ana.discussions.ask(THING, "Good?", people=["vera"])

    after = people.vera.discussions.reply(thread.id, "not quite", answer="comment")

    assert (after.state, after.waits_for, after.comments[-1].answer) == ("open", [], "comment")


def test_of_those_asked_for_their_role_one_answers_for_all(people: People) -> None:
    thread = people.ana.discussions.ask(THING, "Good?", role="validator")

    after = people.vito.discussions.reply(thread.id, answer="decline")

    assert (thread.asked, thread.waits_for, after.waits_for) == (["vera", "vito"], ["vera", "vito"], [])
    with pytest.raises(BadField, match="somebody else holds"):
        people.ana.discussions.ask(THING, "Good?", role="operator")


def test_only_people_who_may_read_a_thing_are_asked(people: People) -> None:
    with pytest.raises(BadField, match="'nils'"):
        people.ana.discussions.ask(THING, "Good?", people=["vera", "nils"])


def test_a_path_proposal_is_discussed_by_everybody(people: People) -> None:
    text = "path: talked\napplies_to: {risk: [low]}\nstages:\n  production:\n    - card: {complete: true}\n"
    proposal = people.vera.gates.propose(text, reason="try")

    thread = people.nils.discussions.say(proposal.ref, "Too strict, @vera")

    assert thread.project == ""
    assert inbox(people.vera, "mention")[0].startswith("nils mentioned you: path-proposal:")


def test_discussions_follow_a_models_name(people: People) -> None:
    people.ana.models.create("flights", project=PROJECT)
    people.ana.models.register_source("flights", "a/label")
    thread = people.vera.discussions.say("model:flights@1", "late, @ana")

    people.olga.models.rename("flights", "departures")

    assert people.vera.discussions.show(thread.id).thing == "model:departures@1"
    assert people.ana.notices.list(kind="mention")[0].url == f"/models/departures/versions/1#discussion-{thread.id}"
