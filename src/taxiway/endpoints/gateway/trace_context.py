"""W3C trace context: a caller's trace goes on through us, and what began none is traced by its prediction id."""

from __future__ import annotations

import re
from typing import NamedTuple

# Of a later version of the standard the first four parts are read as of this one.
TRACEPARENT = re.compile(rb"(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})(?:-.*)?")
SAMPLED = 1


class Context(NamedTuple):
    """Whose trace a request belongs to. parent: the caller's span."""

    trace_id: str
    parent: str
    flags: int

    @property
    def is_sampled(self) -> bool:
        return bool(self.flags & SAMPLED)


OWN_TRACE = Context("", "", SAMPLED)  # of a request that nobody traces yet: its prediction id stands for it


def read_context(traceparent: bytes) -> Context | None:
    """What a caller's header says; None where it says nothing that can be read, as if it were not there.

    >>> read_context(b"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01").trace_id
    '0af7651916cd43dd8448eb211c80319c'
    """
    found = TRACEPARENT.fullmatch(traceparent)
    if found is None:
        return None
    return Context(found[1].decode(), found[2].decode(), int(found[3], 16))


def span_of(request_id: str) -> str:
    """Our own span of a request: the random half of its id."""
    return request_id[16:]


def response(request_id: str, context: Context) -> bytes:
    """What a caller is told of our span, in the form of its own header."""
    return f"00-{context.trace_id}-{span_of(request_id)}-{context.flags & SAMPLED:02x}".encode()
