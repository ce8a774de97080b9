"""Programs that make webhooks with MLflow's client, and receivers that were written for MLflow's server."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from taxiway.hooks.addresses import Reach
from tests.compat.mlflow.conftest import Tracking
from tests.hooks.receiver import Receiver, delivering, receiving


@pytest.fixture
def receiver(tracking: Tracking) -> Iterator[Receiver]:
    tracking.live.house.hooks.reach = Reach(["127.0.0.1"])
    with receiving() as receiver:
        yield receiver
    for hook in tracking.live.client.hooks.list():
        tracking.live.client.hooks.remove(hook.id)


def test_webhooks_are_made_listed_changed_tried_and_deleted(tracking: Tracking, receiver: Receiver) -> None:
    def script(mlflow: Any, client: Any, *, at: str) -> Any:
        from mlflow.entities.webhook import WebhookEvent
        from mlflow.exceptions import MlflowException

        def words(hook: Any) -> Any:
            return [hook.name, hook.url, sorted(map(str, hook.events)), str(hook.status), hook.description, hook.secret]

        events = ["model_version.created", "prompt_tag.set"]
        made = client.create_webhook("ci", at, events, description="tells CI", secret="hidden")
        other = client.create_webhook("other", at, ["registered_model.created"], status="DISABLED")
        first = client.list_webhooks(max_results=1)
        rest = client.list_webhooks(max_results=1, page_token=first.token)
        tried = client.test_webhook(made.webhook_id)
        chosen = client.test_webhook(made.webhook_id, WebhookEvent.from_str("model_version_alias.created"))
        changed = client.update_webhook(
            made.webhook_id, name="cd", events=["model_version_tag.set"], status="DISABLED", description=""
        )
        client.delete_webhook(other.webhook_id)
        try:
            client.get_webhook(other.webhook_id)
            gone = ""
        except MlflowException as e:
            gone = e.error_code
        return {
            "made": words(made),
            "got": words(client.get_webhook(made.webhook_id)) == words(changed),
            "pages": [[hook.name for hook in page] for page in (first, rest)],
            "last": rest.token in (None, ""),
            "tried": [[t.success, t.response_status, t.response_body, t.error_message] for t in (tried, chosen)],
            "changed": words(changed),
            "later": changed.last_updated_timestamp >= made.creation_timestamp > 1_600_000_000_000,
            "gone": gone,
        }

    receiver.answers = [200, 418]
    told = tracking.run(script, at=receiver.url)

    assert told == {
        "made": ["ci", receiver.url, ["model_version.created", "prompt_tag.set"], "ACTIVE", "tells CI", None],
        "got": True,
        "pages": [["ci"], ["other"]],
        "last": True,
        "tried": [[True, 200, None, None], [False, 418, None, "it answered 418"]],
        "changed": ["cd", receiver.url, ["model_version_tag.set"], "DISABLED", None, None],
        "later": True,
        "gone": "RESOURCE_DOES_NOT_EXIST",
    }
    assert [got.event for got in receiver.got] == ["model_version.created", "model_version_alias.created"]
    assert all(got.is_signed_with("hidden") for got in receiver.got)


def test_what_the_client_changes_is_told_as_mlflows_server_tells_it(tracking: Tracking, receiver: Receiver) -> None:
    def script(mlflow: Any, client: Any, *, at: str) -> Any:
        events = ["registered_model.created", "model_version.created", "model_version_tag.set"]
        events += ["model_version_tag.deleted", "model_version_alias.created", "model_version_alias.deleted"]
        client.create_webhook("all", at, events, secret="hidden")
        client.create_registered_model("hooked", {"team": "risk"}, "words")
        client.create_model_version("hooked", "runs:/abc/model", "abc", tags={"a": "1"}, description="first")
        client.set_model_version_tag("hooked", "1", "b", "2")
        client.delete_model_version_tag("hooked", "1", "b")
        client.set_registered_model_alias("hooked", "blue", "1")
        client.delete_registered_model_alias("hooked", "blue")
        return [1]

    with delivering(tracking.live):
        tracking.run(script, at=receiver.url)
        got = receiver.wait(6)

    one = {"name": "hooked", "version": "1"}
    source = {"source": "runs:/abc/model", "run_id": "abc", "tags": {"a": "1"}, "description": "first"}
    assert [(each.event, each.told["data"]) for each in got] == [
        ("registered_model.created", {"name": "hooked", "tags": {"team": "risk"}, "description": "words"}),
        ("model_version.created", one | source),
        ("model_version_tag.set", {**one, "key": "b", "value": "2"}),
        ("model_version_tag.deleted", {**one, "key": "b"}),
        ("model_version_alias.created", {"name": "hooked", "alias": "blue", "version": "1"}),
        ("model_version_alias.deleted", {"name": "hooked", "alias": "blue"}),
    ]
    assert all(set(each.told) == {"entity", "action", "timestamp", "data"} for each in got)
    assert all(each.is_signed_with("hidden") for each in got)


def test_prompts_are_told_of_as_mlflows_server_tells_of_them(tracking: Tracking, receiver: Receiver) -> None:
    def script(mlflow: Any, client: Any, *, at: str) -> Any:
        events = ["prompt.created", "prompt_version.created", "prompt_alias.created", "registered_model.created"]
        client.create_webhook("prompts", at, [*events, "model_version.created", "model_version_alias.created"])
        made = mlflow.genai.register_prompt("greeting", "Hello {{name}}", commit_message="first", tags={"a": "b"})
        mlflow.genai.set_prompt_alias("greeting", "live", made.version)
        return mlflow.genai.load_prompt("prompts:/greeting@live").template

    with delivering(tracking.live):
        template = tracking.run(script, at=receiver.url)
        got = receiver.wait(3)

    assert template == "Hello {{name}}"
    assert [each.event for each in got] == ["prompt.created", "prompt_version.created", "prompt_alias.created"]
    assert got[1].told["data"] | {"tags": {}} == {
        "name": "greeting",
        "version": "1",
        "template": "Hello {{name}}",
        "tags": {},
        "description": "first",
    }
    assert got[1].told["data"]["tags"]["a"] == "b"
    assert "mlflow.prompt.text" not in got[1].told["data"]["tags"]


def test_a_hook_with_events_of_our_own_troubles_the_client_in_nothing(tracking: Tracking, receiver: Receiver) -> None:
    def script(mlflow: Any, client: Any) -> Any:
        shown = client.list_webhooks()
        for hook in shown:
            client.update_webhook(hook.webhook_id, events=["prompt.created"])
        return [[hook.name, list(map(str, hook.events))] for hook in shown]

    hooks = tracking.live.client.hooks
    hooks.add("ours", receiver.url, ["model_version.promoted"])
    hooks.add("both", receiver.url, ["model_version.promoted", "model_version.created"])

    assert tracking.run(script) == [["both", ["model_version.created"]]]
    assert hooks.show("both").events == ["prompt.created", "model_version.promoted"]


ODD: list[tuple[dict[str, Any], str]] = [
    ({"url": "https://127.0.0.2/"}, "may not be told"),
    ({"url": "http://a.example/"}, "may not be told"),
    ({"url": "ftp://a.example/"}, "url"),
    ({"url": ""}, "Missing value for required parameter 'url'"),
    ({"name": "Not good"}, "name"),
    ({"events": []}, "events"),
    ({"events": "x"}, "events"),
    ({"events": [{"entity": "BUDGET_POLICY", "action": "EXCEEDED"}]}, "those that happen here"),
    ({"events": [{"entity": "MODEL_VERSION", "action": "EXCEEDED"}]}, "those that happen here"),
    ({"status": "PAUSED"}, "status"),
    ({"secret": 7}, "secret"),
    ({"secret": "s" * 1001}, "at most 1000"),
    ({"url": "https://a.example/" + "a" * 2000}, "at most 2000"),
]


@pytest.mark.parametrize(("odd", "said"), ODD)
def test_odd_webhooks_are_refused_and_none_is_made(
    tracking: Tracking, receiver: Receiver, odd: dict[str, Any], said: str
) -> None:
    event = {"entity": "MODEL_VERSION", "action": "CREATED"}
    told = tracking.call("POST", "/webhooks", {"name": "a", "url": receiver.url, "events": [event], **odd})

    assert (told.status, told.code) == (400, "INVALID_PARAMETER_VALUE")
    assert said in told.message
    assert tracking.call("GET", "/webhooks").body == {}
