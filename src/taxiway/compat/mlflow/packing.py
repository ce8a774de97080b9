"""Large batches read, checked and packed in a process of their own: ``python -m taxiway.compat.mlflow.packing``.

It sees bytes alone, no database and no caller. What it cannot pack is read once more by the server, which says why.
"""

from __future__ import annotations

import msgspec

from taxiway.compat.mlflow import names
from taxiway.compat.mlflow.logged import LogBatch, Packed, check_sizes, series_of
from taxiway.compat.mlflow.reading import Reader
from taxiway.runs.points.loose import Items, checked_batch
from taxiway.web.beside import Beside, work

MODULE = "taxiway.compat.mlflow.packing"
LEAST_BYTES = 16 << 10  # a shorter batch is read before it would be there

reader = Reader(LogBatch)
decoder = msgspec.msgpack.Decoder(Packed)


class Packing:
    """The server's side of it."""

    def __init__(self) -> None:
        self.beside = Beside(MODULE)

    async def read(self, data: bytes) -> Packed | None:
        """The batch in a body; None where it is to be read here."""
        if len(data) < LEAST_BYTES:
            return None
        packed = await self.beside.turn(data)
        return decoder.decode(packed) if packed else None

    def close(self) -> None:
        """Ends the process, if there is one."""
        self.beside.close()


def pack(data: bytes) -> bytes:
    """A body as the batch that is stored. Empty for what is refused, and what also concerns others than the writer."""
    try:
        ask = reader.read_json(data)
        if ask.params or ask.tags or any(metric.model_id for metric in ask.metrics):
            return b""
        run = names.check_run_id(ask.run_id)
        check_sizes(ask)
        batch = checked_batch(run, Items(series=series_of(ask.metrics)))
    except Exception:  # noqa: BLE001 - the server reads the same again, and its refusal says exactly what is wrong
        return b""
    return msgspec.msgpack.encode(Packed(run, batch))


if __name__ == "__main__":
    work(pack)
