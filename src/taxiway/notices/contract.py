"""What the outside sees of notices."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from msgspec import Meta, Struct

from taxiway.kernel.endpoint import Endpoint, Nothing, Page

# The first ones are to be done and leave by themselves when they are; the others tell of something.
TodoKind = Literal["approval", "waiver", "review", "look", "finding", "proposal", "alert", "step"]
NewsKind = Literal["mention", "reply", "granted", "glass", "warned", "stopped", "fell_back", "decided"]
NoticeKind = Literal[
    "approval",
    "waiver",
    "review",
    "look",
    "finding",
    "proposal",
    "alert",
    "step",
    "mention",
    "reply",
    "granted",
    "glass",
    "warned",
    "stopped",
    "fell_back",
    "decided",
]
Show = Literal["waiting", "unread", "all", "done"]
Delivery = Literal["at_once", "daily", "none"]
DELIVERIES: tuple[Delivery, ...] = ("at_once", "daily", "none")
MOST_AT_ONCE = 500

Address = Annotated[str, Meta(max_length=254)]


class Notice(Struct, frozen=True, kw_only=True):
    """One thing that waits for a person, or that they should know. what: in words, such as "approve mortgage v3".

    is_todo: it leaves by itself once it is done by whoever may. note: what was said. done_at: set aside by the person.
    gone_at: it waits no more.
    """

    id: str
    kind: NoticeKind
    is_todo: bool
    project: str
    thing: str
    what: str
    note: str = ""
    url: str
    by: str = ""
    made_at: datetime
    read_at: datetime | None = None
    done_at: datetime | None = None
    gone_at: datetime | None = None

    @property
    def is_waiting(self) -> bool:
        return self.done_at is None and self.gone_at is None

    @property
    def counts(self) -> bool:
        """Whether the number at the head of every page counts it: what is to be done, and what is new."""
        return self.is_waiting and (self.is_todo or self.read_at is None)


class ListNotices(Struct, frozen=True, forbid_unknown_fields=True):
    """show: by default what waits. What else is given must hold. before: the id of the last one seen."""

    show: Show = "waiting"
    kind: NoticeKind | Literal[""] = ""
    project: str = ""
    before: str = ""
    limit: Annotated[int, Meta(ge=1, le=MOST_AT_ONCE)] = 100


class MarkNotices(Struct, frozen=True, forbid_unknown_fields=True):
    """notices: their ids; none is all that wait. state: what they become."""

    state: Literal["read", "unread", "done", "waiting"]
    notices: Annotated[list[str], Meta(max_length=MOST_AT_ONCE)] = []


class Marked(Struct, frozen=True):
    """How many notices were changed, and how many count now."""

    changed: int
    counting: int


class Preferences(Struct, frozen=True):
    """Whether and where a person gets notices by e-mail. hour: of the daily one, in UTC.

    is_offered: whether this server can send any.
    """

    person: str
    address: str
    delivery: Delivery
    hour: int
    is_offered: bool = False


class ChangePreferences(Struct, frozen=True, forbid_unknown_fields=True):
    """What is left out stays."""

    address: Address | None = None
    delivery: Delivery | None = None
    hour: Annotated[int, Meta(ge=0, le=23)] | None = None


class Letter(Struct, frozen=True):
    """One e-mail on its way: it waits, was sent, was given up after many attempts, or was needless because nothing of
    it waited any more. error: why the last attempt failed."""

    id: str
    person: str
    kind: str
    state: Literal["waiting", "sent", "given_up", "needless"]
    attempts: int
    made_at: datetime
    due_at: datetime
    tried_at: datetime | None = None
    error: str = ""


list_notices = Endpoint(
    "GET",
    "/api/notices",
    ListNotices,
    Page[Notice],
    "access.self",
    "What waits for oneself, and what one should know; newest first",
    "platform",
)
mark_notices = Endpoint(
    "POST", "/api/notices/marks", MarkNotices, Marked, "access.self", "Say what one has read or done", "platform"
)
show_preferences = Endpoint(
    "GET",
    "/api/notices/preferences",
    Nothing,
    Preferences,
    "access.self",
    "Whether and where one gets notices by e-mail",
    "platform",
)
change_preferences = Endpoint(
    "PATCH",
    "/api/notices/preferences",
    ChangePreferences,
    Preferences,
    "access.self",
    "Choose whether and where one gets notices by e-mail",
    "platform",
)
list_letters = Endpoint(
    "GET",
    "/api/notices/letters",
    Nothing,
    Page[Letter],
    "hooks.read",
    "E-mails that wait and the last ones that went out or were given up",
    "platform",
)
