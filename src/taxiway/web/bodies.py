"""Reading what a request carries, within limits of size and of time: whoever stalls holds nothing up for long."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

import anyio
import anyio.to_thread
from starlette.requests import ClientDisconnect, Request

from taxiway.kernel.errors import BadField, TaxiwayError, TooLarge

A = TypeVar("A")

UTF_8 = ("utf-8", "utf8", "us-ascii", "ascii")  # the latter are a part of it

MOST_UPLOAD_BYTES = 64 << 30
PIECE_BYTES = 1 << 20
LEAST_PIECE_BYTES = 4096  # within that time, from whoever has little to send with
MOST_UPLOADS = 8  # at once; each holds a thread while its bytes come
BODY_WITHIN_S = 20.0  # a whole body of JSON or of a form
PIECE_WITHIN_S = 30.0  # the next piece of an upload
TURN_WITHIN_S = 10.0  # until one of the uploads under way is over


def kind_of(request: Request) -> str:
    """What the body says that it is, such as ``application/json``. Raises BadField for a text that is not in UTF-8."""
    kind, _, rest = request.headers.get("content-type", "").partition(";")
    for said in rest.split(";"):
        name, _, value = said.partition("=")
        charset = value.strip().strip('"').lower()
        if name.strip().lower() == "charset" and charset not in UTF_8:
            raise BadField(field="Content-Type", value=f"the charset {charset[:40]!r}", expected="text in UTF-8")
    return kind.strip().lower()


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
    """A raw body, read piece by piece on the handler's thread, while the event loop receives the piece after it."""

    def __init__(self, request: Request, limit: int = MOST_UPLOAD_BYTES) -> None:
        self.stream = request.stream()
        self.headers = request.headers
        self.limit = limit
        self.loop = asyncio.get_running_loop()
        self.coming: Future[bytes] | None = None
        self.rest = b""
        self.size_bytes = 0

    def read(self, size: int = -1) -> bytes:
        """The next piece; empty at the end.

        Raises TooLarge, BodyTooSlow, and OSError when the sender went away.
        """
        if not self.rest:
            self.rest = self._received()
            self.size_bytes += len(self.rest)
            if self.size_bytes > self.limit:
                raise TooLarge(what="The body in bytes", limit=self.limit, found=self.size_bytes)
        if size < 0 or size >= len(self.rest):
            piece, self.rest = self.rest, b""
        else:
            piece, self.rest = self.rest[:size], self.rest[size:]
        return piece

    def _received(self) -> bytes:
        coming = self.coming or self._ask()
        try:
            piece = coming.result()
        except ClientDisconnect as e:
            raise ConnectionError("the sender went away before the end") from e
        except TimeoutError as e:
            raise BodyTooSlow(within_s=PIECE_WITHIN_S) from e
        self.coming = self._ask() if piece else coming
        return piece

    def _ask(self) -> Future[bytes]:
        return asyncio.run_coroutine_threadsafe(self._next(), self.loop)

    async def _next(self) -> bytes:
        """What comes next, gathered: changing threads for each packet would take longer than storing it."""
        chunks: list[bytes] = []
        size = 0
        hurry_at = self.loop.time() + PIECE_WITHIN_S / 2
        async with asyncio.timeout(PIECE_WITHIN_S):
            async for chunk in self.stream:
                chunks.append(chunk)
                size += len(chunk)
                enough = PIECE_BYTES if self.loop.time() < hurry_at else LEAST_PIECE_BYTES
                if size >= min(enough, self.limit - self.size_bytes + 1):
                    break
        return b"".join(chunks)

    def close(self) -> None:
        """Stops receiving: nobody reads on."""
        if self.coming is not None:
            self.coming.cancel()


class Uploads:
    """The threads that uploads run on, apart from those of all other requests."""

    def __init__(self) -> None:
        self.threads = anyio.CapacityLimiter(MOST_UPLOADS)
        self.turns = anyio.Semaphore(MOST_UPLOADS)

    async def run(self, handle: Callable[[], A], upload: Upload) -> A:
        """What `handle` makes of an upload on one of the threads. Raises UploadsBusy, and what `handle` raises."""
        try:
            with anyio.fail_after(TURN_WITHIN_S):
                await self.turns.acquire()
        except TimeoutError as e:
            raise UploadsBusy(limit=MOST_UPLOADS) from e
        try:
            return await anyio.to_thread.run_sync(handle, limiter=self.threads)
        finally:
            upload.close()
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
