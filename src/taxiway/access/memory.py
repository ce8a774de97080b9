"""What was read of people and their rights, for as long as it is sure to hold: so that not every call reads it anew."""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import datetime
from typing import Generic, NamedTuple, TypeVar

from taxiway.access.contract import Grant, User

V = TypeVar("V")

HOLDS_S = 2.0  # as long as a change that another process made may go unseen
MOST = 10_000


class Kept(NamedTuple, Generic[V]):
    """A value, the state of the rights that it was read in, and until when it holds at most."""

    value: V
    state: int
    until: float


class Holder(NamedTuple):
    """Whose a secret is, of what kind it is, and until when it holds."""

    user: User
    kind: str
    expires_at: datetime


class Memory:
    """Holders by the digest of their secret, and grants by project.

    Whoever changes people, secrets or grants calls `forget` once that is durable, and nothing that was read before is
    believed again. A reader takes `state` before it reads and hands it back with what it found.
    """

    def __init__(self) -> None:
        self.state = 0
        self.holders: dict[str, Kept[Holder]] = {}
        self.grants: dict[str, Kept[Sequence[Grant]]] = {}

    def forget(self) -> None:
        self.state += 1

    def holder(self, digest: str) -> Holder | None:
        return self._known(self.holders, digest)

    def keep_holder(self, digest: str, holder: Holder, state: int) -> None:
        keep(self.holders, digest, Kept(holder, state, time.monotonic() + HOLDS_S))

    def grants_in(self, project: str) -> Sequence[Grant] | None:
        return self._known(self.grants, project)

    def keep_grants(self, project: str, grants: Sequence[Grant], state: int) -> None:
        keep(self.grants, project, Kept(grants, state, time.monotonic() + HOLDS_S))

    def _known(self, among: dict[str, Kept[V]], name: str) -> V | None:
        kept = among.get(name)
        if kept is None or kept.state != self.state or kept.until < time.monotonic():
            return None
        return kept.value


def keep(among: dict[str, Kept[V]], name: str, kept: Kept[V]) -> None:
    if len(among) >= MOST:
        among.clear()
    among[name] = kept
