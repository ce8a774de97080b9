"""Whether a worker that says nothing works, waits, or stands still for ever.

A slow model must not be taken for a hung one, so silence alone proves nothing. A process that somebody stopped is seen
in its state. One that sleeps, uses no processor and answers nothing is given up only when it is far beyond all that it
ever took, and when nothing outside can be what it waits for. The rest is left to the deadline.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

LOOKS = 2  # in a row that must find a process stopped: profilers stop one for an instant
LEAST_SLEEP_S = 5.0
TIMES_ITS_SLOWEST = 20.0
KNOWN_ANSWERS = 20  # before that nobody knows what it takes


class Look(NamedTuple):
    """A process at one moment: its state as in /proc, and the clock ticks of processor time that it used."""

    state: str
    ticks: int


def look(pid: int) -> Look:
    """Raises OSError where it is gone, or the host does not tell."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return Look(fields[0], int(fields[11]) + int(fields[12]))


class Watch:
    """What was seen of one worker so far."""

    def __init__(self) -> None:
        self.stopped = 0
        self.asleep_since: float | None = None
        self.ticks = -1

    def finds(self, seen: Look, now: float, *, is_held: bool, usual_s: float | None) -> str:
        """Why the worker must go, in words; empty where it need not.

        is_held: whether it holds requests. usual_s: the longest that it ever took to answer; None where that is not
        known, or where it may wait for others.
        """
        self.stopped = self.stopped + 1 if seen.state in "Tt" else 0
        if self.stopped >= LOOKS:
            return "a worker was stopped and stood still"
        if not is_held or seen.state != "S" or seen.ticks != self.ticks:
            self.asleep_since, self.ticks = None, seen.ticks
            return ""
        if self.asleep_since is None:
            self.asleep_since = now
        slept_s = now - self.asleep_since
        if usual_s is None or slept_s < max(LEAST_SLEEP_S, TIMES_ITS_SLOWEST * usual_s):
            return ""
        return f"a worker answered nothing and did nothing for {slept_s:.0f} s"
