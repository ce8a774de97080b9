"""What hooks are told, when, and how often."""

from __future__ import annotations

import time
from datetime import timedelta
from pathlib import Path

import pytest

from taxiway.client import Client
from taxiway.hooks.addresses import Reach
from taxiway.hooks.delivering import Couriers
from taxiway.kernel.errors import BadField, NotFound
from taxiway.kernel.ids import new_id
from taxiway.models.bundles.bundle import Manifest, NativeModel, write_bundle
from taxiway.models.predicting.signature import Signature
from tests.hooks.receiver import Receiver, delivering, eventually, receiving
from tests.support.live import Live

SECRET = "a-secret-that-stays-here"


@pytest.fixture(scope="module")
def server(live_for_all: Live) -> Live:
    """A server whose hooks may lead to loopback and that delivers nothing by itself."""
    live_for_all.house.hooks.reach = Reach(["127.0.0.1"])
    return live_for_all


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """What failed is tried again at once, three times in all."""
    monkeypatch.setattr("taxiway.hooks.service.PAUSES", (timedelta(0), timedelta(0)))
    monkeypatch.setattr("taxiway.hooks.service.MOST_ATTEMPTS", 3)


def open_model(client: Client) -> str:
    return client.models.create(f"m{new_id()}", project="default").name


# --- what is told ---


def test_what_our_own_client_does_is_told_signed_and_in_order(server: Live, client: Client, receiver: Receiver) -> None:
    events = ["model_version.created", "registered_model.created", "model_version_tag.set", "model_version_tag.deleted"]
    events += ["model_version_alias.created", "model_version_alias.deleted", "model_version.promoted"]
    client.hooks.add("all", receiver.url, events, secret=SECRET)  # type: ignore[arg-type]
    name = f"m{new_id()}"

    client.models.create(name, project="default", tags={"team": "risk"}, description="words")
    client.models.register_source(name, "a/label", run="theirs", tags={"a": "1"})
    client.models.describe(f"{name}@1", tags={"b": "2"}, untag=["a", "never"])
    client.models.point_alias(name, "blue", version=1)
    client.models.promote(f"{name}@1", "production", reason="it is good")
    client.models.drop_alias(name, "blue")
    with delivering(server):
        got = receiver.wait(7)

    one = {"name": name, "version": "1"}
    assert [(each.event, each.told["data"]) for each in got] == [
        ("registered_model.created", {"name": name, "tags": {"team": "risk"}, "description": "words"}),
        (
            "model_version.created",
            {**one, "source": "a/label", "run_id": "theirs", "tags": {"a": "1"}, "description": None},
        ),
        ("model_version_tag.set", {**one, "key": "b", "value": "2"}),
        ("model_version_tag.deleted", {**one, "key": "a"}),
        ("model_version_alias.created", {"name": name, "alias": "blue", "version": "1"}),
        (
            "model_version.promoted",
            {**one, "stage": "production", "before": "none", "by": got[5].told["data"]["by"], "reason": "it is good"},
        ),
        ("model_version_alias.deleted", {"name": name, "alias": "blue"}),
    ]
    assert all(each.is_signed_with(SECRET) for each in got)
    assert not any(each.is_signed_with("another") for each in got)
    assert len({each.headers["x-mlflow-delivery-id"] for each in got}) == 7
    assert {each.headers["content-type"] for each in got} == {"application/json"}


def test_a_bundle_is_told_once_however_often_it_is_registered(
    server: Live, client: Client, receiver: Receiver, tmp_path: Path
) -> None:
    client.hooks.add("ci", receiver.url, ["registered_model.created", "model_version.created"])
    name = f"m{new_id()}"
    (tmp_path / "model.bin").write_bytes(b"weights")
    native = NativeModel(file="model.bin", serialization="none")
    draft = Manifest(name=name, flavour="none", signature=Signature(inputs=(), outputs=()), native=native)
    write_bundle(tmp_path, draft, lock="")

    for _ in range(2):
        client.models.register(tmp_path, project="default")
    with delivering(server):
        got = receiver.wait(2)
        eventually(lambda: client.hooks.show("ci").delivered == 2)

    assert [each.event for each in got] == ["registered_model.created", "model_version.created"]
    assert got[1].told["data"]["run_id"] is None
    assert got[1].told["data"]["source"] == f"models:/{name}/1"
    assert "x-mlflow-signature" not in got[1].headers


