"""The CLI of hooks."""

from __future__ import annotations

import sys
from argparse import Namespace
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, get_args

from msgspec import Struct
from msgspec.structs import asdict

from taxiway.hooks.contract import Delivery, Event, Hook, Sampled
from taxiway.kernel.commands import Argument, Command
from taxiway.kernel.show import as_facts, as_table

if TYPE_CHECKING:
    from taxiway.client import Client

HOOK = Argument("hook", "the hook's name or id")
EVENTS = ", ".join(get_args(Event))
EVENT = Argument("--event", f"what it is told of: {EVENTS}", is_many=True)
SECRET = Argument("--secret-file", "a file with the secret that signs deliveries; - reads it from the input")
DESCRIPTION = Argument("--description", "what it is for")
COLUMNS = ("name", "url", "events", "is_active", "waiting", "delivered", "given_up", "dropped", "last.error")
OF_DELIVERIES = ("id", "event", "state", "attempts", "made_at", "tried_at", "status", "error")
SHOWN = 20
INPUT = "-"


class Shown(Struct, frozen=True):
    """A hook and its last deliveries."""

    hook: Hook
    deliveries: Sequence[Delivery]


def add(client: Client, given: Namespace) -> Hook:
    secret = secret_of(given) or ""
    return client.hooks.add(
        given.name, given.url, given.event or [], secret=secret, description=given.description or ""
    )


def list_(client: Client, given: Namespace) -> Sequence[Hook]:
    return client.hooks.list()


def show(client: Client, given: Namespace) -> Shown:
    return Shown(client.hooks.show(given.hook), client.hooks.deliveries(given.hook, SHOWN))


def tell(shown: Shown) -> str:
    facts = {name: value for name, value in asdict(shown.hook).items() if name != "last"}
    rows = [asdict(delivery) for delivery in shown.deliveries]
    return f"{as_facts(facts)}\n\n{as_table(rows, OF_DELIVERIES) if rows else 'Nothing was to be delivered yet.'}"


def change(client: Client, given: Namespace) -> Hook:
    is_active = True if given.on else False if given.off else None
    return client.hooks.change(
        given.hook,
        name=given.name,
        url=given.url,
        events=given.event or None,
        secret="" if given.no_secret else secret_of(given),
        description=given.description,
        is_active=is_active,
    )


def remove(client: Client, given: Namespace) -> Hook:
    return client.hooks.remove(given.hook)


def test(client: Client, given: Namespace) -> Sampled:
    return client.hooks.test(given.hook, given.event)


def secret_of(given: Namespace) -> str | None:
    """The secret in the file that was named, without the end of its line; never an argument, which others see."""
    if not given.secret_file:
        return None
    text = sys.stdin.read() if given.secret_file == INPUT else Path(given.secret_file).read_text(encoding="utf-8")
    return text.rstrip("\r\n")


COMMANDS = (
    Command(
        "add",
        "tell an address of events",
        add,
        (
            Argument("name", "what to call it"),
            Argument("url", "where it listens: https://…"),
            EVENT,
            SECRET,
            DESCRIPTION,
        ),
    ),
    Command("list", "every hook, and how its deliveries went", list_, columns=COLUMNS),
    Command("show", "a hook and its last deliveries", show, (HOOK,), show=tell),
    Command(
        "change",
        "change a hook; what is not given stays",
        change,
        (
            HOOK,
            Argument("--name", "what to call it from now on"),
            Argument("--url", "where it listens from now on"),
            EVENT,
            SECRET,
            Argument("--no-secret", "sign deliveries no longer", is_flag=True),
            DESCRIPTION,
            Argument("--on", "deliver again, also what waited meanwhile", is_flag=True),
            Argument("--off", "deliver nothing until it is on again", is_flag=True),
        ),
    ),
    Command("remove", "forget a hook, and what waits for it", remove, (HOOK,)),
    Command(
        "test",
        "send a sample now, and say what the receiver made of it",
        test,
        (HOOK, Argument("--event", "what to send a sample of (default: its first event)", choices=get_args(Event))),
        exit_code=lambda sampled: 0 if sampled.is_delivered else 1,
    ),
)
