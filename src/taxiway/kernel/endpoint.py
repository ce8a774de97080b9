"""An endpoint said once: read by server, SDK, CLI, permission check, OpenAPI and docs."""

from __future__ import annotations

import re
from typing import Any, ClassVar, Generic, Literal, TypeVar
from urllib.parse import quote

import msgspec
from msgspec import Struct

Body = TypeVar("Body")
Answer = TypeVar("Answer")
Item = TypeVar("Item")

Scope = Literal["project", "platform", "open"]

NEEDS = re.compile(r"[a-z]+\.[a-z_]+")
PARAMETER = re.compile(r"{(\w+)(?::\w+)?}")


class Nothing(Struct, frozen=True, forbid_unknown_fields=True):
    """The body of a request that says everything in its path."""


class Raw(Struct, frozen=True):
    """Marks a body or an answer that is a stream of bytes, not JSON."""


class Page(Struct, Generic[Item], frozen=True):
    """Some items in order, and where to go on: give `next` as `after` to get the following ones."""

    items: list[Item]
    next: str | None = None


class Endpoint(Struct, Generic[Body, Answer], frozen=True):
    """What the client sends, what the server answers, who may ask.

    The body of a GET or DELETE travels in the query. `needs` is the permission, as ``noun.verb``. `scope` says
    where the caller must hold it: in the project that path, query or body name (the default), anywhere on the
    platform, or nowhere (`open`, for signing in and health). `guarded`: it could put a version into a stage, behind an
    alias that stands for one, or have it answer; so it must end at the gates.
    """

    method: Literal["GET", "POST", "PUT", "PATCH", "DELETE"]
    path: str
    body: type[Body]
    answer: type[Answer]
    needs: str
    summary: str
    scope: Scope = "project"
    guarded: bool = False

    declared: ClassVar[dict[tuple[str, str], Endpoint[Any, Any]]] = {}

    def __post_init__(self) -> None:
        if not NEEDS.fullmatch(self.needs):
            raise ValueError(f"{self.method} {self.path} needs a permission such as 'runs.read', not {self.needs!r}")
        Endpoint.declared[(self.method, self.path)] = self

    @property
    def parameters(self) -> list[str]:
        """The names in the path, from left to right."""
        return PARAMETER.findall(self.path)

    def url(self, path: dict[str, Any], body: object = None) -> str:
        """The path with its names filled in, and, for a GET or DELETE, the body as query."""
        filled = PARAMETER.sub(lambda m: quote(str(path[m[1]]), safe=""), self.path)
        if self.method not in ("GET", "DELETE") or body is None:
            return filled
        return filled + query(msgspec.to_builtins(body))


def query(values: dict[str, Any]) -> str:
    """Values as a query string; what is None, False or empty is left out, lists repeat their name."""
    pairs = []
    for name, value in values.items():
        values_given = value if isinstance(value, list) else [value]
        given = [one for one in values_given if one is not None and one is not False and one != ""]
        pairs += [f"{name}={quote('true' if one is True else str(one), safe='')}" for one in given]
    return "?" + "&".join(pairs) if pairs else ""
