"""The pages of hooks: for admins alone, with what was delivered and without what is nobody's to see."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from taxiway.client import Client
from tests.hooks.receiver import Receiver, delivering, eventually
from tests.support.live import Live, running
from tests.web.browse import Visitor


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    with running(tmp_path_factory.mktemp("hooks") / "home", hook_hosts=["127.0.0.1"]) as live:
        yield live


def seen(server: Live, name: str, path: str, *, is_admin: bool) -> tuple[int, str]:
    server.as_person(name, is_admin=is_admin)
    token = server.client.access.make_token(name).token
    answer = Visitor(server.url).ask("GET", path, headers={"Authorization": f"Bearer {token}"})
    return answer.status, answer.text


def test_an_admin_sees_what_was_told_and_what_was_not(server: Live, client: Client, receiver: Receiver) -> None:
    client.hooks.add("ci", receiver.url + "?key=inquery", ["registered_model.created"], secret="hush-hush")
    chat = client.hooks.add("chat", receiver.url, ["registered_model.created"], description="<b>tells</b> all")
    with delivering(server):
        client.models.create("told", project="default")
        eventually(lambda: client.hooks.show("chat").delivered + client.hooks.show("ci").delivered == 2)
        receiver.answers = [503, 503]
        client.models.create("untold", project="default")
        eventually(lambda: all(hook.last is not None and hook.last.error for hook in client.hooks.list()))

    status, listed = seen(server, "ada", "/hooks", is_admin=True)
    _, one = seen(server, "ada", f"/hooks/{chat.id}", is_admin=True)

    assert status == 200
    assert "2 hooks, 2 of them last told in vain" in listed
    assert "chat was last told in vain: it answered 503" in one
    assert "answered 200" in one
    assert "&lt;b&gt;tells" in one
    assert not any(word in listed + one for word in ("inquery", "hush-hush", "<b>tells"))


def test_nobody_else_sees_a_page_of_hooks(server: Live, client: Client, receiver: Receiver) -> None:
    hook = client.hooks.add("ci", receiver.url, ["registered_model.created"])

    for path in ("/hooks", f"/hooks/{hook.id}"):
        status, text = seen(server, "eve", path, is_admin=False)
        assert (status, receiver.url in text) == (403, False)
    assert '"/hooks"' not in seen(server, "eve", "/me", is_admin=False)[1]


def test_a_hook_that_is_not_there_is_said_so(server: Live) -> None:
    status, text = seen(server, "ada", "/hooks/nothing", is_admin=True)

    assert status == 404
    assert "There is no hook" in text
