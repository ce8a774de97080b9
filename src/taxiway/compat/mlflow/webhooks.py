"""Webhooks as MLflow's client makes and reads them: our hooks, with what they tell named as it names that."""

from __future__ import annotations

from typing import Literal, cast, get_args

from msgspec import Struct

from taxiway.compat.mlflow.call import Call, Given, Int64, Void
from taxiway.compat.mlflow.door import Dialect
from taxiway.compat.mlflow.names import in_ms
from taxiway.compat.mlflow.paging import page, page_size
from taxiway.compat.mlflow.refusals import invalid
from taxiway.hooks.contract import AddHook, ChangeHook, Event, Hook, SendSample
from taxiway.hooks.service import Hooks
from taxiway.kernel.caller import Caller

MOST_LISTED = 1000
LONGEST = {"url": 2000, "description": 2000}
# What the client has no word for, and would choke on.
OURS = ("model_version.promoted", "approval.requested", "alert.opened", "review.overdue")
EVENTS: tuple[Event, ...] = tuple(event for event in get_args(Event) if event not in OURS)

Status = Literal["ACTIVE", "DISABLED"]


class EventOf(Struct, frozen=True):
    """In capitals, as the client writes and reads them."""

    entity: Given
    action: Given


class CreateWebhook(Struct, frozen=True):
    name: Given
    url: Given
    events: list[EventOf]
    description: str = ""
    secret: str = ""
    status: Status | None = None


class ListWebhooks(Struct, frozen=True):
    max_results: Int64 | None = None
    page_token: str = ""


class WebhookNamed(Struct, frozen=True):
    webhook_id: Given


class UpdateWebhook(Struct, frozen=True):
    webhook_id: Given
    name: str = ""
    url: str = ""
    description: str | None = None
    events: list[EventOf] = []
    secret: str | None = None
    status: Status | None = None


class SampleWebhook(Struct, frozen=True):
    webhook_id: Given
    event: EventOf | None = None


class Webhook(Struct, frozen=True, omit_defaults=True):
    """Never with its secret."""

    webhook_id: str
    name: str
    url: str
    events: list[EventOf]
    status: Status
    creation_timestamp: int
    last_updated_timestamp: int
    description: str = ""


class WebhookAnswer(Struct, frozen=True):
    webhook: Webhook


class WebhooksAnswer(Struct, frozen=True, omit_defaults=True):
    webhooks: list[Webhook] = []
    next_page_token: str = ""


class Result(Struct, frozen=True):
    """What a receiver made of a sample; what it wrote into its answer is nobody's here."""

    success: bool
    response_status: int | None = None
    error_message: str | None = None


class ResultAnswer(Struct, frozen=True):
    result: Result


AT = "/mlflow/webhooks"
create = Call("POST", AT, CreateWebhook, WebhookAnswer, "hooks.write", "platform")
listed = Call("GET", AT, ListWebhooks, WebhooksAnswer, "hooks.read", "platform")
get = Call("GET", f"{AT}/{{webhook_id}}", WebhookNamed, WebhookAnswer, "hooks.read", "platform")
update = Call("PATCH", f"{AT}/{{webhook_id}}", UpdateWebhook, WebhookAnswer, "hooks.write", "platform")
delete = Call("DELETE", f"{AT}/{{webhook_id}}", WebhookNamed, Void, "hooks.write", "platform", body="none")
test = Call("POST", f"{AT}/{{webhook_id}}/test", SampleWebhook, ResultAnswer, "hooks.write", "platform")


class WebhookCalls:
    """The handlers. The hooks that tell only what the client has no word for are not shown to it."""

    def __init__(self, hooks: Hooks) -> None:
        self.hooks = hooks

    def bind(self, dialect: Dialect) -> None:
        dialect.serve(create, self.create)
        dialect.serve(listed, self.list)
        dialect.serve(get, self.get)
        dialect.serve(update, self.update)
        dialect.serve(delete, self.delete)
        dialect.serve(test, self.test)

    def create(self, caller: Caller, ask: CreateWebhook) -> WebhookAnswer:
        check_lengths(ask)
        events = [event_of(each) for each in ask.events]
        body = AddHook(ask.name, ask.url, events, ask.description, ask.secret, ask.status != "DISABLED")
        return WebhookAnswer(shown(self.hooks.add(caller, body)))

    def list(self, caller: Caller, ask: ListWebhooks) -> WebhooksAnswer:
        size = page_size(ask.max_results, usual=100, most=MOST_LISTED)
        known = [hook for hook in self.hooks.list(caller).items if known_to_client(hook)]
        rows, token = page(known, size=size, token=ask.page_token)
        return WebhooksAnswer([shown(hook) for hook in rows], token)

    def get(self, caller: Caller, ask: WebhookNamed) -> WebhookAnswer:
        return WebhookAnswer(shown(self.hooks.show(caller, hook=ask.webhook_id)))

    def update(self, caller: Caller, ask: UpdateWebhook) -> WebhookAnswer:
        """What is not sent stays; an empty secret is taken away."""
        check_lengths(ask)
        hook = self.hooks.show(caller, hook=ask.webhook_id)
        # What only we have a word for was not the client's to take away.
        kept = [event for event in hook.events if event in OURS]
        events = cast("list[Event]", [*[event_of(each) for each in ask.events], *kept]) if ask.events else None
        body = ChangeHook(
            name=ask.name or None,
            url=ask.url or None,
            events=events,
            description=ask.description,
            secret=ask.secret,
            is_active=None if ask.status is None else ask.status == "ACTIVE",
        )
        return WebhookAnswer(shown(self.hooks.change(caller, body, hook=hook.id)))

    def delete(self, caller: Caller, ask: WebhookNamed) -> Void:
        self.hooks.remove(caller, hook=ask.webhook_id)
        return Void()

    def test(self, caller: Caller, ask: SampleWebhook) -> ResultAnswer:
        event = event_of(ask.event) if ask.event else None
        sampled = self.hooks.test(caller, SendSample(event), hook=ask.webhook_id)
        return ResultAnswer(Result(sampled.is_delivered, sampled.status or None, sampled.error or None))


def known_to_client(hook: Hook) -> list[str]:
    """The events of a hook that MLflow's client knows."""
    return [event for event in hook.events if event not in OURS]


def check_lengths(ask: CreateWebhook | UpdateWebhook) -> None:
    """Raises ParameterInvalid."""
    for name, most in LONGEST.items():
        text = getattr(ask, name) or ""
        if len(text) > most:
            raise invalid(name, text, f"at most {most} characters")


def event_of(given: EventOf) -> Event:
    """Raises ParameterInvalid."""
    found = f"{given.entity}.{given.action}".lower()
    if found not in EVENTS:
        raise invalid("event", found, f"one of those that happen here: {', '.join(EVENTS)}")
    return found


def shown(hook: Hook) -> Webhook:
    pairs = [event.upper().split(".") for event in known_to_client(hook)]
    return Webhook(
        webhook_id=hook.id,
        name=hook.name,
        url=hook.url,
        events=[EventOf(entity, action) for entity, action in pairs],
        status="ACTIVE" if hook.is_active else "DISABLED",
        creation_timestamp=in_ms(hook.made_at),
        last_updated_timestamp=in_ms(hook.changed_at),
        description=hook.description,
    )
