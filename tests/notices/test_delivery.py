"""E-mail to a real receiver: at once, daily or not at all; tried again, never lost, and each letter claimed once."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta

import pytest
from msgspec.structs import replace

from taxiway.notices.mailing import MailServer, read_mail_server
from taxiway.notices.posting import Postman
from taxiway.notices.store import Claimed
from tests.discussions.conftest import PROJECT, THING, People
from tests.notices.receiver import MailReceiver, receiving


@pytest.fixture
def receiver() -> Iterator[MailReceiver]:
    with receiving() as receiver:
        yield receiver


@pytest.fixture
def postman(people: People, receiver: MailReceiver) -> Iterator[Postman]:
    """Of a server that sends e-mail; vera and vito get theirs at once, ana once a day."""
    mail = read_mail_server(receiver.url, "Taxiway <taxiway@bank.example>")
    postman = Postman(people.live.house.notices, mail, home="https://taxiway.example")
    for client, delivery in ((people.vera, "at_once"), (people.vito, "at_once"), (people.ana, "daily")):
        name = client.access.me().name
        client.notices.prefer(address=f"{name}@bank.example", delivery=delivery, hour=7)  # type: ignore[arg-type]
        client.notices.mark("done")
    people.live.house.notices.keeper.settle()
    postman.deliver()
    receiver.letters.clear()
    yield postman
    people.live.house.notices.clock = people.live.house.clock


def later(people: People, **span: float) -> None:
    """The same server, a while later, as far as letters are concerned."""
    clock = people.live.house.clock
    people.live.house.notices.clock = lambda: clock() + timedelta(**span)


def test_a_mention_comes_at_once_with_a_link_and_once_only(
    people: People,
    postman: Postman,
    receiver: MailReceiver,
) -> None:
    people.ana.discussions.say(THING, "Why, @vera?")

    postman.deliver()
    postman.deliver()

    [letter] = receiver.read()
    assert (letter["To"], letter["From"]) == ("vera@bank.example", "Taxiway <taxiway@bank.example>")
    assert letter["Subject"] == f"Ana mentioned you: {THING}"
    assert "https://taxiway.example/models/mortgage/versions/1#discussion-" in letter.get_content()
    assert {each.state for each in people.live.client.notices.letters() if each.person == "vera"} <= {
        "sent",
        "needless",
    }


def test_what_waits_comes_by_e_mail_too_and_not_once_it_is_over(
    people: People,
    postman: Postman,
    receiver: MailReceiver,
) -> None:
    seen = people.ana.discussions.ask(THING, "Good?", people=["vera"])
    people.live.house.notices.keeper.settle()
    people.ana.discussions.ask(THING, "And this?", people=["vito"])
    people.live.house.notices.keeper.settle()
    people.vera.discussions.reply(seen.id, answer="agree")
    people.live.house.notices.keeper.settle()

    postman.deliver()

    assert [each["To"] for each in receiver.read() if "look at" in each["Subject"].lower()] == ["vito@bank.example"]


def test_a_daily_letter_holds_the_day(people: People, postman: Postman, receiver: MailReceiver) -> None:
    people.vera.discussions.say(THING, "one, @ana")
    people.vera.discussions.say(THING, "two, @ana")

    postman.deliver()
    none = len(receiver.read())
    later(people, days=1)
    postman.deliver()

    assert none == 0
    [letter] = receiver.read()
    assert (letter["To"], letter["Subject"]) == ("ana@bank.example", "2 notices")
    assert "> one, @ana" in letter.get_content()
    assert "> two, @ana" in letter.get_content()


def test_a_mail_server_that_says_no_for_now_is_asked_again(
    people: People,
    postman: Postman,
    receiver: MailReceiver,
) -> None:
    receiver.answers = {"RCPT": ["451 busy"], "END": ["452 full"]}
    people.ana.discussions.say(THING, "Again, @vera?")

    postman.deliver()
    waits = people.live.client.notices.letters()[0]
    for minutes in (1, 60):
        later(people, minutes=minutes)
        postman.deliver()

    assert (waits.state, waits.error, waits.attempts) == ("waiting", "451 busy", 1)
    after = people.live.client.notices.letters()[0]
    assert (after.state, after.attempts) == ("sent", 3)
    assert len({letter["Message-ID"] for letter in receiver.read()}) == 1


def test_an_address_that_there_is_not_is_not_tried_for_hours(
    people: People,
    postman: Postman,
    receiver: MailReceiver,
) -> None:
    receiver.answers = {"RCPT": ["550 no such user"]}
    people.ana.discussions.say(THING, "Nobody, @vera?")

    postman.deliver()

    last = people.live.client.notices.letters()[0]
    assert (last.state, last.error) == ("given_up", "550 no such user")


def test_a_letter_that_cannot_be_composed_is_given_up_and_the_next_one_goes_out(
    people: People, postman: Postman, receiver: MailReceiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    people.ana.discussions.say(THING, "One, @vera")
    claim = postman.claim

    def claimed() -> Claimed | None:
        found = claim()
        return found and replace(found, address="vera@bank\n.example")

    monkeypatch.setattr(postman, "claim", claimed)
    postman.deliver()
    monkeypatch.undo()
    people.ana.discussions.say(THING, "Two, @vera")
    postman.deliver()

    states = [(each.state, each.error[:23]) for each in people.live.client.notices.letters()[:2]]
    assert states == [("sent", ""), ("given_up", "it cannot be composed: ")]
    assert len(receiver.read()) == 1


def test_nothing_goes_out_unsealed(people: People, postman: Postman, receiver: MailReceiver) -> None:
    port = int(receiver.url.rpartition(":")[2].partition("?")[0])
    postman.mail = MailServer("127.0.0.1", port, "starttls", "user", "password", "t@b.example")
    people.ana.discussions.say(THING, "Sealed, @vera?")

    postman.deliver()

    assert receiver.letters == []
    assert "STARTTLS" in people.live.client.notices.letters()[0].error


def test_two_servers_send_each_letter_once(
    people: People,
    postman: Postman,
    receiver: MailReceiver,
) -> None:
    for number in range(10):
        people.ana.discussions.say(THING, f"{number}, @vera and @vito")
    others = [Postman(postman.notices, postman.mail, home=postman.home) for _ in range(3)]

    threads = [threading.Thread(target=each.deliver) for each in (postman, *others)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)

    ids = Counter(letter["Message-ID"] for letter in receiver.read())
    assert (len(ids), set(ids.values())) == (20, {1})


def test_who_was_shut_out_gets_no_letter_any_more(
    people: People,
    postman: Postman,
    receiver: MailReceiver,
) -> None:
    kim = people.live.as_person("kim", "viewer", project=PROJECT)
    kim.notices.prefer(address="kim@bank.example", delivery="at_once")
    people.ana.discussions.say(THING, "a secret, @kim")
    people.live.client.access.revoke("kim", project=PROJECT)

    postman.deliver()

    assert [each for each in receiver.read() if each["To"] == "kim@bank.example"] == []
    assert people.live.client.notices.letters()[0].state == "needless"
