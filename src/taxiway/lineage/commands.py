"""The CLI of lineage."""

from __future__ import annotations

from argparse import Namespace
from typing import TYPE_CHECKING

from taxiway.kernel.commands import Argument, Command
from taxiway.kernel.errors import BadField
from taxiway.lineage.contract import Edge

if TYPE_CHECKING:
    from taxiway.client import Client

REFERENCES = "a reference: model:NAME@1, dataset:PROJECT/NAME@1, run:ID, endpoint:NAME or project:NAME"


def show(client: Client, given: Namespace) -> list[Edge]:
    kind, colon, name = given.thing.partition(":")
    if not (kind and colon and name):
        raise BadField(field="thing", value=repr(given.thing), expected=REFERENCES)
    return client.lineage.walk(given.thing, steps=given.steps).edges


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
