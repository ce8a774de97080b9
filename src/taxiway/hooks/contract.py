"""What the outside sees of hooks."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from msgspec import Meta, Struct

from taxiway.kernel.endpoint import Endpoint, Nothing, Page

Event = Literal[
    "registered_model.created",
    "model_version.created",
    "model_version.promoted",
    "approval.requested",
    "waiver.asked",
    "waiver.granted",
    "waiver.ended",
    "glass.broken",
    "finding.opened",
    "endpoint.stopped",
    "endpoint.rolled_back",
    "alert.opened",
    "review.overdue",
    "review.requested",
    "mention.made",
    "proposal.decided",
    "model_version_tag.set",
    "model_version_tag.deleted",
    "model_version_alias.created",
    "model_version_alias.deleted",
    "prompt.created",
    "prompt_version.created",
    "prompt_tag.set",
    "prompt_tag.deleted",
    "prompt_version_tag.set",
    "prompt_version_tag.deleted",
    "prompt_alias.created",
    "prompt_alias.deleted",
]
State = Literal["waiting", "delivered", "given_up"]

Description = Annotated[str, Meta(max_length=2000)]
Url = Annotated[str, Meta(min_length=1, max_length=2000)]


class Delivery(Struct, frozen=True):
    """One event on its way to one receiver. due_at: when it is tried next, while it waits.

    status: of the last answer; 0 where none came. error: why the last attempt failed.
    """

    id: str
    event: str
    state: State
    attempts: int
    made_at: datetime
    due_at: datetime
    tried_at: datetime | None = None
    status: int = 0
    error: str = ""


class Hook(Struct, frozen=True):
    """An address that is told of events. Its secret is never shown; has_secret says that deliveries are signed.

    waiting: deliveries still to be made. delivered, given_up, dropped: how many ended so since the hook was made;
    those that came while too many waited were dropped.
    """

    id: str
    name: str
    description: str
    url: str
    events: list[str]
    is_active: bool
    has_secret: bool
    made_by: str
    made_at: datetime
    changed_at: datetime
    waiting: int = 0
    delivered: int = 0
    given_up: int = 0
    dropped: int = 0
    last: Delivery | None = None


class AddHook(Struct, frozen=True, forbid_unknown_fields=True):
    """url: https, or http to a host that the server's configuration allows. secret: signs every delivery."""

    name: str
    url: Url
    events: list[Event]
    description: Description = ""
    secret: str = ""
    is_active: bool = True


class ChangeHook(Struct, frozen=True, forbid_unknown_fields=True):
    """What is left out stays. secret: an empty one has deliveries go unsigned."""

    name: str | None = None
    url: Url | None = None
    events: list[Event] | None = None
    description: Description | None = None
    secret: str | None = None
    is_active: bool | None = None


class SendSample(Struct, frozen=True, forbid_unknown_fields=True):
    """event: what a sample is sent of; by default the first that the hook is told of."""

    event: Event | None = None


class Sampled(Struct, frozen=True):
    """What a receiver made of a sample. status: 0 where no answer came, and error says why."""

    event: str
    is_delivered: bool
    status: int
    error: str
    took_ms: float


class ListDeliveries(Struct, frozen=True, forbid_unknown_fields=True):
    limit: Annotated[int, Meta(ge=1, le=1000)] = 20


add_hook = Endpoint("POST", "/api/hooks", AddHook, Hook, "hooks.write", "Tell an address of events", "platform")
list_hooks = Endpoint("GET", "/api/hooks", Nothing, Page[Hook], "hooks.read", "Every hook", "platform")
show_hook = Endpoint("GET", "/api/hooks/{hook}", Nothing, Hook, "hooks.read", "A hook by name or id", "platform")
change_hook = Endpoint("PATCH", "/api/hooks/{hook}", ChangeHook, Hook, "hooks.write", "Change a hook", "platform")
remove_hook = Endpoint(
    "DELETE", "/api/hooks/{hook}", Nothing, Hook, "hooks.write", "Remove a hook and what waits for it", "platform"
)
send_sample = Endpoint(
    "POST", "/api/hooks/{hook}/test", SendSample, Sampled, "hooks.write", "Send a sample to a hook now", "platform"
)
list_deliveries = Endpoint(
    "GET",
    "/api/hooks/{hook}/deliveries",
    ListDeliveries,
    Page[Delivery],
    "hooks.read",
    "A hook's last deliveries, newest first",
    "platform",
)
