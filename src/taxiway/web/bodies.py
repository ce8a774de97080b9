"""Reading what a request carries, within limits of size and of time: whoever stalls holds nothing up for long."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TypeVar

import anyio
import anyio.from_thread
import anyio.to_thread
from starlette.requests import ClientDisconnect, Request

from taxiway.kernel.errors import TaxiwayError, TooLarge

A = TypeVar("A")

MOST_UPLOAD_BYTES = 64 << 30
MOST_UPLOADS = 8  # at once; each holds a thread while its bytes come
BODY_WITHIN_S = 20.0  # a whole body of JSON or of a form
PIECE_WITHIN_S = 30.0  # the next piece of an upload
TURN_WITHIN_S = 10.0  # until one of the uploads under way is over


class BodyTooSlow(TaxiwayError):
    """A body whose bytes stopped coming, or came too slowly."""

    status = 408
    within_s: float

    def __str__(self) -> str:
        return f"The body did not come within {self.within_s:g} seconds. Nothing was changed; send it again."


class UploadsBusy(TaxiwayError):
    """As many uploads as the server takes at once are under way."""

    status = 503
    retry_after_s = 5.0
    limit: int

    def __str__(self) -> str:
        return f"{self.limit} uploads are under way, which is all that are taken at once. Try again in a few seconds."


class Upload:
    """A raw body, read piece by piece on the handler's thread."""

    def __init__(self, request: Request, limit: int = MOST_UPLOAD_BYTES) -> None:
        self.stream = request.stream()
        self.limit = limit
        self.rest = b""
        self.size_bytes = 0

    def read(self, size: int = -1) -> bytes:
        """The next piece; empty at the end.

        Raises TooLarge, BodyTooSlow, and OSError when the sender went away.
        """
        if not self.rest:
            try:
                self.rest = anyio.from_thread.run(self._next)
            except ClientDisconnect as e:
                raise ConnectionError("the sender went away before the end") from e
            except TimeoutError as e:
                raise BodyTooSlow(within_s=PIECE_WITHIN_S) from e
            self.size_bytes += len(self.rest)
            if self.size_bytes > self.limit:
                raise TooLarge(what="The body in bytes", limit=self.limit, found=self.size_bytes)
        piece = self.rest if size < 0 else self.rest[:size]
        self.rest = self.rest[len(piece) :]
        return piece

    async def _next(self) -> bytes:
        with anyio.fail_after(PIECE_WITHIN_S):
            async for chunk in self.stream:
                if chunk:
                    return chunk
        return b""


class Uploads:
    """The threads that uploads run on, apart from those of all other requests."""

    def __init__(self) -> None:
        self.threads = anyio.CapacityLimiter(MOST_UPLOADS)
        self.turns = anyio.Semaphore(MOST_UPLOADS)

    async def run(self, handle: Callable[[], A]) -> A:
        """What `handle` returns on one of the threads. Raises UploadsBusy, and what `handle` raises."""
        try:
            with anyio.fail_after(TURN_WITHIN_S):
                await self.turns.acquire()
        except TimeoutError as e:
            raise UploadsBusy(limit=MOST_UPLOADS) from e
        try:
            return await anyio.to_thread.run_sync(handle, limiter=self.threads)
        finally:
            self.turns.release()


async def read_body(request: Request, limit: int) -> bytes:
    """The whole body. Raises TooLarge as soon as it is, and BodyTooSlow."""
    data = bytearray()
    try:
        async with asyncio.timeout(BODY_WITHIN_S):
            async for chunk in request.stream():
                data += chunk
                if len(data) > limit:
                    raise TooLarge(what="The body in bytes", limit=limit, found=len(data))
    except TimeoutError as e:
        raise BodyTooSlow(within_s=BODY_WITHIN_S) from e
    return bytes(data)
