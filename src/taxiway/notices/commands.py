"""The CLI of notices."""

from __future__ import annotations

from argparse import ArgumentTypeError, Namespace
from typing import TYPE_CHECKING, get_args

from taxiway.kernel.commands import Argument, Command
from taxiway.notices.contract import DELIVERIES, Letter, Marked, Notice, NoticeKind, Preferences, Show

if TYPE_CHECKING:
    from taxiway.client import Client

NOTICES = Argument("--notice", "its id; several times for several (default: all that wait)", is_many=True)


def hour(text: str) -> int:
    """An hour of the day; argparse shows the complaint."""
    if not text.isascii() or not text.isdigit() or int(text) > 23:
        raise ArgumentTypeError(f"{text!r} is no hour from 0 to 23")
    return int(text)


def list_(client: Client, given: Namespace) -> list[Notice]:
    return client.notices.list(show=given.show, kind=given.kind, project=given.project)


def mark(client: Client, given: Namespace) -> Marked:
    return client.notices.mark(given.state, given.notice or [])


def prefer(client: Client, given: Namespace) -> Preferences:
    if given.address is None and given.delivery is None and given.hour is None:
        return client.notices.preferences()
    return client.notices.prefer(address=given.address, delivery=given.delivery, hour=given.hour)


def letters(client: Client, given: Namespace) -> list[Letter]:
    return client.notices.letters()


COMMANDS = (
    Command(
        "list",
        "your inbox: what waits for you, and what you should know",
        list_,
        (
            Argument("--show", "waiting by default", default="waiting", choices=get_args(Show)),
            Argument("--kind", "only these", default="", choices=get_args(NoticeKind)),
            Argument("--project", "only this project's", default=""),
        ),
        columns=("id", "kind", "what", "project", "by", "made_at", "read_at", "url"),
    ),
    Command(
        "mark",
        "say what you have read or done",
        mark,
        (Argument("state", "what it becomes", choices=("read", "unread", "done", "waiting")), NOTICES),
    ),
    Command(
        "prefer",
        "choose whether and where you get notices by e-mail; without options show it",
        prefer,
        (
            Argument("--address", "where it goes"),
            Argument("--delivery", "when", choices=DELIVERIES),
            Argument("--hour", "of the daily one, in UTC", hour),
        ),
    ),
    Command(
        "letters",
        "e-mails that wait, went out or were given up; for admins",
        letters,
        columns=("id", "person", "kind", "state", "attempts", "made_at", "tried_at", "error"),
    ),
)
