"""How a noun says its commands: names, arguments, what they do, and which columns their tables show."""

from __future__ import annotations

from argparse import ArgumentTypeError
from collections.abc import Callable, Sequence
from typing import Any

from msgspec import Struct


class Argument(Struct, frozen=True):
    """An argument of a command. A name that begins with ``--`` is an option; `kind` turns its text into a value."""

    name: str
    help: str
    kind: Callable[[str], Any] = str
    default: Any = None
    choices: Sequence[str] | None = None
    is_flag: bool = False
    is_many: bool = False
    is_optional: bool = False
    is_rest: bool = False  # everything that follows, untouched: another command
    is_file: bool = False  # for completion

    @property
    def is_option(self) -> bool:
        return self.name.startswith("--")


def count(text: str) -> int:
    """A number of things, at least one; argparse shows the complaint."""
    if not text.isascii() or not text.isdigit() or not 0 < int(text) < 1 << 31:
        raise ArgumentTypeError(f"{text!r} is not a whole number of at least 1")
    return int(text)


class Command(Struct, frozen=True):
    """A verb of a noun.

    run: called with the client and the parsed arguments; gives a struct, a list of them, or None.
    columns: the fields that the table shows for a list, dotted for nested ones; empty means all.
    show: prints an answer in its own way where a table would not do; gives text.
    exit_code: what the shell gets for an answer.
    is_offline: whether what was asked needs no platform; then `run` is called with None.
    """

    name: str
    help: str
    run: Callable[[Any, Any], Any]
    arguments: Sequence[Argument] = ()
    columns: Sequence[str] = ()
    show: Callable[[Any], str] | None = None
    exit_code: Callable[[Any], int] | None = None
    is_offline: Callable[[Any], bool] | None = None
