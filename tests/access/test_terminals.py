"""Terminals that sign in by a browser: who gets the token, once, and where it is kept."""

from __future__ import annotations

import stat
import threading
from argparse import Namespace
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import urlopen

import pytest

from taxiway.access.contract import Token
from taxiway.access.secrets import challenge_of
from taxiway.access.terminals import commands, keeping, listening
from taxiway.access.terminals.contract import CodeSpent
from taxiway.access.terminals.service import read_terminal
from taxiway.client import connect
from taxiway.kernel.errors import BadField, FileUnusable, SignInNeeded
from tests.support.live import Live
from tests.web.browse import Visitor

ASKED = {"port": "40000", "state": "s" * 32, "challenge": challenge_of("verifier"), "label": "desk", "days": "7"}


@pytest.fixture(autouse=True)
def own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Tokens are kept among the files of the test."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    return tmp_path / "config" / "taxiway" / "tokens.json"


@pytest.fixture
def ana(sqlite_live: Live) -> Visitor:
    """A browser in which somebody is signed in."""
    sqlite_live.client.access.add_user("ana")
    visitor = Visitor(sqlite_live.url)
    visitor.post(urlsplit(sqlite_live.sign_in_link("ana")).path)
    return visitor


def code_of(ana: Visitor, **other: str) -> str:
    """The code that the page gives after a yes."""
    query = "&".join(f"{name}={value}" for name, value in {**ASKED, **other}.items())
    answer = ana.send(f"/me/terminal?{query}")
    assert answer.status == 200, answer.text
    return answer.text.partition("127.0.0.1:40000/?code=")[2].partition("&amp;")[0]


def test_a_terminal_signs_in_and_out_by_a_browser(
    sqlite_live: Live, ana: Visitor, own_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def click(address: str) -> None:
        answer = ana.send(address.removeprefix(sqlite_live.url))
        back = answer.text.partition('content="0;url=')[2].partition('"')[0].replace("&amp;", "&")
        threading.Thread(target=lambda: urlopen(back).read(), daemon=True).start()

    monkeypatch.setattr(commands, "tell", click)
    given = Namespace(days=3, label="desk", no_browser=True)
    with connect(sqlite_live.url) as client:
        done = commands.sign_in(client, given)
    with connect(sqlite_live.url) as client:
        me, tokens, kept = client.access.me(), client.access.my_tokens(), keeping.token_for(sqlite_live.url)
        commands.sign_out(client, Namespace())

    assert (done.user, me.name, [token.label for token in tokens]) == ("ana", "ana", ["desk"])
    assert stat.S_IMODE(own_folder.stat().st_mode) == 0o600
    assert stat.S_IMODE(own_folder.parent.stat().st_mode) == 0o700
    with connect(sqlite_live.url) as client, pytest.raises(SignInNeeded, match="taxiway access sign-in"):
        client.access.me()
    assert kept is not None
    assert sqlite_live.house.access.user_of(kept, "token") is None


def test_a_code_works_once_and_only_for_the_terminal_that_asked(sqlite_live: Live, ana: Visitor) -> None:
    code = code_of(ana)
    with connect(sqlite_live.url) as client:
        with pytest.raises(CodeSpent):
            client.access.redeem_code(code, "somebody else's")
        token = client.access.redeem_code(code, "verifier")
        with pytest.raises(CodeSpent):
            client.access.redeem_code(code, "verifier")
        with pytest.raises(CodeSpent):
            client.access.redeem_code("tw_code_guess", "")

    assert token.user == "ana"
    assert sqlite_live.house.access.user_of(code, "token") is None


def test_a_code_ends_with_its_person(sqlite_live: Live, ana: Visitor) -> None:
    code = code_of(ana)
    sqlite_live.client.access.deactivate("ana")

    with connect(sqlite_live.url) as client, pytest.raises(CodeSpent):
        client.access.redeem_code(code, "verifier")


def test_the_page_gives_nothing_without_its_own_form(sqlite_live: Live, ana: Visitor) -> None:
    query = "&".join(f"{name}={value}" for name, value in ASKED.items())

    assert ana.post(f"/me/terminal?{query}", form_token="0" * 64).status == 403
    assert Visitor(sqlite_live.url).get(f"/me/terminal?{query}").to.startswith("/sign-in?next=%2Fme%2Fterminal")
    assert "tw_code_" not in ana.get(f"/me/terminal?{query}").text


@pytest.mark.parametrize(
    "other",
    [{"port": "80"}, {"port": "4000x"}, {"state": "short"}, {"challenge": "plain"}, {"days": "-1"}, {"port": "70000"}],
)
def test_what_no_terminal_asks_is_refused(other: dict[str, str]) -> None:
    with pytest.raises(BadField):
        read_terminal({**ASKED, **other})


@pytest.mark.parametrize("days", ["0", "400"])
def test_nobody_gets_a_token_for_longer_than_they_may(sqlite_live: Live, ana: Visitor, days: str) -> None:
    query = "&".join(f"{name}={value}" for name, value in {**ASKED, "days": days}.items())

    assert ana.send(f"/me/terminal?{query}").status == 400


def test_who_does_not_know_the_state_brings_no_code() -> None:
    with listening.Listener() as listener:
        asking = threading.Thread(target=lambda: strange(listener.server_port), daemon=True)
        asking.start()
        with pytest.raises(listening.NobodyCame, match="set TAXIWAY_TOKEN"):
            listener.wait(0.6)
        asking.join(5)


def strange(port: int) -> None:
    with pytest.raises(OSError, match="404"):
        urlopen(f"http://127.0.0.1:{port}/?code=x&state=guess")


def test_a_kept_token_goes_to_its_own_server_alone(make_kept: Callable[[str], None]) -> None:
    make_kept("https://taxiway.example")

    assert keeping.token_for("https://taxiway.example") == "tw_token_x"
    assert keeping.token_for("https://taxiway.example.evil.example") is None
    assert keeping.token_for("http://taxiway.example") is None


def test_tokens_that_others_may_read_are_not_used(make_kept: Callable[[str], None], own_folder: Path) -> None:
    make_kept("https://taxiway.example")
    own_folder.chmod(0o644)

    with pytest.raises(FileUnusable, match="chmod 600"):
        keeping.token_for("https://taxiway.example")


@pytest.fixture
def make_kept() -> Callable[[str], None]:
    def make(url: str) -> None:
        keeping.keep(url, Token("ana", "tw_token_x", datetime.now(UTC) + timedelta(days=1)))

    return make
