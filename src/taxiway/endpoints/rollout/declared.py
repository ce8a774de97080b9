"""What is declared of an endpoint's traffic: stored by the server, signed for the gateway."""

from __future__ import annotations

from datetime import datetime, timedelta

from msgspec import Struct

from taxiway.endpoints.rollout.guard import Guard
from taxiway.endpoints.rollout.split import Split


class Shadow(Struct, frozen=True, forbid_unknown_fields=True):
    """A revision that gets a copy of requests, whose answers no caller sees. share: of all requests, 0 to 1."""

    revision: int
    share: float = 1.0


class Rollout(Struct, frozen=True, forbid_unknown_fields=True):
    """All that decides which revision a request goes to.

    number: of the split, which grows with each change of it. before: the split before, whose revisions stay loaded
    for `guard.warm_s` seconds after `changed_at`, so that they can take over at once.
    """

    number: int
    split: Split
    changed_at: datetime
    before: Split | None = None
    shadows: tuple[Shadow, ...] = ()
    guard: Guard = Guard()

    def is_warm(self, at: datetime) -> bool:
        """Whether the revisions of the split before are kept loaded."""
        return self.before is not None and at < self.changed_at + timedelta(seconds=self.guard.warm_s)

    def revisions(self, at: datetime) -> list[int]:
        """Every revision that has, or may at once have, something to do."""
        before = self.before.revisions if self.before is not None and self.is_warm(at) else []
        return list(dict.fromkeys([*self.split.revisions, *(each.revision for each in self.shadows), *before]))
