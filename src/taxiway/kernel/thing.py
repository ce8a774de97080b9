"""References: every thing on the platform has one text that names it, in edges, audit entries and links."""

from __future__ import annotations

from typing import NamedTuple


class Thing(NamedTuple):
    """What a reference names: ``kind:name``, and for versions ``kind:name@version``."""

    kind: str
    name: str
    version: int | None = None

    def __str__(self) -> str:
        return f"{self.kind}:{self.name}" + (f"@{self.version}" if self.version is not None else "")


def parse(ref: str) -> Thing:
    """The thing that a reference names.

    >>> parse("model:mortgage@3")
    Thing(kind='model', name='mortgage', version=3)
    """
    kind, _, rest = ref.partition(":")
    name, at, version = rest.rpartition("@")
    if at and version.isdigit():
        return Thing(kind, name, int(version))
    return Thing(kind, rest)


def href(ref: str) -> str:
    """The page of a thing."""
    kind, name, version = parse(ref)
    match kind:
        case "project" | "endpoint" | "monitor" | "run":
            return f"/{kind}s/{name}"
        case "dataset":
            return f"/datasets/{name}" + (f"/versions/{version}" if version else "")
        case "model":
            return f"/models/{name}" + (f"/versions/{version}" if version else "")
        case "path":
            return f"/gates/paths/{name}" + (f"/versions/{version}" if version else "")
        case "revision":
            return f"/endpoints/{name.partition('/')[0]}"
        case _:
            return f"/lineage?thing={ref}"
