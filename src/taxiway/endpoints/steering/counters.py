"""What is counted of a revision, and how counters that may begin anew are added up. Pure."""

from __future__ import annotations

from msgspec import Struct

from taxiway.endpoints.gateway.status import RevisionStatus


class Counters(Struct, frozen=True):
    """Requests answered with a prediction, errors, rows, the processor seconds of the workers.

    And the requests that were refused, and those whose callers hung up.
    """

    requests: int = 0
    errors: int = 0
    rows: int = 0
    cpu_s: float = 0.0
    refused: int = 0
    abandoned: int = 0

    def plus(self, more: Counters) -> Counters:
        """
        >>> Counters(1, 0, 5, 0.25).plus(Counters(2, 1, 5, 0.5))
        Counters(requests=3, errors=1, rows=10, cpu_s=0.75, refused=0, abandoned=0)
        """
        return Counters(
            self.requests + more.requests,
            self.errors + more.errors,
            self.rows + more.rows,
            round(self.cpu_s + more.cpu_s, 3),
            self.refused + more.refused,
            self.abandoned + more.abandoned,
        )

    def since(self, before: Counters) -> Counters:
        """What was added since `before`. A counter that fell began anew, so all of it is new.

        >>> Counters(3, 0, 3, 0.5).since(Counters(5, 0, 2, 0.25))
        Counters(requests=3, errors=0, rows=1, cpu_s=0.25, refused=0, abandoned=0)
        """
        return Counters(
            grown(before.requests, self.requests),
            grown(before.errors, self.errors),
            grown(before.rows, self.rows),
            round(self.cpu_s - before.cpu_s if self.cpu_s >= before.cpu_s else self.cpu_s, 3),
            grown(before.refused, self.refused),
            grown(before.abandoned, self.abandoned),
        )


def grown(before: int, now: int) -> int:
    return now - before if now >= before else now


def counted(status: RevisionStatus) -> Counters:
    """The counters in what the gateway says of a revision."""
    counts = (status.requests, status.errors, status.rows, status.cpu_seconds)
    return Counters(*counts, status.refused, status.abandoned)
