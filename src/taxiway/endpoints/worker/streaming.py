"""A stream in the worker: piece by piece to the gateway, no faster than it takes them, until somebody hangs up."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Protocol, runtime_checkable

from taxiway.endpoints.refusals import BodyRefused
from taxiway.endpoints.worker import wire
from taxiway.endpoints.worker.answering import Answering, encode, spelt
from taxiway.endpoints.worker.reading import read


@runtime_checkable
class Streams(Protocol):
    """A model that answers a row in pieces, as it makes them."""

    def stream(self, row: dict[str, Any]) -> Iterator[dict[str, Any]]: ...


def pieces_of(answering: Answering, rows: Sequence[bytes]) -> Iterator[bytes]:
    """A JSON object for each piece; of a model that answers whole just its answer.

    Raises BodyRefused for several rows, DecodeError, and whatever the model raises.
    """
    if len(rows) != 1:
        raise BodyRefused(problem=f"it holds {len(rows)} rows, and a stream answers one")
    predictor = answering.predictor
    if isinstance(predictor, Streams):
        for piece in predictor.stream(read(rows[0])):
            yield encode(spelt(piece))  # type: ignore[arg-type]  # the author's own, whatever it holds
    else:
        yield from answering.answers(rows)


def send_pieces(
    number: int, pieces: Iterator[bytes], send: Callable[[bytes], None], goes_on: Callable[[], bool]
) -> None:
    """Sends pieces until the last one, or until it is not to go on; then the generator ends where it stands."""
    try:
        for piece in pieces:
            send(wire.frame(wire.Piece(number, piece)))
            if not goes_on():
                return
    finally:
        close = getattr(pieces, "close", None)
        if close is not None:
            close()
