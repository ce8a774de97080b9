"""What comes to a run from writers that number nothing, as other systems' clients do: its content is its number."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterator, Mapping, Sequence

import msgspec

from taxiway.kernel.errors import BadField, TooLarge
from taxiway.runs.compare import Scalar
from taxiway.runs.paths import check_key
from taxiway.runs.points import times
from taxiway.runs.points.batch import FEW, Batch, Row, by_key, of_few, of_many
from taxiway.runs.points.segments import History, history, join

WRITER = f"{0:032x}"  # the one writer of a run for all that comes without a writer
MOST_POINTS = 20_000
MOST_PAIRS = 1_000
HASH_BITS = 21  # of a number's 62, under the 41 of the milliseconds
MOST_PLACES = 64


class Items(msgspec.Struct, frozen=True):
    """Points, parameters and tags for a run, all of which are stored, or none.

    points: identical ones (key, step, time, value) count once. The very same points in one call, again, are known.
    series: more points, as arrays by key; many of them cost a tenth that way.
    params: one that is there with the same value stays; another value is refused. tags: a new text replaces the old.
    """

    points: Sequence[Row] = ()
    params: Mapping[str, Scalar] = {}
    tags: Mapping[str, str] = {}
    series: Mapping[str, History] = {}

    @property
    def size(self) -> int:
        """How many points there are."""
        return len(self.points) + sum(len(points) for points in self.series.values())


def checked_batch(run: str, items: Items) -> Batch:
    """The items as a batch that its content tells from every other one. Raises BadField, TooLarge."""
    for what, found, most in (
        ("The number of points", items.size, MOST_POINTS),
        ("The number of parameters", len(items.params), MOST_PAIRS),
        ("The number of tags", len(items.tags), MOST_PAIRS),
    ):
        if found > most:
            raise TooLarge(what=what, limit=most, found=found)
    for name in (*items.params, *items.tags):
        check_key("params or tags", name)
    if items.size <= FEW and not items.series:
        rows = [checked_row(number, row) for number, row in enumerate(items.points)]
        batch = of_few(run, list(dict.fromkeys(rows)), params=items.params, tags=items.tags)
    else:
        given = {key: checked_series(key, points) for key, points in all_series(items).items()}
        batch = of_many(run, given, params=items.params, tags=items.tags)
    return msgspec.structs.replace(batch, writer=WRITER)


def checked_row(number: int, row: Row) -> Row:
    """The point as it is stored. Raises BadField."""
    check_key("points.key", row.key)
    if not times.is_moment(row.at):
        raise BadField(field=f"points[{number}].at", value=str(row.at), expected=times.WORDS)
    return row._replace(value=None) if row.value is not None and math.isnan(row.value) else row


def checked_series(key: str, points: History) -> History:
    """The points in order, identical ones once. Raises BadField."""
    check_key("points.key", key)
    latest = times.signed(int(times.unsigned(points.at).max()))
    if not times.is_moment(latest):
        raise BadField(field=f"the times of {key}", value=str(latest), expected=times.WORDS)
    return points.ordered_by_value().distinct()


def all_series(items: Items) -> dict[str, History]:
    """The points of both forms by key."""
    rows = items.points
    columns = ([row.step for row in rows], [row.at for row in rows], [row.value for row in rows])
    found = by_key([row.key for row in rows], history(*columns))
    for key, points in items.series.items():
        if len(points):
            found[key] = join([found[key], points]) if key in found else points
    return found


def places(latest_at: int, digest: bytes) -> Iterator[int]:
    """Where a batch of this content stands in its writer's sequence: the first place, or where it is taken the next.

    The first is near the batch's time, so that what is logged one after the other lies together on the disk.
    """
    milliseconds = min(times.rank(latest_at) // 1000, 2**41 - 1)
    yield (milliseconds << HASH_BITS) + int.from_bytes(digest[:8]) % 2**HASH_BITS
    for attempt in range(1, MOST_PLACES):
        drawn = hashlib.sha256(digest + attempt.to_bytes(2)).digest()
        yield int.from_bytes(drawn[:8]) % 2**62
