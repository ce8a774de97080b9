"""The panel on a thing's page and the inbox: everything works with forms alone, and no text gets out of its place."""

from __future__ import annotations

import json
from urllib.parse import urlsplit

import pytest

from taxiway.cli import main
from tests.discussions.conftest import THING, People
from tests.gates.browse import hidden, said
from tests.web.browse import Visitor

PAGE = "/models/mortgage/versions/1"


def visit(people: People, name: str) -> Visitor:
    visitor = Visitor(people.live.url)
    visitor.post(urlsplit(people.live.sign_in_link(name)).path)
    return visitor


def test_people_speak_answer_and_resolve_on_the_page_of_the_thing(people: People) -> None:
    ana, vera = visit(people, "ana"), visit(people, "vera")

    begun = ana.send("/discussions", page=PAGE, thing=THING, text="Is it **right**, @vera?", asked="vera", role="")
    [thread] = people.ana.discussions.list(THING, whom="ana")
    shown = vera.get(PAGE).text
    inbox = vera.get("/inbox?kind=look").text
    vera.send(f"/discussions/{thread.id}/comments", page=PAGE, text="Nearly.", answer="comment")
    refused = vera.send(f"/discussions/{thread.id}/state", page=PAGE, state="resolved")
    ana.send(f"/discussions/{thread.id}/comments/1", page=PAGE, text="Is it wrong?")
    ana.send(f"/discussions/{thread.id}/state", page=PAGE, state="resolved")
    after = ana.get(f"/discussions/{thread.id}").text

    assert begun.to == f"{PAGE}#discussion-{thread.id}"
    assert "Is it <strong>right</strong>, @vera?" in shown
    assert "ana asked vera to look; vera has not answered" in said(shown)
    assert "Is it **right**, @vera?" in inbox
    assert f"Look at {THING}, as ana asks" in said(inbox)
    assert refused.status == 403
    assert "vera cannot resolve this discussion" in said(refused.text)
    assert "ana resolved this discussion" in said(after)
    assert "What it said before" in after
    assert "Nearly." in after


def test_what_people_write_stays_text(people: People) -> None:
    bad = "<script>alert(1)</script> <img src=x onerror=alert(1)> [x](javascript:alert(1)) ![y](//evil.example/y.png)"
    thread = people.vera.discussions.say(THING, bad)
    visitor = visit(people, "ana")

    for page in (PAGE, f"/discussions/{thread.id}", "/discussions?state=all", "/inbox?show=all"):
        text = visitor.get(page).text
        assert "<script>alert" not in text
        assert "<img src" not in text
        assert 'href="javascript' not in text
        assert 'src="//evil' not in text


def test_a_withdrawn_comment_shows_a_mark_and_no_words(people: People) -> None:
    thread = people.vito.discussions.say(THING, "unspeakable")
    vito = visit(people, "vito")

    vito.send(f"/discussions/{thread.id}/comments/1/withdrawal", page=PAGE)

    text = visit(people, "ana").get(f"/discussions/{thread.id}").text
    assert "vito withdrew this" in said(text)
    assert "unspeakable" not in text


def test_a_form_that_is_refused_comes_back_filled_in(people: People) -> None:
    ana = visit(people, "ana")

    back = ana.send("/discussions", page=PAGE, thing=THING, text="Look, please", asked="nobody.such", role="")

    assert back.status == 400
    assert "Look, please" in back.text
    assert hidden(back.text, "/discussions")["thing"] == THING


def test_who_may_not_read_a_thing_finds_no_discussion_of_it(people: People) -> None:
    thread = people.vera.discussions.say(THING, "a very particular word: zyzzyva")
    nils, ana = visit(people, "nils"), visit(people, "ana")

    assert nils.get(f"/discussions/{thread.id}").status == 404
    assert "zyzzyva" not in nils.get("/discussions?state=all").text
    assert f"discussion-{thread.id}" not in nils.get("/search?q=zyzzyva").text
    assert f"discussion-{thread.id}" in ana.get("/search?q=zyzzyva").text


def test_the_inbox_opens_sets_aside_and_puts_back(people: People) -> None:
    people.ana.notices.mark("done")
    people.vera.discussions.say(THING, "one thing, @ana")
    [notice] = people.ana.notices.list(kind="mention")
    ana = visit(people, "ana")

    opened = ana.send(f"/inbox/{notice.id}", page="/inbox")
    read = [each.read_at is not None for each in people.ana.notices.list(kind="mention")]
    aside = ana.send("/inbox", page="/inbox", state="done", notice=notice.id, here="/inbox?show=all")
    gone = people.ana.notices.list(kind="mention")
    ana.send("/inbox", page="/inbox", state="waiting", notice=notice.id, here="//evil.example")
    stranger = visit(people, "vera").send(f"/inbox/{notice.id}", page="/inbox")

    assert (opened.to, read) == (notice.url, [True])
    assert (aside.to, gone) == ("/inbox?show=all", [])
    assert [each.id for each in people.ana.notices.list(kind="mention")] == [notice.id]
    assert stranger.status == 404
    assert "This server sends no e-mail" in ana.get("/inbox/preferences").text


def test_the_shell_says_what_the_pages_say(
    people: People, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TAXIWAY_URL", people.live.url)
    monkeypatch.setenv("TAXIWAY_TOKEN", people.live.tokens["ana"])

    def run(*words: str) -> str:
        assert main([*words]) == 0
        return capsys.readouterr().out

    thread = json.loads(run("discussions", "ask", THING, "Good?", "--person", "vera", "--json"))["id"]
    run("discussions", "edit", thread, "1", "Good, @vera?")
    run("discussions", "reply", thread, "Hm.")
    run("discussions", "withdraw", thread, "2")
    shown = run("discussions", "show", thread)
    run("discussions", "resolve", thread, "--comment", "Good.")
    listed = run("discussions", "list", "--state", "resolved", "--whom", "ana")
    run("discussions", "reopen", thread)
    run("discussions", "say", THING, "Hello")

    assert "waits for vera" in shown
    assert "1. ana" in shown
    assert "[withdrawn at " in shown
    assert thread in listed
    assert run("notices", "list", "--show", "all")
    assert json.loads(run("notices", "mark", "read", "--json"))["counting"] >= 0
    assert json.loads(run("notices", "prefer", "--json"))["delivery"] == "none"
    assert main(["notices", "letters"]) == 1  # for admins