def test_what_was_refused_is_not_told(server: Live, client: Client, receiver: Receiver) -> None:
    name = open_model(client)
    client.models.register_source(name, "label")
    hook = client.hooks.add("all", receiver.url, ["model_version_alias.created", "model_version_tag.set"])

    with pytest.raises(NotFound):
        client.models.point_alias(name, "blue", version=7)
    with pytest.raises(BadField):
        client.models.describe(f"{name}@1", tags={"": "x"})

    assert client.hooks.show(hook.id).waiting == 0


def test_a_prompt_is_told_of_as_a_prompt(server: Live, client: Client, receiver: Receiver) -> None:
    events = [
        "prompt.created",
        "prompt_version.created",
        "prompt_tag.set",
        "prompt_tag.deleted",
        "prompt_alias.created",
    ]
    client.hooks.add("prompts", receiver.url, [*events, "registered_model.created"])  # type: ignore[list-item]
    name, mark = f"p{new_id()}", {"mlflow.prompt.is_prompt": "true"}

    client.models.create(name, project="default", tags={**mark, "a": "1"})
    client.models.register_source(name, "prompt-template", tags={**mark, "mlflow.prompt.text": "Hello {{name}}!"})
    client.models.describe(name, tags={"b": "2"}, untag=["a"])
    client.models.point_alias(name, "live", version=1)
    with delivering(server):
        got = receiver.wait(5)

    assert [each.event for each in got] == events
    assert got[0].told["data"]["tags"] == {"a": "1"}
    assert got[1].told["data"]["template"] == "Hello {{name}}!"
    assert got[1].told["data"]["tags"] == {}


# --- how it is delivered ---


@pytest.mark.usefixtures("quick")
def test_a_delivery_is_tried_again_under_the_same_id_and_then_given_up(
    server: Live, client: Client, receiver: Receiver
) -> None:
    hook = client.hooks.add("ci", receiver.url, ["registered_model.created"])
    receiver.answers = [500, 302, 200, 503, 503, 503]

    with delivering(server):
        open_model(client)
        first = receiver.wait(3)
        eventually(lambda: client.hooks.show(hook.id).delivered == 1)
        open_model(client)
        receiver.wait(6)
        eventually(lambda: client.hooks.show(hook.id).given_up == 1)

    assert len({each.headers["x-mlflow-delivery-id"] for each in first}) == 1
    given_up, delivered = client.hooks.deliveries("ci")
    assert (delivered.state, delivered.attempts, delivered.status, delivered.error) == ("delivered", 3, 200, "")
    assert (given_up.state, given_up.attempts, given_up.error) == ("given_up", 3, "it answered 503")
    assert len(receiver.got) == 6


def test_what_failed_waits_a_moment_before_it_is_tried_again(server: Live, client: Client, receiver: Receiver) -> None:
    hook = client.hooks.add("ci", receiver.url, ["registered_model.created"])
    receiver.answers = [500]

    with delivering(server):
        open_model(client)
        receiver.wait(1)
        eventually(lambda: client.hooks.show(hook.id).last is not None)
        eventually(lambda: client.hooks.deliveries("ci")[0].error == "it answered 500")
        kept = client.hooks.deliveries("ci")[0]
        receiver.wait(2)

    assert kept.state == "waiting"
    assert kept.tried_at is not None
    assert kept.due_at - kept.tried_at >= timedelta(seconds=1)


