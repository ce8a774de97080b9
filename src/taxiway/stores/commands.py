"""The CLI of stores."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Sequence
from typing import TYPE_CHECKING

from taxiway.kernel.commands import Argument, Command
from taxiway.stores.contract import Store

if TYPE_CHECKING:
    from taxiway.client import Client

NAME = Argument("name", "the store's name")
COLUMNS = ("name", "url", "files", "added_by", "added_at")


def add(client: Client, given: Namespace) -> Store:
    return client.stores.add(given.name, given.url)


def list_(client: Client, given: Namespace) -> Sequence[Store]:
    return client.stores.list()


def remove(client: Client, given: Namespace) -> Store:
    return client.stores.remove(given.name)


COMMANDS = (
    Command(
        "add",
        "allow files to stay in a place",
        add,
        (NAME, Argument("url", "file:///FOLDER of the server's machine, or s3://BUCKET/PREFIX?endpoint=URL")),
    ),
    Command("list", "the places that are allowed", list_, columns=COLUMNS),
    Command("remove", "allow a place no longer", remove, (NAME,)),
)
