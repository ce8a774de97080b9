"""One request on its way through a worker."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

from taxiway.endpoints.blocks import BlockRows
from taxiway.endpoints.worker.hearing import Unheard
from taxiway.kernel.errors import TaxiwayError

if TYPE_CHECKING:
    from taxiway.endpoints.worker.held import Worker


class Job:
    """One request. is_stream: whether its answer comes in pieces; has_begun: whether some of them came."""

    is_stream = False
    __slots__ = ("deaths", "future", "is_alone", "rows", "since")

    def __init__(self, rows: Sequence[bytes], future: asyncio.Future[Sequence[bytes]]) -> None:
        self.rows = rows
        self.future = future
        self.is_alone = isinstance(rows, BlockRows)
        self.deaths = 0
        self.since = time.monotonic()

    @property
    def has_begun(self) -> bool:
        return False

    def refuse(self, refusal: TaxiwayError) -> None:
        """Nothing is given to its caller any more."""
        if not self.future.done():
            self.future.set_exception(refusal)

    def given(self, worker: Worker, number: int) -> None:
        """It is on its way to this worker."""

    def take(self, piece: bytes) -> None:
        """A piece of the answer. Raises Unheard where it was not asked for pieces."""
        raise Unheard("a piece of what is answered whole")
