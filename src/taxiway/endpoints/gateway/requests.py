"""A request to predict, read and checked: who may send it, which rows it holds, when they happened."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Awaitable, Callable, Collection, Iterable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any, TypeVar

import msgspec
from msgspec import Struct

from taxiway.endpoints.gateway.configuration import ANY_HOST
from taxiway.endpoints.gateway.refusals import (
    BodyTimedOut,
    EncodingRefused,
    HostRefused,
    MediaTypeRefused,
    OriginRefused,
)
from taxiway.endpoints.inferences.moments import PLAUSIBLE, is_plausible
from taxiway.endpoints.refusals import BodyRefused, EventTimeRefused
from taxiway.endpoints.worker.held import Limits
from taxiway.kernel.errors import SignInNeeded, TooLarge

Receive = Callable[[], Awaitable[Any]]
B = TypeVar("B", bytes, bytearray)
Headers = dict[bytes, bytes]  # lower-case names; of a repeated header the last

LOOPBACK = ("127.0.0.1", "localhost", "[::1]")
EVENT_TIME = b"taxiway-event-time"
AWAITED = "taxiway.awaited"  # in a request's scope: the answer that it waits for, dropped when its caller goes
WHOLE = "taxiway.whole"  # in a request's scope: its body has arrived
EXPLAINED_BYTES = 256 << 10  # beyond that everybody would wait for the explanation
AT_LEAST_ONE = "at least one row"  # what protocols with forms of their own say
NOT_HERE = "This token may not call this endpoint."


class Asked(Struct):
    """What a caller wants predicted: a JSON object per row, and an event time per row where given."""

    rows: Sequence[bytes]
    event_at: list[datetime] | None = None


def check_host(headers: Headers, allowed: Collection[str]) -> None:
    """Refuses other host names than ours, which a page reaches us by when its name was bound to our address.

    Raises HostRefused.
    """
    host = headers.get(b"host", b"").decode("latin-1").lower()
    name = host.rpartition(":")[0] if host.rpartition(":")[2].isdigit() else host
    if name not in LOOPBACK and name not in allowed and ANY_HOST not in allowed:
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


def check_media_type(headers: Headers, accepted: Collection[bytes]) -> None:
    """Asks for a media type that is read here, none of which a form of another site can send.

    Raises MediaTypeRefused, EncodingRefused.
    """
    if headers.get(b"content-encoding", b"identity") != b"identity":
        raise EncodingRefused(found=headers[b"content-encoding"].decode("latin-1"))
    kind = headers.get(b"content-type", b"").partition(b";")[0].strip().lower()
    if kind not in accepted:
        names = sorted(each.decode("latin-1") for each in accepted if each)
        raise MediaTypeRefused(found=kind.decode("latin-1"), accepted=names)


async def read_body(receive: Receive, headers: Headers, limits: Limits, *, is_here: bool = False) -> bytes:
    """The whole body, and never a part of one. is_here: whether all of it has arrived.

    Raises TooLarge, BodyTimedOut, BodyRefused.
    """
    length = headers.get(b"content-length", b"0")
    if length.isdigit() and int(length) > limits.body_bytes:
        raise TooLarge(what="The body in bytes", limit=limits.body_bytes, found=int(length))
    if is_here:  # as of most requests: no timer is needed
        arrived: bytes = (await receive()).get("body", b"")
        return checked(arrived, limits)
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
            if message["type"] == "http.disconnect":
                raise BodyRefused(problem="its sender went away in the midst of it")
            return bytes(body)
    except TimeoutError as e:
        raise BodyTimedOut(limit_s=limits.body_wait_s) from e


def checked(body: B, limits: Limits) -> B:
    """The body, if it is not too large."""
    if len(body) > limits.body_bytes:
        raise TooLarge(what="The body in bytes", limit=limits.body_bytes, found=len(body))
    return body


def check_count(rows: int, limits: Limits, accepted: str = BodyRefused.accepted) -> None:
    """Refuses a request without rows, or with too many. accepted: what to send. Raises BodyRefused, TooLarge."""
    if not rows:
        raise BodyRefused(problem="it holds no rows", accepted=accepted)
    if rows > limits.rows:
        raise TooLarge(what="The number of rows", limit=limits.rows, found=rows)


def unreadable(body: bytes, error: Exception) -> str:
    """Why JSON cannot be read; of a number that JSON does not have also where it stands."""
    if not body.strip():
        return "it is empty"
    said = str(error)
    if len(body) > EXPLAINED_BYTES or (b"NaN" not in body and b"Infinity" not in body):
        return said
    try:
        found = json.loads(body, parse_constant=Constant)
    except (ValueError, RecursionError):
        return said
    return next((f"{said}: {where} is {word}, which JSON does not have" for where, word in constants(found)), said)


class Constant(str):
    """A number that Python's JSON knows and JSON does not: NaN, Infinity or -Infinity."""

    __slots__ = ()


def constants(found: Any, where: str = "") -> Iterator[tuple[str, str]]:
    """Where such numbers stand, each with its word."""
    if isinstance(found, Constant):
        yield where or "it", found
    pairs: Iterable[tuple[Any, Any]] = ()
    if isinstance(found, dict):
        pairs = ((f"{where}.{name}".lstrip("."), value) for name, value in found.items())
    elif isinstance(found, list):
        pairs = ((f"{where}[{number}]", value) for number, value in enumerate(found))
    for inside, value in pairs:
        yield from constants(value, inside)


def on_one_line(row: bytes) -> bytes:
    """The same JSON without line breaks, since the log has a line per row. Strings hold none in the raw."""
    return row if b"\n" not in row and b"\r" not in row else msgspec.json.format(row, indent=-1)


def event_times(given: list[str] | str, rows: int) -> list[datetime]:
    """An event time for each row, in UTC. Raises EventTimeRefused."""
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
    try:
        found = found.astimezone(UTC)
    except OverflowError as e:  # before the year 1, or after 9999, once its offset is taken off
        raise EventTimeRefused(value=repr(text)) from e
    if not is_plausible(found, datetime.now(UTC)):
        raise EventTimeRefused(value=f"{text!r}, which is not {PLAUSIBLE},")
    return found
