"""Who makes hooks, where they may lead, and what never leaves."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import cast

import pytest
from sqlalchemy import inspect, text

from taxiway.client import Client
from taxiway.hooks.contract import AddHook, add_hook
from taxiway.hooks.refusals import HostUnknown, HostUnsafe, TooManyHooks
from taxiway.kernel.errors import BadField, NotAllowed
from tests.hooks.receiver import Receiver
from tests.support.live import Live, running

SECRET = "a-secret-that-stays-here"
WORDS = {"name": "x", "url": "https://a.example/", "events": ["model_version.created"]}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    """A server with sign-in, whose hooks may lead to loopback."""
    with running(tmp_path_factory.mktemp("hooks") / "home", hook_hosts=["127.0.0.1"]) as live:
        yield live


def test_only_an_admin_makes_and_sees_hooks(server: Live, client: Client, receiver: Receiver) -> None:
    hook = client.hooks.add("ci", receiver.url, ["registered_model.created"])
    mia = server.as_person("mia", "owner", project="default")
    doors: list[Callable[[], object]] = [
        lambda: mia.hooks.add("own", receiver.url, ["registered_model.created"]),
        mia.hooks.list,
        lambda: mia.hooks.show(hook.id),
        lambda: mia.hooks.deliveries(hook.id),
        lambda: mia.hooks.change(hook.id, is_active=False),
        lambda: mia.hooks.test(hook.id),
        lambda: mia.hooks.remove(hook.id),
    ]

    for knock in doors:
        with pytest.raises(NotAllowed):
            knock()

    assert receiver.got == []
    assert server.as_person("ada", is_admin=True).hooks.show("ci").id == hook.id


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.2/",
        "https://127.0.0.2/",
        "https://[::1]/",
        "https://169.254.169.254/latest",
        "https://10.1.2.3/",
    ],
)
def test_an_address_within_the_network_is_refused_and_noted(server: Live, client: Client, url: str) -> None:
    with pytest.raises(HostUnsafe):
        client.hooks.add("inner", url, ["registered_model.created"])

    assert server.last_verb() == "hooks.add.refused"
    assert client.hooks.list() == []


def test_a_hook_cannot_be_moved_to_where_it_could_not_be_made(client: Client, receiver: Receiver) -> None:
    client.hooks.add("ci", receiver.url, ["registered_model.created"])

    with pytest.raises(HostUnsafe):
        client.hooks.change("ci", url="https://192.168.0.1/")
    with pytest.raises((HostUnknown, HostUnsafe)):
        client.hooks.change("ci", url="https://no-such-host.invalid/")

    assert client.hooks.show("ci").url == receiver.url


def test_the_secret_never_leaves(server: Live, client: Client, receiver: Receiver) -> None:
    hook = client.hooks.add("ci", receiver.url + "?key=inquery", ["registered_model.created"], secret=SECRET)
    client.hooks.change("ci", secret=SECRET + "2")
    client.hooks.test("ci")

    assert receiver.got[0].is_signed_with(SECRET + "2")
    told = [client.hooks.list(), client.hooks.show("ci"), client.hooks.remove(hook.id)]
    told += [entry.facts for entry in client.audit.entries(limit=20).items]
    assert SECRET not in str(told)
    assert "inquery" not in str(told[3:])
    with server.house.database.read() as connection:
        tables = inspect(connection).get_table_names()
        rows = [str(connection.execute(text(f'SELECT * FROM "{table}"')).fetchall()) for table in tables]
    assert not any(SECRET in each for each in rows)


def test_a_secret_that_is_too_long_is_not_said_back(client: Client, receiver: Receiver) -> None:
    with pytest.raises(BadField, match="secret") as refusal:
        client.hooks.add("ci", receiver.url, ["registered_model.created"], secret=SECRET * 50)

    assert SECRET not in str(refusal.value)


def test_every_change_of_a_hook_is_in_the_log(client: Client, receiver: Receiver) -> None:
    hook = client.hooks.add("ci", receiver.url, ["registered_model.created"])
    client.hooks.change("ci", name="cd", secret="s", is_active=False)
    client.hooks.change("cd", secret="")
    client.hooks.test("cd")
    client.hooks.remove("cd")

    entries = client.audit.entries(limit=5).items[::-1]
    assert [entry.verb.removeprefix("hooks.") for entry in entries] == ["add", "change", "change", "test", "remove"]
    assert {entry.thing for entry in entries} == {f"hook:{hook.id}"}
    assert entries[1].facts == {
        "name": {"before": "ci", "after": "cd"},
        "is_active": {"before": True, "after": False},
        "secret": "given anew",
    }
    assert entries[2].facts == {"secret": "taken away"}


def test_a_name_that_two_have_is_no_answer_and_their_ids_are(client: Client, receiver: Receiver) -> None:
    ids = [client.hooks.add("twin", receiver.url, ["registered_model.created"]).id for _ in range(2)]

    with pytest.raises(BadField, match=ids[1]):
        client.hooks.show("twin")
    assert [client.hooks.show(id_).id for id_ in ids] == ids


def test_there_are_only_so_many_hooks(client: Client, receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("taxiway.hooks.service.MOST_HOOKS", 1)
    client.hooks.add("one", receiver.url, ["registered_model.created"])

    with pytest.raises(TooManyHooks):
        client.hooks.add("two", receiver.url, ["registered_model.created"])


@pytest.mark.parametrize(
    "odd", [{"name": "A b"}, {"name": ""}, {"events": []}, {"events": ["model.made"]}, {"url": "ftp://a"}, {"more": 1}]
)
def test_odd_requests_are_refused_by_field(server: Live, client: Client, odd: dict[str, object]) -> None:
    with pytest.raises(BadField, match=next(iter(odd))):
        client.transport.call(add_hook, cast("AddHook", {**WORDS, **odd}))
