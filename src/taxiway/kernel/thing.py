"""References: every thing on the platform has one text that names it, in edges, audit entries and links."""

from __future__ import annotations

import re
from typing import NamedTuple
from urllib.parse import quote

from taxiway.kernel.errors import BadField

VERSION = re.compile(r"[0-9]{1,9}")  # what a column holds

# Where the pages of a kind are, by their names.
SHELVES = {
    "dataset": "datasets",
    "discussion": "discussions",
    "endpoint": "endpoints",
    "finding": "gates/findings",
    "hook": "hooks",
    "model": "models",
    "monitor": "monitors",
    "path": "gates/paths",
    "path-proposal": "gates/proposals",
    "project": "projects",
    "run": "runs",
    "trace": "traces",
}
VERSIONED = ("dataset", "model", "path")  # whose versions have pages of their own


class Thing(NamedTuple):
    """What a reference names: ``kind:name``, and for versions ``kind:name@version``."""

    kind: str
    name: str
    version: int | None = None

    def __str__(self) -> str:
        return f"{self.kind}:{self.name}" + (f"@{self.version}" if self.version is not None else "")


def numbered(text: str, field: str, example: str) -> tuple[str, int]:
    """The name and the number in NAME or NAME@NUMBER; 0 stands for the newest. Raises BadField.

    >>> numbered("careful@3", "path", "careful@1")
    ('careful', 3)
    """
    name, at, number = text.partition("@")
    if at and not VERSION.fullmatch(number):
        raise BadField(field=field, value=repr(text[:200]), expected=f"NAME, or NAME@VERSION such as {example}")
    return name, int(number or 0)


def parse(ref: str) -> Thing:
    """The thing that a reference names.

    >>> parse("model:mortgage@3")
    Thing(kind='model', name='mortgage', version=3)
    """
    kind, _, rest = ref.partition(":")
    name, at, version = rest.rpartition("@")
    if at and VERSION.fullmatch(version):
        return Thing(kind, name, int(version))
    return Thing(kind, rest)


def href(ref: str) -> str:
    """The page of a thing; of a person, what they did."""
    kind, name, version = parse(ref)
    path, suffix = quote(name, safe="/"), f"/versions/{version}" if version and kind in VERSIONED else ""
    if kind in SHELVES:
        return f"/{SHELVES[kind]}/{path}{suffix}"
    match kind:
        case "alert":
            monitor, _, alert = path.partition("/")
            return f"/monitors/{monitor}#alert-{alert}"
        case "revision":
            return f"/endpoints/{path.partition('/')[0]}"
        case "user":
            return f"/audit?actor={quote(name, safe='')}"
        case _:
            return f"/lineage?thing={quote(ref, safe=':/@')}"
