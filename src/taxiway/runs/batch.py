"""What a run sends at once, made ready for the writer: nothing of it has to be computed inside a transaction."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from typing import NamedTuple

import msgspec
import numpy as np

from taxiway.kernel.numbers import from_wire
from taxiway.runs.compare import Scalar
from taxiway.runs.contract import LogBatch
from taxiway.runs.segments import LONGEST, Extremes, History, encode, extremes, history, pieces
from taxiway.storage.database import EPOCH

RESOLUTION = timedelta(microseconds=1)
BLOCK = 128  # so many points of one key in a batch are a segment at once; as rows they would cost some ten times more


class Row(NamedTuple):
    """A point as it is stored: moments in microseconds since 1970, a NaN as None."""

    key: str
    step: int
    at: int
    value: float | None


class Newest(NamedTuple):
    """What a batch says of a key: its newest point, how many there are, their lowest and highest value."""

    step: int
    at: int
    value: float | None
    points: int
    sealed: int
    low: float | None
    high: float | None


class Block(NamedTuple):
    """Points that are stored as a segment from the start."""

    points: int
    ends: Extremes
    data: bytes


class Batch(msgspec.Struct, frozen=True):
    """A batch that was checked. rows: what goes to the open tail, each with its place in the batch.

    seq: None where the content says which one it is.
    """

    run: str
    writer: str
    seq: int | None
    size: int
    digest: bytes
    rows: list[tuple[str, int, int, int, float | None]] = []
    blocks: list[tuple[str, Block]] = []
    newest: dict[str, Newest] = {}
    latest_at: int = 0
    params: Mapping[str, Scalar] = {}
    tags: Mapping[str, str] = {}
    is_amending: bool = False


def batch_of(run: str, body: LogBatch) -> Batch:
    rows = rows_of(body)
    batch = ready(run, rows, params=dict(body.params), tags=dict(body.tags))
    size = len(body.points) + len(body.params) + len(body.tags)
    return msgspec.structs.replace(batch, writer=body.writer, seq=body.seq, size=size)


def rows_of(body: LogBatch) -> list[Row]:
    found = []
    for point in body.points:
        value = from_wire(point.value)
        at = (point.at - EPOCH) // RESOLUTION
        found.append(Row(point.key, point.step, at, None if math.isnan(value) else value))
    return found


def ready(run: str, rows: Sequence[Row], *, params: Mapping[str, Scalar], tags: Mapping[str, str]) -> Batch:
    """A batch of these rows, without a writer and a place."""
    tail: list[tuple[str, int, int, int, float | None]] = []
    blocks: list[tuple[str, Block]] = []
    newest: dict[str, Newest] = {}
    if len(rows) == 1:
        row = rows[0]
        tail = [(row.key, 0, row.step, row.at, row.value)]
        newest = {row.key: Newest(row.step, row.at, row.value, 1, 0, row.value, row.value)}
    elif rows:
        for key, places in places_by_key(rows).items():
            if len(places) < BLOCK:
                found = [rows[place] for place in places]
                tail += [(key, place, rows[place].step, rows[place].at, rows[place].value) for place in places]
                newest[key] = newest_row(found)
            else:
                points = history_of_rows([rows[place] for place in places]).ordered()
                blocks += [(key, block(piece)) for piece in pieces(points, LONGEST)]
                newest[key] = newest_point(points)
    return Batch(
        run=run,
        writer="",
        seq=None,
        size=len(rows),
        digest=digest_of(rows),
        rows=tail,
        blocks=blocks,
        newest=newest,
        latest_at=max((row.at for row in rows), default=0),
        params=params,
        tags=tags,
    )


def batch_of_history(given: Mapping[str, History], *, shortest: int = BLOCK) -> Batch:
    """A batch of whole series, which its content tells from every other one. shortest: that becomes a segment."""
    tail: list[tuple[str, int, int, int, float | None]] = []
    blocks: list[tuple[str, Block]] = []
    newest: dict[str, Newest] = {}
    over = hashlib.sha256()
    place = 0
    for key, unordered in sorted(given.items()):
        points = unordered.ordered()
        if not len(points):
            continue
        over.update(msgspec.msgpack.encode([key, len(points)]))
        for column in (points.steps, points.at, points.values):
            over.update(np.ascontiguousarray(column).tobytes())
        newest[key] = newest_point(points)
        if len(points) < shortest:
            newest[key] = newest[key]._replace(sealed=0)
            values = [None if math.isnan(value) else value for value in points.values.tolist()]
            columns = zip(points.steps.tolist(), points.at.tolist(), values, strict=True)
            tail += [(key, place + nth, *point) for nth, point in enumerate(columns)]
        else:
            blocks += [(key, block(piece)) for piece in pieces(points, LONGEST)]
        place += len(points)
    latest_at = max((said.at for said in newest.values()), default=0)
    return Batch("", "", None, place, over.digest(), tail, blocks, newest, latest_at)


def digest_of(rows: Iterable[Row]) -> bytes:
    """The SHA-256 of a batch's points: over their MessagePack, in their order."""
    return hashlib.sha256(msgspec.msgpack.encode(list(rows))).digest()


def places_by_key(rows: Sequence[Row]) -> dict[str, list[int]]:
    found: dict[str, list[int]] = {}
    for place, row in enumerate(rows):
        found.setdefault(row.key, []).append(place)
    return found


def history_of_rows(rows: Sequence[Row]) -> History:
    return history([row.step for row in rows], [row.at for row in rows], [row.value for row in rows])


def block(points: History) -> Block:
    return Block(len(points), extremes(points), encode(points))


def newest_row(rows: Sequence[Row]) -> Newest:
    """Of at least one row."""
    last = max(rows, key=lambda row: rank(row.step, row.at, row.value))
    numbers = [row.value for row in rows if row.value is not None]
    low, high = (min(numbers), max(numbers)) if numbers else (None, None)
    return Newest(last.step, last.at, last.value, len(rows), 0, low, high)


def newest_point(points: History) -> Newest:
    """The same of points in order, which are stored as segments."""
    step, at = int(points.steps[-1]), int(points.at[-1])
    ends = extremes(points)
    ties = points.values[(points.steps == step) & (points.at == at)].tolist()
    numbers = [value for value in ties if not math.isnan(value)]
    value = max(numbers) if numbers else None
    return Newest(step, at, value, len(points), len(points), ends.low, ends.high)


def rank(step: int, at: int, value: float | None) -> tuple[int, int, bool, float]:
    """What makes a point newer than another: a higher step, then a later time, then a higher value; NaN is lowest."""
    return step, at, value is not None, 0.0 if value is None else value


def both(one: Newest, other: Newest) -> Newest:
    """What two batches say of a key together."""
    last = max(one, other, key=lambda said: rank(said.step, said.at, said.value))
    lows = [value for value in (one.low, other.low) if value is not None]
    highs = [value for value in (one.high, other.high) if value is not None]
    points, sealed = one.points + other.points, one.sealed + other.sealed
    return Newest(last.step, last.at, last.value, points, sealed, min(lows, default=None), max(highs, default=None))
