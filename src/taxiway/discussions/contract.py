"""What the outside sees of discussions."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from msgspec import Meta, Struct

from taxiway.access.roles import Role
from taxiway.kernel.endpoint import Endpoint, Nothing, Page

ThreadState = Literal["open", "resolved"]
Answer = Literal["agree", "comment", "decline"]
ANSWERS: tuple[Answer, ...] = ("agree", "comment", "decline")
MOST_ASKED = 20

Text = Annotated[str, Meta(max_length=20_000)]
Ref = Annotated[str, Meta(max_length=400)]


class Edit(Struct, frozen=True):
    """What a comment said before it was changed. at: when it was changed."""

    at: datetime
    text: str


class Comment(Struct, frozen=True, kw_only=True):
    """One comment, in Markdown. mentions: who was told of it. edits: what it said before, oldest first.

    answer: of somebody who was asked to look. One that was withdrawn says nothing any more, and stays.
    """

    number: int
    by: str
    at: datetime
    text: str
    answer: Answer | Literal[""] = ""
    mentions: list[str] = []
    edits: list[Edit] = []
    withdrawn_at: datetime | None = None


class Thread(Struct, frozen=True, kw_only=True):
    """A discussion of a thing. project: empty where the thing is the platform's own. opening: its first line.

    asked: who was asked to look at the thing; with a role, any one of them answers for all. waits_for: those of them
    who have not answered.
    """

    id: str
    thing: str
    project: str
    state: ThreadState = "open"
    opening: str = ""
    by: str
    at: datetime
    last_at: datetime
    asked: list[str] = []
    role: Role | Literal[""] = ""
    waits_for: list[str] = []
    resolved_by: str = ""
    resolved_at: datetime | None = None
    comments: list[Comment] = []

    @property
    def ref(self) -> str:
        return f"discussion:{self.id}"

    @property
    def is_open(self) -> bool:
        return self.state == "open"


class StartThread(Struct, frozen=True, forbid_unknown_fields=True):
    """thing: such as ``model:mortgage@3``. asked, role: who is asked to look at it, by name or whoever holds a role."""

    thing: Ref
    text: Text
    asked: Annotated[list[str], Meta(max_length=MOST_ASKED)] = []
    role: Role | Literal[""] = ""


class Reply(Struct, frozen=True, forbid_unknown_fields=True):
    """answer: of somebody who was asked to look: they agree, only remark, or decline to look."""

    text: Text = ""
    answer: Answer | Literal[""] = ""


class EditComment(Struct, frozen=True, forbid_unknown_fields=True):
    text: Text


class TurnThread(Struct, frozen=True, forbid_unknown_fields=True):
    """state: what the discussion becomes. comment: a last word."""

    state: ThreadState
    comment: Text = ""


class ListThreads(Struct, frozen=True, forbid_unknown_fields=True):
    """What is given must hold. thing: also `model:NAME` for all its versions. whom: who began it, said something or
    was asked."""

    thing: Ref = ""
    project: str = ""
    state: Literal["open", "resolved", "all"] = "open"
    whom: str = ""
    limit: Annotated[int, Meta(ge=1, le=500)] = 100


start_thread = Endpoint(
    "POST", "/api/discussions", StartThread, Thread, "discussions.say", "Begin a discussion of a thing", "platform"
)
list_threads = Endpoint(
    "GET",
    "/api/discussions",
    ListThreads,
    Page[Thread],
    "discussions.read",
    "The discussions one may read, the latest word first",
    "platform",
)
show_thread = Endpoint(
    "GET", "/api/discussions/{discussion}", Nothing, Thread, "discussions.read", "A discussion", "platform"
)
reply = Endpoint(
    "POST",
    "/api/discussions/{discussion}/comments",
    Reply,
    Thread,
    "discussions.say",
    "Say something in a discussion",
    "platform",
)
edit_comment = Endpoint(
    "PATCH",
    "/api/discussions/{discussion}/comments/{number:int}",
    EditComment,
    Thread,
    "discussions.say",
    "Change what one said; what it said before stays readable",
    "platform",
)
withdraw_comment = Endpoint(
    "POST",
    "/api/discussions/{discussion}/comments/{number:int}/withdrawal",
    Nothing,
    Thread,
    "discussions.say",
    "Take back what one said; a mark stays",
    "platform",
)
turn_thread = Endpoint(
    "POST",
    "/api/discussions/{discussion}/state",
    TurnThread,
    Thread,
    "discussions.say",
    "Resolve a discussion, or open it again",
    "platform",
)
