"""What the outside sees of checks: which there are, and what each can be asked."""

from __future__ import annotations

from typing import Any

from msgspec import Struct

from taxiway.kernel.endpoint import Endpoint, Nothing, Page


class CheckOffer(Struct, frozen=True):
    """A check that a path can ask. package: that it comes in. about: in a sentence. inputs: what its answer rests on.

    parameters: their JSON Schema. problem: why it cannot be used; empty where it can.
    """

    name: str
    package: str
    about: str = ""
    inputs: list[str] = []
    is_live: bool = False
    parameters: dict[str, Any] = {}
    problem: str = ""


list_checks = Endpoint(
    "GET",
    "/api/gates/checks",
    Nothing,
    Page[CheckOffer],
    "gates.read",
    "The checks there are, those of installed packages among them",
    "platform",
)
