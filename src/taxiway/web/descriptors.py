"""The open files of a server's process: how many it may have, and what it does where they run short."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import logging
import resource
from typing import Any

MOST_CONNECTIONS = 4096
FILES_KEPT = 128  # descriptors that connections leave for the database, blobs and logs
SAY_AGAIN_S = 60.0
log = logging.getLogger("taxiway.web")


def most_connections() -> int:
    """How many connections a listener may hold: a server has two, and a forwarded request opens one more."""
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    if limit == resource.RLIM_INFINITY:
        return MOST_CONNECTIONS
    return max(1, min(MOST_CONNECTIONS, (limit - FILES_KEPT) // 3))


def raise_file_limit() -> None:
    """Lets this process open as many files as it may ask for; the usual limit is that of an interactive program."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        with contextlib.suppress(ValueError, OSError):  # a system with a lower limit for every process
            resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


class LoopFailures:
    """A loop's exception handler that says the same thing once in a while, not once for each connection."""

    def __init__(self) -> None:
        self.said_at: dict[str, float] = {}

    def __call__(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        error = context.get("exception")
        kind = f"{type(error).__name__}: {context.get('message', '')}"
        is_new = loop.time() - self.said_at.get(kind, -SAY_AGAIN_S) >= SAY_AGAIN_S
        if isinstance(error, OSError) and not is_new:
            return
        self.said_at[kind] = loop.time()
        if isinstance(error, OSError) and error.errno in (errno.EMFILE, errno.ENFILE):
            log.error("No further connection can be taken: %s. `ulimit -n` raises the limit.", error.strerror)
            return
        loop.default_exception_handler(context)
