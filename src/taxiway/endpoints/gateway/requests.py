"""A request to predict, read and checked: who may send it, which rows it holds, when they happened."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Awaitable, Callable, Collection
from datetime import UTC, datetime
from typing import Any, TypeVar

import msgspec
from msgspec import UNSET, Raw, Struct, UnsetType

from taxiway.endpoints.refusals import (
    BodyRefused,
    BodyTimedOut,
    EventTimeRefused,
    HostRefused,
    MediaTypeRefused,
    OriginRefused,
)
from taxiway.endpoints.worker.held import Limits
from taxiway.kernel.errors import SignInNeeded, TooLarge

Receive = Callable[[], Awaitable[Any]]
B = TypeVar("B", bytes, bytearray)
Headers = dict[bytes, bytes]  # lower-case names; of a repeated header the last

LOOPBACK = ("127.0.0.1", "localhost", "[::1]")
EVENT_TIME = b"taxiway-event-time"
NOT_HERE = "This token may not call this endpoint."


class Rows(Struct, forbid_unknown_fields=True):
    """The body that says more than its rows."""

    rows: list[Raw]
    event_at: list[str] | str | UnsetType = UNSET


class Asked(Struct):
    """What a caller wants predicted: a JSON object per row, and an event time per row where given."""

    rows: list[bytes]
    event_at: list[datetime] | None


rows_decoder = msgspec.json.Decoder(Rows)
list_decoder = msgspec.json.Decoder(list[Raw])
one_decoder = msgspec.json.Decoder(dict[str, Raw])


def check_host(headers: Headers, allowed: Collection[str]) -> None:
    """Refuses other host names than ours, which a page reaches us by when its name was bound to our address.

    Raises HostRefused.
    """
    host = headers.get(b"host", b"").decode("latin-1").lower()
    name = host.rpartition(":")[0] if host.rpartition(":")[2].isdigit() else host
    if name not in LOOPBACK and name not in allowed:
        raise HostRefused(host=host)


def check_origin(headers: Headers) -> None:
    """Refuses what a page of another site sends. Raises OriginRefused."""
    origin = headers.get(b"origin")
    if origin is not None and origin.partition(b"://")[2] != headers.get(b"host"):
        raise OriginRefused(origin=origin.decode("latin-1"))


def check_token(headers: Headers, hashes: Collection[str]) -> None:
    """Asks for a bearer token with one of these hashes. Raises SignInNeeded."""
    if token_hash(headers) not in hashes:
        raise SignInNeeded(reason=NOT_HERE)


def token_hash(headers: Headers) -> str:
    """The hash of the bearer token. Raises SignInNeeded where there is none."""
    kind, _, token = headers.get(b"authorization", b"").partition(b" ")
    if kind.lower() != b"bearer" or not token:
        raise SignInNeeded(reason="This endpoint asks for a token.")
    # Looking up a hash tells nothing about the token by its time, since nobody can steer a hash.
    return hashlib.sha256(token.strip()).hexdigest()


def check_media_type(headers: Headers) -> None:
    """Asks for JSON, which no form of another site can send. Raises MediaTypeRefused."""
    kind = headers.get(b"content-type", b"").partition(b";")[0].strip().lower()
    if kind != b"application/json":
        raise MediaTypeRefused(found=kind.decode("latin-1"))


async def read_body(receive: Receive, headers: Headers, limits: Limits) -> bytes:
    """The whole body. Raises TooLarge, BodyTimedOut."""
    length = headers.get(b"content-length", b"0")
    if length.isdigit() and int(length) > limits.body_bytes:
        raise TooLarge(what="The body in bytes", limit=limits.body_bytes, found=int(length))
    try:
        async with asyncio.timeout(limits.body_wait_s):
            message = await receive()
            if not message.get("more_body"):
                whole: bytes = message.get("body", b"")
                return checked(whole, limits)
            body = bytearray(message["body"])
            while message.get("more_body"):
                message = await receive()
                body += message.get("body", b"")
                checked(body, limits)
            return bytes(body)
    except TimeoutError as e:
        raise BodyTimedOut(limit_s=limits.body_wait_s) from e


def checked(body: B, limits: Limits) -> B:
    """The body, if it is not too large."""
    if len(body) > limits.body_bytes:
        raise TooLarge(what="The body in bytes", limit=limits.body_bytes, found=len(body))
    return body


def read_rows(body: bytes, headers: Headers, limits: Limits) -> Asked:
    """The rows of a body: one object, an array of objects, or ``{"rows": [...], "event_at": [...]}``.

    An object is the last form when its `rows` is an array, which no field of a row can be.
    Raises BodyRefused, TooLarge, EventTimeRefused.
    """
    event_at: list[str] | str | UnsetType = UNSET
    try:
        if body.lstrip(b" \t\r\n")[:1] == b"[":
            found = list_decoder.decode(body)
        else:
            fields = one_decoder.decode(body)
            if "rows" in fields and bytes(fields["rows"])[:1] == b"[":
                envelope = rows_decoder.decode(body)
                found, event_at = envelope.rows, envelope.event_at
            else:
                found = [Raw(body)]
    except RecursionError as e:
        raise BodyRefused(problem="it is nested too deeply") from e
    except (msgspec.DecodeError, ValueError) as e:
        raise BodyRefused(problem=str(e)) from e
    if not found:
        raise BodyRefused(problem="it holds no rows")
    if len(found) > limits.rows:
        raise TooLarge(what="The number of rows", limit=limits.rows, found=len(found))
    if event_at is UNSET and EVENT_TIME in headers:
        event_at = headers[EVENT_TIME].decode("latin-1")
    return Asked([on_one_line(bytes(row)) for row in found], event_times(event_at, len(found)))


def on_one_line(row: bytes) -> bytes:
    """The same JSON without line breaks, since the log has a line per row. Strings hold none in the raw."""
    return row if b"\n" not in row and b"\r" not in row else msgspec.json.format(row, indent=-1)


def event_times(given: list[str] | str | UnsetType, rows: int) -> list[datetime] | None:
    """An event time for each row, in UTC; None where none was given. Raises EventTimeRefused."""
    if isinstance(given, UnsetType):
        return None
    texts = [given] * rows if isinstance(given, str) else given
    if len(texts) != rows:
        raise EventTimeRefused(value=f"A list of {len(texts)} times for {rows} rows")
    return [event_time(text) for text in texts]


def event_time(text: str) -> datetime:
    """An RFC 3339 time in UTC. Raises EventTimeRefused."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError as e:
        raise EventTimeRefused(value=repr(text)) from e
    if found.tzinfo is None:
        raise EventTimeRefused(value=repr(text))
    return found.astimezone(UTC)
