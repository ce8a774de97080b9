"""What gateway and worker say to each other: length-prefixed msgpack frames over one socket pair."""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import Struct

from taxiway.endpoints.blocks import Block, Told
from taxiway.endpoints.worker.confinement import Confinement
from taxiway.models.predicting.signature import Signature

HEAD = 4  # bytes of length before each frame, little-endian
LARGEST = 256 << 20


class Work(Struct, array_like=True, tag=True, gc=False):
    """Rows to predict, each a JSON object. `is_alone` keeps the worker from joining it with others.

    block: the rows as a matrix, in place of all the others.
    """

    number: int
    rows: list[bytes]
    is_alone: bool = False
    is_stream: bool = False  # whether its answer is to come in pieces
    block: Block | None = None


class Cancel(Struct, array_like=True, tag=True):
    """Nobody wants the rest of a stream."""

    number: int


class Confined(Struct, array_like=True, tag=True):
    """What holds of the worker, said before the bundle is opened: later a model's code might say it."""

    confinement: Confinement


class Ready(Struct, array_like=True, tag=True):
    """The bundle was verified and loaded, and answered its example: requests may come."""

    flavour: str
    is_batching: bool  # whether neighbours are predicted together, their answers being equal to the last bit
    load_s: float
    signature: Signature | None = None
    loaded: list[str] = []  # modules that it took and that were not there when it began
    runs: str = ""  # which form of the model answers, and why
    streams: bool = False  # whether it gives an answer in pieces


class Refused(Struct, array_like=True, tag=True):
    """The bundle may not or cannot be served, and trying again would not help."""

    error: str
    reason: str


class Done(Struct, array_like=True, tag=True, gc=False):
    """The answers to one Work: a JSON object per row, in order.

    text: all of them in one JSON array; told: all of them field by field. Either stands in place of `outputs`.
    """

    number: int
    outputs: list[bytes]
    text: bytes = b""
    told: Told | None = None


class Fault(Struct, array_like=True, tag=True):
    """Why one Work has no answers, as a named error: a row outside the signature, a model that raised."""

    number: int
    error: str
    facts: dict[str, Any]


class Piece(Struct, array_like=True, tag=True, gc=False):
    """A piece of the answer to one Work, a JSON object. The last one is followed by a Done without outputs."""

    number: int
    data: bytes


FromWorker = Piece | Confined | Ready | Refused | Done | Fault

to_gateway: msgspec.msgpack.Decoder[Piece | Confined | Ready | Refused | Done | Fault] = msgspec.msgpack.Decoder(
    FromWorker
)
to_worker: msgspec.msgpack.Decoder[Work | Cancel] = msgspec.msgpack.Decoder(Work | Cancel)
encoder = msgspec.msgpack.Encoder()


def frame(message: Any) -> bytes:
    """A message with its length in front."""
    data = encoder.encode(message)
    return len(data).to_bytes(HEAD, "little") + data


class Frames:
    """Cuts a stream of bytes into frames."""

    def __init__(self) -> None:
        self.buffer = bytearray()

    def feed(self, data: bytes) -> list[bytes]:
        """The frames that are complete now. Raises ValueError on a length no side sends."""
        self.buffer += data
        found = []
        start = 0
        while len(self.buffer) - start >= HEAD:
            size = int.from_bytes(self.buffer[start : start + HEAD], "little")
            if size > LARGEST:
                raise ValueError(f"a frame of {size} bytes")
            if len(self.buffer) - start - HEAD < size:
                break
            found.append(bytes(self.buffer[start + HEAD : start + HEAD + size]))
            start += HEAD + size
        del self.buffer[:start]
        return found
