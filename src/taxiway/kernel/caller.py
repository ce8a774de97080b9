"""Who asks: carried from the edge through every service into the audit log."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

CallerKind = Literal["person", "service", "local", "system"]


class Caller(Struct, frozen=True):
    """One request's actor.

    `local` is the owner of an embedded home or of a server without login: may do everything but approve.
    `system` is the platform itself (a scheduled monitor, a sealed segment). `key` and `fingerprint` make a
    change idempotent: the same key with the same request gets the first answer.
    """

    name: str
    kind: CallerKind
    is_admin: bool = False
    door: str = "api"  # sdk, cli, page, api: what the request came through
    request_id: str = ""
    key: str | None = None
    fingerprint: str = ""

    @property
    def can_approve(self) -> bool:
        """Only a person who signed in can give an approval; tokens of services and local users cannot."""
        return self.kind == "person"


SYSTEM = Caller(name="taxiway", kind="system", is_admin=True, door="system")
