"""Whom a discussion tells of what: who was mentioned or asked, and who has part in it."""

from __future__ import annotations

from collections.abc import Collection

from taxiway.audit.service import Record
from taxiway.discussions.contract import Comment, Thread
from taxiway.hooks.announcing import announce
from taxiway.kernel.thing import href
from taxiway.notices.contract import NoticeKind
from taxiway.notices.telling import News, tell
from taxiway.web.entries import short_ref

MOST_QUOTED = 300


def tell_asked(record: Record, thread: Thread, said: Comment) -> None:
    """The hooks; the inbox of who was asked follows from the discussion itself."""
    told = {"discussion": thread.id, "thing": thread.thing, "by": said.by, "asked": thread.asked}
    announce(record, "review.requested", told | {"text": quoted(said.text), "url": page_of(thread)})


def tell_said(record: Record, thread: Thread, said: Comment, *, others: Collection[str]) -> None:
    """Who is mentioned hears of it, and so does who has part in the discussion; nobody twice, or of themselves."""
    name = short_ref(thread.thing)
    news(record, thread, said, "mention", said.mentions, f"{said.by} mentioned you: {name}")
    rest = [each for each in others if each not in said.mentions]
    news(record, thread, said, "reply", rest, f"{said.by} said something about {name}")
    if said.mentions:
        told = {"discussion": thread.id, "thing": thread.thing, "by": said.by, "mentioned": said.mentions}
        announce(record, "mention.made", told | {"text": quoted(said.text), "url": page_of(thread)})


def news(record: Record, thread: Thread, said: Comment, kind: NoticeKind, people: Collection[str], what: str) -> None:
    told = News(kind, what, url=page_of(thread), thing=thread.thing, project=thread.project, note=quoted(said.text))
    tell(record, people, told)


def page_of(thread: Thread) -> str:
    """Where the discussion stands on the page of its thing."""
    return f"{href(thread.thing).partition('#')[0]}#discussion-{thread.id}"


def quoted(text: str) -> str:
    return text if len(text) <= MOST_QUOTED else f"{text[: MOST_QUOTED - 1]}…"
