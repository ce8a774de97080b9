"""Sessions that the provider itself ends, and what each sign-in leaves behind."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import parse_qs, urlsplit

import pytest

from taxiway.access.provider.mapping import Mapping
from taxiway.access.provider.port import Configured
from tests.access.provider.forger import LOGOUT, Forger, forging
from tests.support.live import Live, running
from tests.web.browse import Answer, Visitor


class Desk(NamedTuple):
    live: Live
    forger: Forger

    def sign_in(self, *, visitor: Visitor | None = None, **claims: Any) -> tuple[Visitor, Answer]:
        """Somebody signs in with a token that says this of them."""
        visitor = visitor or Visitor(self.live.url)
        asked = parse_qs(urlsplit(visitor.get("/sign-in/provider").to).query)
        self.forger.answers(self.forger.sign(self.forger.claims(**{"nonce": asked["nonce"][0], **claims})))
        return visitor, visitor.get(f"/sign-in/provider/callback?code=code&state={asked['state'][0]}")

    def end(self, **claims: Any) -> Answer:
        said = {"nonce": None, "events": {LOGOUT: {}}, **claims}
        token = self.forger.sign(self.forger.claims(**said))
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        body = f"logout_token={token}".encode()
        return Visitor(self.live.url).ask("POST", "/sign-in/provider/ended", body=body, headers=headers)


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    with forging() as forger:
        configured = Configured(forger.provider(), Mapping(provider="Acme", makes_people=True), "http://127.0.0.1")
        with running(tmp_path / "home", provider=configured) as live:
            yield Desk(live, forger)


@pytest.fixture(autouse=True)
def moved(monkeypatch: pytest.MonkeyPatch) -> None:
    """The server is opened under whatever port it has."""
    monkeypatch.setattr("taxiway.web.pages.provider.is_elsewhere", lambda request, host: False)


def is_in(visitor: Visitor) -> bool:
    return visitor.get("/me").status == 200


def test_a_session_that_ends_there_ends_here(desk: Desk) -> None:
    one, _ = desk.sign_in(sid="one")
    two, _ = desk.sign_in(sid="two")
    ben, _ = desk.sign_in(sub="8", sid="three", preferred_username="ben")

    answer = desk.end(sid="one")
    by_session = [is_in(each) for each in (one, two, ben)]
    desk.end()

    assert (answer.status, answer.headers["Cache-Control"]) == (200, "no-store")
    assert by_session == [False, True, True]
    assert [is_in(each) for each in (one, two, ben)] == [False, False, True]
    ended = [each for each in desk.live.client.audit.entries().items if each.verb == "access.end_sessions"]
    assert [(each.thing, each.facts["ended"]) for each in ended] == [("user:ana", 1), ("user:ana", 1)]


def test_nobody_else_ends_sessions(desk: Desk) -> None:
    visitor, _ = desk.sign_in(sid="one")

    refused = [desk.end(aud="other").status, desk.end(events={}).status, desk.end(sub=None, sid=None).status]

    assert refused == [401, 401, 401]
    assert is_in(visitor)


def test_signing_in_again_ends_the_session_that_the_browser_had(desk: Desk) -> None:
    visitor, _ = desk.sign_in()
    before = visitor.cookies["taxiway_session"]

    desk.sign_in(visitor=visitor)

    assert visitor.cookies["taxiway_session"] != before
    assert desk.live.house.access.user_of(before, "session") is None


def test_a_token_opens_one_session(desk: Desk) -> None:
    """Also where the provider takes a code twice."""
    visitor = Visitor(desk.live.url)
    asked = parse_qs(urlsplit(visitor.get("/sign-in/provider").to).query)
    desk.forger.answers(desk.forger.sign(desk.forger.claims(nonce=asked["nonce"][0])))
    kept, answer = dict(visitor.cookies), f"/sign-in/provider/callback?code=code&state={asked['state'][0]}"
    first = visitor.get(answer)
    again = Visitor(desk.live.url)
    again.cookies = kept

    second = again.get(answer)

    assert (first.status, second.status) == (200, 401)
    assert "used already" in second.text


def test_a_clock_that_is_wrong_is_told_on_the_page(desk: Desk) -> None:
    _, answer = desk.sign_in(iat=4_000_000_000, exp=4_000_000_300)

    assert answer.status == 401
    assert "has both clocks set by NTP" in answer.text


def test_what_the_provider_calls_people_is_no_markup(desk: Desk) -> None:
    visitor, _ = desk.sign_in(name="<script>alert(1)</script>")

    desk.live.client.projects.create("mortgages")
    assert "<script>alert" not in visitor.get("/me").text
    [ana] = [user for user in desk.live.client.access.users() if user.name == "ana"]
    assert ana.display == "<script>alert(1)</script>"
