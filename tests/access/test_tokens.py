"""One's own tokens: by SDK and on the account's page."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest

from taxiway.cli import main
from taxiway.client import connect
from taxiway.kernel.errors import BadField, NotFound, SignInNeeded
from tests.support.live import Live
from tests.web.browse import Visitor


def test_a_person_makes_a_token_of_their_own_and_ends_it(live: Live) -> None:
    ana = live.as_person("ana")
    made = ana.access.make_my_token(label="laptop", days=7)
    kept = next(token for token in ana.access.my_tokens() if token.label == "laptop")

    with connect(live.url, token=made.token) as laptop:
        before = laptop.access.me().name
        remaining = ana.access.revoke_my_token(kept.id)
        with pytest.raises(SignInNeeded):
            laptop.access.me()

    assert before == "ana"
    assert made.token not in repr(kept)
    assert kept.id not in {token.id for token in remaining}
    assert live.last_verb() == "access.revoke_token"


def test_a_link_is_printed_as_a_whole_address(
    live: Live, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    live.as_person("ana")
    live.as_person("ada", is_admin=True)
    monkeypatch.setenv("TAXIWAY_URL", live.url)
    monkeypatch.setenv("TAXIWAY_TOKEN", live.client.access.make_token("ada").token)

    assert main(["access", "link", "ana"]) == 0
    assert f"{live.url}/sign-in/tw_link_" in capsys.readouterr().out


@pytest.mark.parametrize("url", ["foo", "localhost:5500", "http://"])
def test_an_address_that_is_none_is_refused_at_once(url: str) -> None:
    with pytest.raises(BadField, match="http://host:port"):
        connect(url)


def test_nobody_ends_the_token_of_somebody_else(live: Live) -> None:
    ana, eve = live.as_person("ana"), live.as_person("eve")
    token = ana.access.my_tokens()[0]

    with pytest.raises(NotFound, match="taxiway access tokens"):
        eve.access.revoke_my_token(token.id)

    assert token in ana.access.my_tokens()


def test_a_token_lives_a_year_at_most(live: Live) -> None:
    with pytest.raises(BadField, match="1 to 365"):
        live.as_person("ana").access.make_my_token(days=366)


def test_the_local_user_needs_no_token(open_live: Live) -> None:
    with pytest.raises(NotFound, match="no token is needed"):
        open_live.client.access.make_my_token()


def test_the_page_shows_a_new_token_once(live: Live) -> None:
    live.as_person("ana")
    visitor = Visitor(live.url)
    visitor.post(urlsplit(live.sign_in_link("ana")).path)

    made = visitor.send("/me/tokens", page="/me", label="laptop", days="7")
    later = visitor.get("/me")

    assert made.status == 200
    assert "export TAXIWAY_TOKEN=tw_token_" in made.text
    assert "tw_token_" not in later.text
    assert "laptop" in later.text


def test_a_refused_form_comes_back_as_it_was_filled_in(live: Live) -> None:
    live.as_person("ana")
    visitor = Visitor(live.url)
    visitor.post(urlsplit(live.sign_in_link("ana")).path)

    refused = visitor.send("/me/tokens", page="/me", label="laptop", days="400")

    assert refused.status == 400
    assert "a number from 1 to 365" in refused.text
    assert 'value="laptop"' in refused.text
