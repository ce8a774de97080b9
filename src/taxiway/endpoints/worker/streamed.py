"""A stream as the gateway holds it: pieces that came and nobody has taken yet, bounded by pausing the worker."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Sequence
from typing import TYPE_CHECKING

from taxiway.endpoints.worker.job import Job
from taxiway.kernel.errors import TaxiwayError

if TYPE_CHECKING:
    from taxiway.endpoints.worker.held import Worker

MOST_PIECES, MOST_BYTES = 64, 256 << 10  # from which on a worker is not read any more
FEW_PIECES = 8


class StreamJob(Job):
    """One request that is answered in pieces. It has its worker for itself."""

    is_stream = True

    def __init__(self, rows: Sequence[bytes], future: asyncio.Future[Sequence[bytes]]) -> None:
        super().__init__(rows, future)
        self.is_alone = True
        self.pieces: deque[bytes] = deque()
        self.size = self.count = self.number = 0
        self.arrived = asyncio.Event()
        self.refused: asyncio.Future[TaxiwayError] = future.get_loop().create_future()  # nothing is given any more
        self.worker: Worker | None = None
        future.add_done_callback(self.ended)

    @property
    def has_begun(self) -> bool:
        return self.count > 0

    def refuse(self, refusal: TaxiwayError) -> None:
        super().refuse(refusal)
        if not self.refused.done():
            self.refused.set_result(refusal)

    def given(self, worker: Worker, number: int) -> None:
        self.worker, self.number = worker, number

    def take(self, piece: bytes) -> None:
        if self.future.done() or self.worker is None:
            return
        self.pieces.append(piece)
        self.size += len(piece)
        self.count += 1
        self.arrived.set()
        if len(self.pieces) >= MOST_PIECES or self.size >= MOST_BYTES:
            self.worker.hold(is_on=True)

    def ended(self, future: asyncio.Future[Sequence[bytes]]) -> None:
        """A stream that somebody ended is ended in the worker, too."""
        self.arrived.set()
        if (future.cancelled() or future.exception() is not None) and self.worker is not None:
            self.worker.cancel(self.number)

    async def next(self) -> bytes | None:
        """The next piece; None after the last one. Raises what the stream was ended with, a refusal at once."""
        while not self.pieces and not self.refused.done():
            if self.future.done():
                self.future.result()
                return None
            self.arrived.clear()
            await self.arrived.wait()
        if self.refused.done():
            raise self.refused.result()
        piece = self.pieces.popleft()
        self.size -= len(piece)
        if self.worker is not None and len(self.pieces) <= FEW_PIECES:
            self.worker.hold(is_on=False)
        return piece
