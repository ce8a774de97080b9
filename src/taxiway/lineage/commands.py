"""The CLI of lineage."""

from __future__ import annotations

from argparse import Namespace
from typing import TYPE_CHECKING

from taxiway.kernel.commands import Argument, Command
from taxiway.kernel.errors import NotFound
from taxiway.lineage.contract import Edge

if TYPE_CHECKING:
    from taxiway.client import Client

HINT = "Give a reference such as model:mortgage@1, dataset:PROJECT/NAME@1, run:ID, endpoint:NAME or project:NAME"


def show(client: Client, given: Namespace) -> list[Edge]:
    found = client.lineage.walk(given.thing, steps=given.steps).edges
    if not found:
        hint = f"{HINT}; what is there and has no edges yet came from nothing and led to nothing."
        raise NotFound(kind="thing with a history", name=given.thing, hint=hint)
    return found


COMMANDS = (
    Command(
        "show",
        "what a thing came from and led to",
        show,
        (
            Argument("thing", "a reference such as model:mortgage@1 or run:…"),
            Argument("--steps", "how many edges far", int, 12),
        ),
        ("source", "verb", "target", "at"),
    ),
)
