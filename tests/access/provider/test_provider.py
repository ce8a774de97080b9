"""Signing in with a real provider: who comes in, as whom, with which roles, and who does not."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import parse_qs, urlsplit

import pytest

from taxiway.access.provider.contract import Binding
from taxiway.kernel.errors import BadField
from tests.access.provider.conftest import Office, back
from tests.web.browse import Visitor

pytestmark = pytest.mark.slow

Add = Callable[..., str]


def binding(office: Office, user: str) -> Binding:
    [found] = [each for each in office.live.client.access.bindings() if each.user == user]
    return found


def is_admin(office: Office, name: str) -> bool:
    return next(user.is_admin for user in office.live.client.access.users() if user.name == name)


def test_a_first_sign_in_makes_the_person_with_the_roles_of_their_groups(office: Office, add: Add) -> None:
    visitor, done = office.sign_in(add("ana", "validators", "canteen"))

    assert done.status == 200, done.text
    [ana] = [user for user in office.live.client.access.users() if user.name == "ana"]
    assert (ana.display, ana.kind, ana.is_admin) == ("Ana Lind", "person", False)
    assert (binding(office, "ana").email, binding(office, "ana").groups) == (
        "ana@acme.example",
        ["canteen", "validators"],
    )
    assert office.roles("ana") == [("validator", "oidc:validators")]
    assert "You are ana" in visitor.get("/me").text
    said = [line for line in done.headers.get_all("Set-Cookie", []) if line.startswith("taxiway_session")]
    assert "Max-Age=7200" in said[0]
    assert "HttpOnly" in said[0]
    assert "SameSite=strict" in said[0]


def test_a_role_ends_with_its_group_and_keeps_its_time_until_then(office: Office, add: Add) -> None:
    office.sign_in(add("ben", "validators", "builders"))
    first = {grant.role: grant for grant in office.live.client.access.grants("mortgages") if grant.user == "ben"}
    office.live.client.access.grant("ben", "viewer", project="mortgages")
    office.sign_in("ben")
    again = {grant.role: grant for grant in office.live.client.access.grants("mortgages") if grant.user == "ben"}

    office.canaille.tell("join", name="ben", groups=["builders"])
    office.sign_in("ben")

    assert again["validator"] == first["validator"]
    assert office.roles("ben") == [("contributor", "oidc:builders"), ("operator", "oidc:builders"), ("viewer", "local")]
    said = office.live.client.audit.entries(limit=5).items
    assert [(each.verb, each.facts["role"]) for each in said if each.verb == "access.revoke_role"] == [
        ("access.revoke_role", "validator")
    ]


def test_who_leaves_the_admins_group_is_no_admin_any_more(office: Office, add: Add) -> None:
    office.sign_in(add("ida", "runway-admins"))
    was = is_admin(office, "ida")
    office.canaille.tell("join", name="ida", groups=[])
    office.sign_in("ida")

    assert (was, is_admin(office, "ida")) == (True, False)


def test_an_admin_whom_a_person_made_stays_one(office: Office, add: Add) -> None:
    office.sign_in(add("jo", "runway-admins"))
    office.canaille.tell("join", name="jo", groups=[])
    office.sign_in("jo")
    office.live.client.access.change_user("jo", is_admin=True)

    office.sign_in("jo")

    assert is_admin(office, "jo")


def test_a_name_stays_whose_it_is_whatever_it_becomes_at_the_provider(office: Office, add: Add) -> None:
    office.sign_in(add("mia"))
    office.canaille.tell("rename", name="mia", to="mia2")
    renamed, _ = office.sign_in("mia2")
    add("mia", "validators")  # somebody else, under the name that became free

    thief, refused = office.sign_in("mia")

    assert "You are mia," in renamed.get("/me").text
    assert (refused.status, "taxiway_session" in thief.cookies) == (409, False)
    assert "mia here is another account of Acme than yours" in refused.text
    assert office.roles("mia") == []
    assert office.live.last_verb() == "access.sign_in.refused"


def test_an_account_that_was_there_before_is_nobodys_by_its_name(office: Office, add: Add) -> None:
    office.live.client.access.add_user("vera")
    add("vera", "validators")

    thief, refused = office.sign_in("vera")

    assert (refused.status, "taxiway_session" in thief.cookies) == (409, False)
    assert "There is an account vera here already" in refused.text


def test_who_is_signed_in_by_a_link_connects_their_account(office: Office, add: Add) -> None:
    office.live.client.access.add_user("nils")
    nils = Visitor(office.live.url)
    nils.post(urlsplit(office.live.sign_in_link("nils")).path)
    account = nils.get("/me").text
    start = account.partition('href="/sign-in/provider?')[2].partition('"')[0].replace("&amp;", "&")

    came = nils.get(back(office.at_provider(add("nils.holm", "validators"), nils, f"/sign-in/provider?{start}").to))

    assert came.status == 200, came.text
    assert binding(office, "nils").email == "nils.holm@acme.example"
    assert "You sign in with Acme" in nils.get("/me").text
    assert office.roles("nils") == [("validator", "oidc:validators")]


def test_nobody_connects_by_a_link_that_another_page_made(office: Office) -> None:
    office.live.client.access.add_user("uma")
    uma = Visitor(office.live.url)
    uma.post(urlsplit(office.live.sign_in_link("uma")).path)

    assert uma.get(f"/sign-in/provider?connect={'0' * 64}").status == 403


def test_who_was_deactivated_does_not_come_in(office: Office, add: Add) -> None:
    visitor, _ = office.sign_in(add("kim"))
    office.live.client.access.deactivate("kim")

    _, refused = office.sign_in("kim")

    assert visitor.get("/me").status == 303
    assert (refused.status, "The account kim was deactivated here" in refused.text) == (403, True)


def test_who_is_locked_at_the_provider_does_not_come_in(office: Office, add: Add) -> None:
    office.sign_in(add("lea"))
    office.canaille.tell("close_account", name="lea")

    visitor, refused = office.sign_in("lea")

    assert (refused.status, "taxiway_session" in visitor.cookies) == (401, False)


def test_an_answer_fits_the_browser_that_began_and_once(office: Office, add: Add) -> None:
    visitor = Visitor(office.live.url)
    answer = back(office.at_provider(add("pia"), visitor).to)
    cookies = dict(visitor.cookies)
    tampered = answer.replace("state=", "state=x")

    other = Visitor(office.live.url).get(answer)
    bent = visitor.get(tampered)
    came = visitor.get(answer)
    replay = Visitor(office.live.url)
    replay.cookies = cookies
    again = replay.get(answer)

    assert [other.status, bent.status, came.status, again.status] == [401, 401, 200, 401]
    assert "fits no sign-in that this browser began" in other.text
    assert "fits no sign-in that this browser began" in bent.text
    assert "it took the code for no sign-in of ours (400, invalid_grant)" in again.text


def test_a_code_of_somebody_elses_sign_in_is_worth_nothing(office: Office, add: Add) -> None:
    stolen = parse_qs(urlsplit(office.at_provider(add("rosa")).to).query)["code"][0]
    thief = Visitor(office.live.url)
    own = parse_qs(urlsplit(office.at_provider(add("tom"), thief).to).query)

    refused = thief.get(f"/sign-in/provider/callback?state={own['state'][0]}&code={stolen}")

    assert (refused.status, "does not hold" in refused.text) == (401, True)
    assert "taxiway_session" not in thief.cookies


def test_an_answer_of_another_issuer_is_refused_before_its_code_goes_anywhere(office: Office, add: Add) -> None:
    visitor = Visitor(office.live.url)
    answer = back(office.at_provider(add("sam"), visitor).to)

    mixed = visitor.get(answer.partition("&iss=")[0] + "&iss=https%3A%2F%2Fevil.example")

    assert (mixed.status, "another issuer (iss)" in mixed.text) == (401, True)


def test_no_answer_is_said_in_words_and_without_the_words_of_the_address(office: Office) -> None:
    visitor = Visitor(office.live.url)
    begun = visitor.get("/sign-in/provider")
    state = parse_qs(urlsplit(begun.to).query)["state"][0]

    said = visitor.get(f"/sign-in/provider/callback?state={state}&error=access_denied&error_description=call+555")

    assert (said.status, "555" in said.text) == (401, False)
    assert "Acme did not sign you in (access_denied): it was cancelled there" in said.text


@pytest.mark.parametrize("onward", ["//evil.example", "https://evil.example/x", "/\\evil.example", "/sign-out"])
def test_nobody_is_led_elsewhere_after_signing_in(office: Office, add: Add, onward: str) -> None:
    visitor = Visitor(office.live.url)
    visitor.cookies.clear()
    name = f"zoe{abs(hash(onward)) % 1000}"
    answer = office.at_provider(add(name), visitor, f"/sign-in/provider?next={onward}")

    assert 'content="0;url=/">' in visitor.get(back(answer.to)).text


def test_where_the_provider_answers_does_not_come_from_the_request(office: Office) -> None:
    host = office.live.url.replace("http://127.0.0.1", "localhost")
    asked = Visitor(office.live.url).get("/sign-in/provider?next=/me&moved=1", Host=host)
    moved = Visitor(office.live.url).get("/sign-in/provider?next=/me", Host=host)

    callback = parse_qs(urlsplit(asked.to).query)["redirect_uri"]
    assert callback == [f"{office.live.url}/sign-in/provider/callback"]
    assert moved.to == f"{office.live.url}/sign-in/provider?moved=1&next=%2Fme"
    assert Visitor(office.live.url).get("/sign-in/provider", Host="evil.example").status == 421


def test_keys_that_are_new_are_fetched(office: Office, add: Add, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("taxiway.adapters.oidc.KEYS_EVERY_S", 0.0)
    office.sign_in(add("eva"))
    office.canaille.tell("rotate")

    _, done = office.sign_in("eva")

    assert done.status == 200, done.text


def test_signing_out_ends_it_here_and_leads_to_the_end_of_it_there(office: Office, add: Add) -> None:
    visitor, _ = office.sign_in(add("finn"))
    session = visitor.cookies["taxiway_session"]

    out = visitor.send("/sign-out", page="/me")

    leads = out.text.partition('<a class="button is-primary" href="')[2].partition('"')[0].replace("&amp;", "&")
    asked = parse_qs(urlsplit(leads).query)
    assert (out.status, office.live.house.access.user_of(session, "session")) == (200, None)
    assert "You are signed out here, and not yet at Acme" in out.text
    assert leads.startswith(office.canaille.issuer)
    assert asked["post_logout_redirect_uri"] == [f"{office.live.url}/sign-in"]
    assert asked["id_token_hint"][0].count(".") == 2


def test_tokens_of_people_of_the_provider_hold_no_longer_than_its_file_says(office: Office, add: Add) -> None:
    office.sign_in(add("gus"))
    office.live.client.access.add_user("hal")

    office.live.client.access.make_token("hal", days=365)
    office.live.client.access.make_token("gus", days=30)
    with pytest.raises(BadField, match="a number from 1 to 30"):
        office.live.client.access.make_token("gus", days=31)


def test_who_fails_often_waits_and_who_does_not_comes_in_all_the_while(office: Office, add: Add) -> None:
    visitor = Visitor(office.live.url)
    statuses = [visitor.get("/sign-in/provider/callback?state=guess&code=guess").status for _ in range(25)]

    _, done = office.sign_in(add("otto"))

    assert statuses[-1] == 429
    assert done.status == 200
