"""What an image's log hears of its one bundle: that it answers, or why it does not."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

from taxiway.endpoints.gateway.status import RevisionStatus, read_status

LOOKS_S = 0.3


def tell_beside(home: Path, say: Callable[[str], None]) -> None:
    """Says what becomes of the bundle, from a thread that ends with the process."""
    threading.Thread(target=tell, args=(home, say, threading.Event()), daemon=True, name="telling").start()


def tell(home: Path, say: Callable[[str], None], ended: threading.Event) -> None:
    """Says each change, until `ended`."""
    before = ""
    while not ended.wait(LOOKS_S):
        status = read_status(home)
        line = words(status.revisions[0]) if status is not None and status.revisions else ""
        if line and line != before:
            say(line)
            before = line


def words(seen: RevisionStatus) -> str:
    """A line, and those of a worker that died; nothing while it is on its way."""
    if seen.state == "ready":
        return f"taxiway: {seen.endpoint} answers"
    if seen.state not in ("refused", "failing"):
        return ""
    tail = "".join(f"\n  {line}" for line in seen.log_tail)
    return f"taxiway: {seen.endpoint} does not answer: {seen.reason}{tail}"
