"""What a run sends at once, made ready for the writer: nothing of it has to be computed inside a transaction."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import NamedTuple

import msgspec
import numpy as np

from taxiway.kernel.numbers import from_wire
from taxiway.runs.compare import Scalar
from taxiway.runs.contract import LogBatch
from taxiway.runs.points import times
from taxiway.runs.points.segments import LONGEST, Extremes, History, encode, extremes, history, join, pieces
from taxiway.storage.database import EPOCH

RESOLUTION = timedelta(microseconds=1)
NONE: Mapping[str, str] = {}
FEW = 16  # points for which arrays cost more than they save
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
    """What a writer of ours sent."""
    count = len(body.points) + sum(len(course.steps) for course in body.courses)
    params, tags = dict(body.params), dict(body.tags)
    if count <= FEW and not body.courses:
        batch = of_few(run, rows_of(body), params=params, tags=tags)
    else:
        batch = of_many(run, series_of(body), params=params, tags=tags)
    return msgspec.structs.replace(batch, writer=body.writer, seq=body.seq, size=count + len(params) + len(tags))


def rows_of(body: LogBatch) -> list[Row]:
    found = []
    for point in body.points:
        value = from_wire(point.value)
        at = (point.at - EPOCH) // RESOLUTION
        found.append(Row(point.key, point.step, at, None if math.isnan(value) else value))
    return found


def series_of(body: LogBatch) -> dict[str, History]:
    """The points of a batch by key, each in the order they were sent."""
    points = body.points
    parts = by_key(
        [point.key for point in points],
        history(
            [point.step for point in points],
            [(point.at - EPOCH) // RESOLUTION for point in points],
            [float(point.value) for point in points],
        ),
    )
    for course in body.courses:
        more = history(course.steps, course.at, course.values)
        parts[course.key] = join([parts[course.key], more]) if course.key in parts else more
    return parts


def by_key(keys: Sequence[str], points: History) -> dict[str, History]:
    """Points of several metrics as one series for each. keys: as many as there are points."""
    if not keys:
        return {}
    if keys.count(keys[0]) == len(keys):
        return {keys[0]: points}
    places: dict[str, list[int]] = {}
    for place, key in enumerate(keys):
        places.setdefault(key, []).append(place)
    return {key: points[np.array(found)] for key, found in places.items()}


def of_few(run: str, rows: Sequence[Row], *, params: Mapping[str, Scalar], tags: Mapping[str, str]) -> Batch:
    """A batch of a handful of points, without a writer and a place."""
    newest: dict[str, Newest] = {}
    for row in rows:
        said = Newest(row.step, row.at, row.value, 1, 0, row.value, row.value)
        newest[row.key] = both(newest[row.key], said) if row.key in newest else said
    return Batch(
        run=run,
        writer="",
        seq=None,
        size=len(rows),
        digest=hashlib.sha256(msgspec.msgpack.encode(rows)).digest(),
        rows=[(row.key, place, row.step, row.at, row.value) for place, row in enumerate(rows)],
        newest=newest,
        latest_at=max((row.at for row in rows), default=0),
        params=params,
        tags=tags,
    )


def of_many(
    run: str,
    given: Mapping[str, History],
    *,
    params: Mapping[str, Scalar] = NONE,
    tags: Mapping[str, str] = NONE,
    shortest: int = BLOCK,
) -> Batch:
    """A batch of series, without a writer and a place. shortest: so long a series becomes a segment at once."""
    tail: list[tuple[str, int, int, int, float | None]] = []
    blocks: list[tuple[str, Block]] = []
    newest: dict[str, Newest] = {}
    hashed: list[bytes] = []  # at once: each piece would give the interpreter to another thread
    place = 0
    for key, unordered in sorted(given.items()):
        points = unordered.ordered()
        if not len(points):
            continue
        hashed.append(msgspec.msgpack.encode([key, len(points)]))
        hashed += [column.tobytes() for column in (points.steps, points.at, points.values)]
        ends = extremes(points)
        newest[key] = newest_point(points, ends)
        if len(points) < shortest:
            newest[key] = newest[key]._replace(sealed=0)
            values = [None if math.isnan(value) else value for value in points.values.tolist()]
            columns = zip(points.steps.tolist(), points.at.tolist(), values, strict=True)
            tail += [(key, place + nth, *point) for nth, point in enumerate(columns)]
        else:
            whole = [(key, Block(len(points), ends, encode(points)))] if len(points) <= LONGEST else []
            blocks += whole or [(key, block(piece)) for piece in pieces(points, LONGEST)]
        place += len(points)
    return Batch(
        run=run,
        writer="",
        seq=None,
        size=place,
        digest=hashlib.sha256(b"".join(hashed)).digest(),
        rows=tail,
        blocks=blocks,
        newest=newest,
        latest_at=max((said.at for said in newest.values()), default=0),
        params=params,
        tags=tags,
    )


def block(points: History) -> Block:
    return Block(len(points), extremes(points), encode(points))


def newest_point(points: History, ends: Extremes) -> Newest:
    """What points in order that are stored as segments say of their key. At least one."""
    step, at = int(points.steps[-1]), int(points.at[-1])
    first = int(points.steps.searchsorted(step))
    ties = points.values[first:][points.at[first:] == at].tolist()
    numbers = [value for value in ties if not math.isnan(value)]
    value = max(numbers) if numbers else None
    return Newest(step, at, value, len(points), len(points), ends.low, ends.high)


def rank(step: int, at: int, value: float | None) -> tuple[int, int, bool, float]:
    """What makes a point newer than another: a higher step, then a later time, then a higher value; NaN is lowest."""
    return step, times.rank(at), value is not None, 0.0 if value is None else value


def both(one: Newest, other: Newest) -> Newest:
    """What two batches say of a key together."""
    last = max(one, other, key=lambda said: rank(said.step, said.at, said.value))
    lows = [value for value in (one.low, other.low) if value is not None]
    highs = [value for value in (one.high, other.high) if value is not None]
    points, sealed = one.points + other.points, one.sealed + other.sealed
    return Newest(last.step, last.at, last.value, points, sealed, min(lows, default=None), max(highs, default=None))
