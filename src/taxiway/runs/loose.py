"""What comes to a run from writers that number nothing, as other systems' clients do: its content is its number."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

import msgspec

from taxiway.kernel.errors import BadField, TooLarge
from taxiway.runs.batch import Batch, Row, ready
from taxiway.runs.compare import Scalar
from taxiway.runs.paths import check_key

WRITER = f"{0:032x}"  # the one writer of a run for all that comes without a writer
MOST_POINTS = 20_000
MOST_PAIRS = 1_000
LATEST = (datetime(9999, 12, 31, tzinfo=UTC) - datetime(1970, 1, 1, tzinfo=UTC)).days * 86_400_000_000
HASH_BITS = 21  # of a number's 62, under the 41 of the milliseconds
MOST_PLACES = 64


class Items(msgspec.Struct, frozen=True):
    """Points, parameters and tags for a run, all of which are stored, or none.

    points: identical ones (key, step, time, value) count once. The very same points in one call, again, are known.
    params: one that is there with the same value stays; another value is refused. tags: a new text replaces the old.
    """

    points: Sequence[Row] = ()
    params: dict[str, Scalar] = {}
    tags: dict[str, str] = {}


def checked(items: Items) -> Items:
    """The items with identical points once and every NaN as None. Raises BadField, TooLarge."""
    for what, found, most in (
        ("The number of points", len(items.points), MOST_POINTS),
        ("The number of parameters", len(items.params), MOST_PAIRS),
        ("The number of tags", len(items.tags), MOST_PAIRS),
    ):
        if found > most:
            raise TooLarge(what=what, limit=most, found=found)
    for key in {row.key for row in items.points}:
        check_key("points.key", key)
    for number, row in enumerate(items.points):
        if not 0 <= row.at <= LATEST:
            expected = "microseconds from 1970 to 9999"
            raise BadField(field=f"points[{number}].at", value=str(row.at), expected=expected)
    for name in (*items.params, *items.tags):
        check_key("params or tags", name)
    whole = (
        row if row.value is None or not math.isnan(row.value) else row._replace(value=None) for row in items.points
    )
    return msgspec.structs.replace(items, points=list(dict.fromkeys(whole)))


def checked_batch(run: str, items: Items) -> Batch:
    """The items as a batch that its content tells from every other one. Raises BadField, TooLarge."""
    given = checked(items)
    batch = ready(run, given.points, params=given.params, tags=given.tags)
    return msgspec.structs.replace(batch, writer=WRITER)


def places(latest_at: int, digest: bytes) -> Iterator[int]:
    """Where a batch of this content stands in its writer's sequence: the first place, or where it is taken the next.

    The first is near the batch's time, so that what is logged one after the other lies together on the disk.
    """
    milliseconds = min(latest_at // 1000, 2**41 - 1)
    yield (milliseconds << HASH_BITS) + int.from_bytes(digest[:8]) % 2**HASH_BITS
    for attempt in range(1, MOST_PLACES):
        drawn = hashlib.sha256(digest + attempt.to_bytes(2)).digest()
        yield int.from_bytes(drawn[:8]) % 2**62


def is_nan(value: float | None) -> bool:
    return value is not None and math.isnan(value)
