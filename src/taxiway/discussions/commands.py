"""The CLI of discussions."""

from __future__ import annotations

from argparse import Namespace
from typing import TYPE_CHECKING

from taxiway.access.roles import ROLES
from taxiway.discussions.contract import ANSWERS, Comment, Thread
from taxiway.discussions.rules import unheard
from taxiway.kernel.commands import Argument, Command, count

if TYPE_CHECKING:
    from taxiway.client import Client

DISCUSSION = Argument("discussion", "the discussion's id")
THING = Argument("thing", "what it is about, such as model:mortgage@3")
TEXT = Argument("text", "what to say, in Markdown; @name tells people")
NUMBER = Argument("number", "which comment, as `show` numbers them", count)
COLUMNS = ("id", "state", "thing", "opening", "by", "waits_for", "last_at")


def list_(client: Client, given: Namespace) -> list[Thread]:
    return client.discussions.list(given.thing, project=given.project, state=given.state, whom=given.whom)


def show(client: Client, given: Namespace) -> Thread:
    return client.discussions.show(given.discussion)


def say(client: Client, given: Namespace) -> Thread:
    return client.discussions.say(given.thing, given.text)


def ask(client: Client, given: Namespace) -> Thread:
    return client.discussions.ask(given.thing, given.text, people=given.person or [], role=given.role)


def reply(client: Client, given: Namespace) -> Thread:
    return client.discussions.reply(given.discussion, given.text, answer=given.answer)


def edit(client: Client, given: Namespace) -> Thread:
    return client.discussions.edit(given.discussion, given.number, given.text)


def withdraw(client: Client, given: Namespace) -> Thread:
    return client.discussions.withdraw(given.discussion, given.number)


def resolve(client: Client, given: Namespace) -> Thread:
    return client.discussions.resolve(given.discussion, given.comment)


def reopen(client: Client, given: Namespace) -> Thread:
    return client.discussions.reopen(given.discussion, given.comment)


def tell(thread: Thread) -> str:
    """A discussion as it reads."""
    done = f", resolved by {thread.resolved_by} at {thread.resolved_at:%Y-%m-%d %H:%M}" if thread.resolved_at else ""
    waits = f"; waits for {', '.join(thread.waits_for)}" if thread.waits_for and thread.is_open else ""
    head = f"{thread.id} about {thread.thing}: {thread.state}{done}{waits}"
    return "\n\n".join([head, *map(tell_comment, thread.comments)])


def tell_comment(comment: Comment) -> str:
    edited = ", changed later" if comment.edits else ""
    answer = f" ({comment.answer})" if comment.answer else ""
    head = f"{comment.number}. {comment.by}{answer}, {comment.at:%Y-%m-%d %H:%M}{edited}"
    text = comment.text if comment.withdrawn_at is None else f"[withdrawn at {comment.withdrawn_at:%Y-%m-%d %H:%M}]"
    missed = unheard(comment.text, comment.mentions, comment.by)
    told = [f"   (nobody called {' or '.join(missed)} may read this: not told)"] if missed else []
    return "\n".join([head, *(f"   {line}" for line in text.splitlines()), *told])


LAST_WORD = Argument("--comment", "a last word", default="")

COMMANDS = (
    Command(
        "list",
        "discussions, the latest word first",
        list_,
        (
            Argument("--thing", "only those of this thing; model:NAME for all its versions", default=""),
            Argument("--project", "only this project's", default=""),
            Argument("--state", "open by default", default="open", choices=("open", "resolved", "all")),
            Argument("--whom", "only those that this person began, spoke in or was asked in", default=""),
        ),
        columns=COLUMNS,
    ),
    Command("show", "what was said in a discussion", show, (DISCUSSION,), show=tell),
    Command("say", "begin a discussion of a thing", say, (THING, TEXT), show=tell),
    Command(
        "ask",
        "ask people to look at a thing",
        ask,
        (
            THING,
            TEXT,
            Argument("--person", "whom; several times for several", is_many=True),
            Argument("--role", "whoever holds this role instead; one answers for all", default="", choices=ROLES),
        ),
        show=tell,
    ),
    Command(
        "reply",
        "say something in a discussion",
        reply,
        (
            DISCUSSION,
            TEXT,
            Argument("--answer", "where you were asked to look: what you found", default="", choices=ANSWERS),
        ),
        show=tell,
    ),
    Command("edit", "change what you said", edit, (DISCUSSION, NUMBER, TEXT), show=tell),
    Command("withdraw", "take back what you said; a mark stays", withdraw, (DISCUSSION, NUMBER), show=tell),
    Command("resolve", "say that a discussion is settled", resolve, (DISCUSSION, LAST_WORD), show=tell),
    Command("reopen", "open a discussion again", reopen, (DISCUSSION, LAST_WORD), show=tell),
)
