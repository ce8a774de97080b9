"""Signing in and out on the pages."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from taxiway.kernel.errors import BadField
from taxiway.web.pages.sign_in import local
from taxiway.web.throttle import Throttle, TooManyAttempts
from tests.support.live import Live, running
from tests.web.browse import Visitor


@pytest.fixture
def live(sqlite_live: Live) -> Live:
    return sqlite_live


def link_of(live: Live, name: str) -> str:
    """The path of a fresh link for a person who is added first."""
    live.as_person(name)
    return urlsplit(live.sign_in_link(name)).path


def signed_in(live: Live, name: str) -> Visitor:
    visitor = Visitor(live.url)
    visitor.post(link_of(live, name))
    return visitor


def test_a_visitor_is_sent_to_sign_in_and_comes_back_to_the_page(live: Live) -> None:
    visitor = Visitor(live.url)

    sent = visitor.get("/me?tab=tokens")
    back = visitor.post(link_of(live, "ana") + "?" + urlsplit(sent.to).query)

    assert (sent.status, sent.to) == (303, "/sign-in?next=%2Fme%3Ftab%3Dtokens")
    assert (back.status, back.to) == (303, "/me?tab=tokens")


def test_looking_at_a_link_does_not_spend_it(live: Live) -> None:
    visitor, link = Visitor(live.url), link_of(live, "ana")

    looks = [visitor.get(link), visitor.get(link)]
    entered = visitor.post(link)

    assert [look.status for look in looks] == [200, 200]
    assert "Sign in as ana" in looks[0].text
    assert visitor.cookies["taxiway_session"].startswith("tw_session_")
    assert entered.status == 303


def test_a_session_is_out_of_reach_of_scripts_and_other_sites(live: Live) -> None:
    answer = Visitor(live.url).post(link_of(live, "ana"))

    said = answer.headers["Set-Cookie"].split("; ")
    assert {"HttpOnly", "Path=/", "SameSite=strict", "Max-Age=43200"} <= set(said)
    assert "Secure" not in said


def test_a_session_over_https_never_travels_in_the_clear(live: Live) -> None:
    visitor = Visitor(live.url)

    answer = visitor.post(link_of(live, "ana"), origin=f"https://{visitor.host}")

    assert "Secure" in answer.headers["Set-Cookie"].split("; ")


def test_a_link_works_once(live: Live) -> None:
    link = link_of(live, "ana")
    Visitor(live.url).post(link)

    again = Visitor(live.url)
    answer = again.post(link)

    assert answer.status == 401
    assert "used already or has run out" in answer.text
    assert again.cookies == {}


def test_signing_in_ends_the_session_that_the_browser_had(live: Live) -> None:
    visitor = signed_in(live, "ana")
    before = visitor.cookies["taxiway_session"]

    visitor.post(link_of(live, "ben"))

    assert visitor.cookies["taxiway_session"] != before
    assert live.house.access.user_of(before, "session") is None


def test_a_session_that_somebody_else_chose_is_not_taken_over(live: Live) -> None:
    visitor = Visitor(live.url)
    visitor.cookies["taxiway_session"] = "tw_session_chosen"

    visitor.post(link_of(live, "ana"))

    assert visitor.cookies["taxiway_session"] != "tw_session_chosen"
    assert live.house.access.user_of("tw_session_chosen", "session") is None


def test_signing_out_ends_the_session_on_the_server(live: Live) -> None:
    visitor = signed_in(live, "ana")
    session = visitor.cookies["taxiway_session"]

    answer = visitor.send("/sign-out", page="/sign-in")

    assert (answer.status, answer.to) == (303, "/sign-in")
    assert live.house.access.user_of(session, "session") is None


def test_signing_out_needs_the_token_of_a_page(live: Live) -> None:
    visitor = signed_in(live, "ana")

    answer = visitor.post("/sign-out", form_token="0" * 64)

    assert answer.status == 403
    assert live.house.access.user_of(visitor.cookies["taxiway_session"], "session") is not None


def test_a_session_runs_out_after_twelve_hours(tmp_path: Path) -> None:
    moments = [datetime(2026, 3, 2, 8, tzinfo=UTC)]
    with running(tmp_path / "home", clock=lambda: moments[-1]) as live:
        visitor = signed_in(live, "ana")

        moments.append(moments[0] + timedelta(hours=11, minutes=59))
        in_time = visitor.get("/sign-in").text
        moments.append(moments[0] + timedelta(hours=12))
        too_late = visitor.get("/sign-in").text

    assert "signed in as ana" in in_time
    assert "signed in as ana" not in too_late


def test_a_pasted_link_is_found_in_whatever_was_pasted(live: Live) -> None:
    link = link_of(live, "ana")

    answer = Visitor(live.url).post("/sign-in", link=f"  <{live.url}{link}> ", next="/projects")

    assert answer.to == f"{link}?next=%2Fprojects"


def test_a_service_account_gets_no_link(live: Live) -> None:
    live.as_person("ana")
    live.client.access.add_service("robot", accountable="ana")

    with pytest.raises(BadField, match="takes a token"):
        live.client.access.make_link("robot")


def test_guessing_is_throttled_and_a_good_link_works_all_the_while(live: Live) -> None:
    visitor, link = Visitor(live.url), link_of(live, "ana")

    guesses = [visitor.post("/sign-in/tw_link_guess") for _ in range(24)]
    entered = visitor.post(link)

    assert [guess.status for guess in guesses[:20]] == [401] * 20
    assert guesses[-1].status == 429
    assert int(guesses[-1].headers["Retry-After"]) >= 1
    assert entered.status == 303


def test_the_throttle_opens_again_with_time() -> None:
    now = [0.0]
    throttle = Throttle(burst=1, every_s=3.0, clock=lambda: now[0])
    throttle.failed()

    with pytest.raises(TooManyAttempts) as refusal:
        throttle.failed()
    now[0] = 3.0
    throttle.failed()

    assert refusal.value.wait_s == 3


@pytest.mark.parametrize(
    "address",
    [
        "//evil.test",
        "/\\evil.test",
        "https://evil.test",
        "javascript:alert(1)",
        "/\t/evil.test",
        "\n//evil.test",
        "evil.test",
        "/sign-out",
        "",
    ],
)
def test_signing_in_leads_to_no_other_server(address: str) -> None:
    assert local(address) == ""