def test_a_slow_receiver_holds_up_no_other(server: Live, client: Client, receiver: Receiver) -> None:
    with receiving() as slow:
        slow.held.set()
        client.hooks.add("slow", slow.url, ["registered_model.created"])
        client.hooks.add("quick", receiver.url, ["registered_model.created"])

        with delivering(server):
            for _ in range(3):
                open_model(client)
            began = time.monotonic()
            receiver.wait(3)
            took_s = time.monotonic() - began
            waiting = client.hooks.show("slow").waiting
            slow.held.clear()
            slow.wait(3)

    assert waiting == 3
    assert took_s < 3


def test_a_server_ends_although_a_receiver_hangs(server: Live, client: Client, receiver: Receiver) -> None:
    receiver.held.set()
    client.hooks.add("slow", receiver.url, ["registered_model.created"])
    couriers = Couriers(server.house.hooks, every_s=0.02)
    couriers.start()
    open_model(client)
    receiver.wait(1)

    began = time.monotonic()
    couriers.stop()
    took_s = time.monotonic() - began

    assert took_s < 4
    assert client.hooks.show("slow").waiting == 1
    receiver.held.clear()
    eventually(lambda: client.hooks.show("slow").delivered == 1)


def test_a_hook_that_is_off_is_told_later_of_what_waited(server: Live, client: Client, receiver: Receiver) -> None:
    hook = client.hooks.add("ci", receiver.url, ["registered_model.created"])
    waited = open_model(client)
    client.hooks.change("ci", is_active=False)
    open_model(client)  # while it is off, it is told of nothing

    with delivering(server):
        time.sleep(0.2)
        assert receiver.got == []
        client.hooks.change("ci", is_active=True)
        got = receiver.wait(1)
        eventually(lambda: client.hooks.show(hook.id).delivered == 1)

    assert [each.told["data"]["name"] for each in got] == [waited]


def test_what_came_while_too_much_waited_is_counted(
    client: Client, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("taxiway.hooks.announcing.MOST_WAITING", 2)
    client.hooks.add("ci", receiver.url, ["registered_model.created"])

    for _ in range(5):
        open_model(client)

    hook = client.hooks.show("ci")
    assert (hook.waiting, hook.dropped) == (2, 3)


def test_only_the_last_deliveries_are_kept(
    server: Live, client: Client, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("taxiway.hooks.service.KEPT_DELIVERIES", 3)
    client.hooks.add("ci", receiver.url, ["registered_model.created"])
    names = [open_model(client) for _ in range(6)]

    with delivering(server):
        got = receiver.wait(6)
        eventually(lambda: client.hooks.show("ci").delivered == 6)

    assert [each.told["data"]["name"] for each in got] == names
    assert len(client.hooks.deliveries("ci")) == 3


def test_a_name_that_leads_elsewhere_by_now_is_not_followed(
    server: Live, client: Client, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = [["93.184.216.34"], ["127.0.0.1"]]  # public when the hook is made, and then within the network
    monkeypatch.setattr(server.house.hooks, "reach", Reach(look_up=lambda host, port: answers.pop(0)))
    client.hooks.add("rebound", f"https://hooks.example:{receiver.port}/", ["registered_model.created"])

    sampled = client.hooks.test("rebound")

    assert not sampled.is_delivered
    assert "127.0.0.1, which is not public" in sampled.error
    assert receiver.got == []


def test_a_sample_is_sent_at_once_and_says_what_came_of_it(client: Client, receiver: Receiver) -> None:
    client.hooks.add("ci", receiver.url, ["model_version.created"], secret=SECRET)
    receiver.answers = [200, 404]

    well, badly = client.hooks.test("ci"), client.hooks.test("ci", "prompt_tag.set")

    assert (well.is_delivered, well.status, well.event) == (True, 200, "model_version.created")
    assert (badly.is_delivered, badly.error, badly.event) == (False, "it answered 404", "prompt_tag.set")
    assert receiver.got[0].is_signed_with(SECRET)
    assert client.hooks.deliveries("ci") == []
