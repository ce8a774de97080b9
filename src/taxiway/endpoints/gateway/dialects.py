"""The port behind which every protocol speaks: its addresses, how it asks, how it is answered and refused.

A dialect reads and writes one wire form and nothing else. Who may call, how much and how long, what is recorded
and what a stopped endpoint says is the gateway's, the same for all of them.
"""

from __future__ import annotations

import importlib.metadata
from collections.abc import Callable, Sequence
from typing import Any, Literal, NamedTuple, Protocol

from msgspec import Struct

from taxiway.endpoints.gateway.configuration import ServedRevision
from taxiway.endpoints.gateway.requests import Asked, Headers
from taxiway.endpoints.gateway.stream_forms import StreamForm
from taxiway.endpoints.gateway.trace_context import Context, response
from taxiway.endpoints.refusals import RevisionElsewhere
from taxiway.endpoints.worker.held import Limits
from taxiway.kernel.errors import TaxiwayError
from taxiway.models.predicting.signature import Signature

DIALECTS = "taxiway.dialects"  # entry points: what makes a dialect when the gateway starts
JSON = b"application/json"

# predict: rows in, answers out. endpoint: tells of one endpoint, to its callers. list: tells of all endpoints that
# the caller may call. open: tells everybody whether the gateway is well, and nothing else.
Kind = Literal["predict", "endpoint", "list", "open"]


class Address(NamedTuple):
    """One address of a protocol.

    template: its path; `{name}` is the endpoint, `{version}` the number of its revision, any other word in braces
    is read and left alone. Each stands for one segment of the path, or for what stands before a colon in it.
    what: the dialect's own word for what is asked here. takes: media types; an empty one is a missing header.
    """

    method: str
    template: str
    kind: Kind
    what: str = ""
    takes: frozenset[bytes] = frozenset([JSON])


class Call(Struct):
    """One request, from its first line to its answer.

    version: the number of the revision that it insists on. body: empty until it was read. form: what the dialect
    remembers from reading for writing. look_up: how the gateway finds a signature. streamed: set by a dialect whose
    answers come in pieces, in a form of its own. connection: what the server keeps of it; see `requests.AWAITED`.
    """

    request_id: str
    method: str
    path: str
    headers: Headers
    limits: Limits
    dialect: Dialect
    address: Address | None = None
    name: str = ""
    version: str = ""
    body: bytes = b""
    form: Any = None
    look_up: Callable[[Call], Signature | None] | None = None
    streamed: StreamForm | None = None
    connection: dict[str, Any] = {}

    @property
    def signature(self) -> Signature | None:
        """Of the revision that it insists on, or else of the one that answers most; None where none is known."""
        return self.look_up(self) if self.look_up is not None else None

    caller: str = ""  # the account; empty where nobody signs in
    context: Context | None = None  # of the caller's own trace


class Given(NamedTuple):
    """The answers: a JSON object per row, in order; and the revision they are of, None for a fallback."""

    outputs: Sequence[bytes]
    served: ServedRevision | None


class Standing(NamedTuple):
    """How an endpoint is, for the addresses that tell of it.

    served: the revision that answers most. answering: the numbers of all that answer.
    """

    name: str
    is_ready: bool
    served: ServedRevision | None
    flavour: str
    signature: Signature | None
    answering: Sequence[int] = ()

    def insist(self, revision: str) -> None:
        """Refuses to tell of a revision where only others answer. Raises RevisionElsewhere."""
        if revision and self.answering and revision not in map(str, self.answering):
            raise RevisionElsewhere(endpoint=self.name, revision=revision[:20], answering=[*self.answering])


class Shown(NamedTuple):
    """What an address that predicts nothing may tell: whether all is ready, and of which endpoints."""

    is_ready: bool
    endpoints: Sequence[Standing] = ()


class Answer(NamedTuple):
    """What goes back, in a protocol's own form."""

    status: int
    body: bytes
    headers: Sequence[tuple[bytes, bytes]] = ()
    media_type: bytes = JSON


class Dialect(Protocol):
    """A protocol that callers speak. Several may share an address: then each says which calls are its own."""

    @property
    def addresses(self) -> Sequence[Address]:
        """All of its addresses."""
        ...

    def claims(self, call: Call) -> bool:
        """Whether a call at a shared address is its own; asked before the body was read, and after."""
        ...

    def read(self, call: Call) -> Asked:
        """The rows that are asked for. Raises TaxiwayError."""
        ...

    def write(self, call: Call, given: Given) -> Answer:
        """The answer with its predictions."""
        ...

    def tell(self, call: Call, shown: Shown) -> Answer:
        """The answer at an address that predicts nothing. Raises TaxiwayError."""
        ...

    def refuse(self, call: Call, refusal: TaxiwayError) -> Answer:
        """A refusal in the protocol's own form, with the status that its callers expect."""
        ...


def said_of(call: Call, revision: int) -> tuple[tuple[bytes, bytes], ...]:
    """What an answer's head says of its request: its id, who answered, and our span where the caller traces it."""
    number, who = (b"taxiway-prediction-id", call.request_id.encode()), (b"taxiway-revision", b"%d" % revision)
    if call.context is None:
        return (number, who)
    return (number, who, (b"traceresponse", response(call.request_id, call.context)))


def installed() -> dict[str, Dialect]:
    """A new one of every dialect that is installed, in the order of their names."""
    found = sorted(importlib.metadata.entry_points(group=DIALECTS), key=lambda each: each.name)
    return {each.name: each.load()() for each in found}
