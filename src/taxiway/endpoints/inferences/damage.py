"""Files of a log that cannot be read: damaged, cut off, put there by somebody, or owned by another user.

They stand in the way of no other file: readers leave them out, say so once, and `endpoints verify-log` names them.
"""

from __future__ import annotations

import errno
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

log = logging.getLogger("taxiway.endpoints")

# What passes: the file itself may be whole, so nothing of it may be left out.
PASSING = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.EINTR, errno.EAGAIN})
TOLD_AT_ONCE = 10_000
told: dict[Path, str] = {}


class Damaged(Exception):
    """A file of a log cannot be read."""

    def __init__(self, path: Path, why: str) -> None:
        super().__init__(path, why)
        self.path, self.why = path, why

    def __str__(self) -> str:
        return f"{self.path.name} cannot be read: {self.why}"


@contextmanager
def reading(path: Path) -> Iterator[None]:
    """Around whatever reads a file of a log. Raises Damaged, FileNotFoundError, and OSError for what passes."""
    import pyarrow as pa

    try:
        yield
    except FileNotFoundError:
        raise
    except OSError as e:
        if e.errno in PASSING:
            raise
        raise Damaged(path, said(e)) from e
    except (pa.ArrowMemoryError, Damaged):
        raise
    except (pa.ArrowException, KeyError, TypeError, ValueError) as e:
        raise Damaged(path, said(e)) from e


def said(problem: Exception) -> str:
    words = str(getattr(problem, "strerror", None) or problem).strip().splitlines()
    return (words[0] if words else type(problem).__name__).rstrip(".")[:200]


def tell(problem: Damaged) -> None:
    """Says that a file is left out: once, however often it is met."""
    if told.get(problem.path) != problem.why and len(told) < TOLD_AT_ONCE:
        told[problem.path] = problem.why
        log.error("The log of %s: %s; its records are left out", problem.path.parent.name, problem)


def left_out(home: Path, endpoint: str) -> list[str]:
    """The files of an endpoint's log that somebody tried to read and could not, and why."""
    folder = home / "inferences" / endpoint
    return sorted(str(Damaged(path, why)) for path, why in told.copy().items() if folder in (path, path.parent))
