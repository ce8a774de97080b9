"""The sealer: moves what piled up in the open tails of series into segments, while nothing else is asked of it."""

from __future__ import annotations

import logging
import queue
import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence

from sqlalchemy import Connection, delete, func, select, update

from taxiway.kernel.errors import TaxiwayError
from taxiway.runs.points.appending import put_segments
from taxiway.runs.points.batch import Block, block
from taxiway.runs.points.history import MOST_AT_ONCE
from taxiway.runs.points.segments import LONGEST, History, decode, history, join, pieces
from taxiway.runs.tables import latest, segments
from taxiway.storage.database import Database
from taxiway.storage.writes import Change, Writer

log = logging.getLogger("taxiway.runs")

MOST_WATCHED = 10_000  # series whose growth is counted; one that is forgotten is sealed a little later
FIRST_LOOK_S = 60.0  # a process that lives that long looks for what earlier ones left
MERGED = 12  # long segments that are made of short ones at a time: each time costs a commit
MOST_MERGED = 64  # short segments that become long ones in one change

Named = tuple[int, int]  # a run's number and a key's
Step = Callable[[Change, int, int], bool]  # does a part of what is to do for a series; whether there is more


class Sealer:
    """Seals series on a thread of its own, which begins with the first that is long enough."""

    def __init__(self, database: Database, writer: Writer) -> None:
        self.database = database
        self.writer = writer
        self.tails: OrderedDict[Named, int] = OrderedDict()
        self.shorts: OrderedDict[Named, int] = OrderedDict()
        self.waiting: queue.SimpleQueue[tuple[Step, Named] | None] = queue.SimpleQueue()
        self.thread = threading.Thread(target=self._work, name="taxiway-sealer", daemon=True)
        self.is_closed = False
        self.thread.start()

    def grew(self, run: int, key: int, in_tail: int, in_segments: int) -> None:
        """Notes that a series has more points. Called on the writer's thread after a commit."""
        if count(self.tails, (run, key), in_tail, LONGEST):
            self.waiting.put((seal_tail, (run, key)))
        if count(self.shorts, (run, key), in_segments % LONGEST, MERGED * LONGEST):
            self.waiting.put((merge_short, (run, key)))

    def close(self) -> None:
        """Finishes the series under way and leaves the rest for later."""
        self.is_closed = True
        self.waiting.put(None)
        self.thread.join()

    def _work(self) -> None:
        has_looked = False
        while not self.is_closed:
            try:
                found = self.waiting.get(timeout=None if has_looked else FIRST_LOOK_S)
                if found is not None:
                    self._do(*found)
            except queue.Empty:
                has_looked = True
                for series in self.left_behind():
                    self.waiting.put((seal_tail, series))
                    self.waiting.put((merge_short, series))
            except TaxiwayError as e:  # the database is away or full: the points stay where they are, readable
                log.warning("A series stays unsealed: %s", e)
            except Exception:  # the worker loop: a series that cannot be sealed stays as it is
                log.exception("Sealing a series failed")

    def left_behind(self) -> list[Named]:
        """The series that earlier processes left with long tails, or in many short segments."""
        tails = select(latest.c.run, latest.c.key).where(latest.c.points - latest.c.sealed >= LONGEST)
        short = select(segments.c.run, segments.c.key).where(segments.c.points < LONGEST)
        short = short.group_by(segments.c.run, segments.c.key).having(func.sum(segments.c.points) >= LONGEST)
        with self.database.read() as connection:
            found = [*connection.execute(tails), *connection.execute(short)]
        return list(dict.fromkeys((run, key) for run, key in found))

    def seal(self, run: int, key: int) -> None:
        """Brings a series into as few segments as it fits in. Raises what the write path raises."""
        self._do(seal_tail, (run, key))
        self._do(merge_short, (run, key))

    def _do(self, step: Step, series: Named) -> None:
        while self.writer.write(lambda change: step(change, *series)):
            pass


def count(counts: OrderedDict[Named, int], series: Named, more: int, most: int) -> bool:
    """Whether a series has grown by so many points since the last time it had; the count begins anew then."""
    if not more:
        return False
    grown = counts.pop(series, 0) + more
    if grown >= most:
        return True
    counts[series] = grown
    if len(counts) > MOST_WATCHED:
        counts.popitem(last=False)
    return False


def seal_tail(change: Change, run: int, key: int) -> bool:
    """Moves the first points of a tail into a segment; whether another one may follow."""
    connection = change.connection
    of_series = f"run = {run:d} AND key = {key:d}"
    statement = f"""SELECT step, at, value, writer, seq FROM run_points WHERE {of_series}
        ORDER BY step, at, writer, seq LIMIT {LONGEST + 1:d}"""  # noqa: S608 - whole numbers of ours
    rows = connection.exec_driver_sql(statement).all()
    if len(rows) < LONGEST:
        return False
    moved = rows[:LONGEST]
    steps, at, values, _, _ = zip(*moved, strict=True)
    put_segments(connection, [(run, key, block(history(steps, at, values)))])
    last = moved[-1]
    until = f"({last.step:d}, {last.at:d}, {last.writer:d}, {last.seq:d})"
    gone = connection.exec_driver_sql(
        f"DELETE FROM run_points WHERE {of_series} AND (step, at, writer, seq) <= {until}"  # noqa: S608 - whole numbers of ours
    )
    if gone.rowcount != LONGEST:
        raise RuntimeError(f"{gone.rowcount} points left a tail of which {LONGEST} were sealed")
    count_sealed = update(latest).where(latest.c.run == run, latest.c.key == key)
    connection.execute(count_sealed.values(sealed=latest.c.sealed + LONGEST))
    return len(rows) > LONGEST


def merge_short(change: Change, run: int, key: int) -> bool:
    """Makes long segments of short ones that follow each other; whether there may be more of them."""
    connection = change.connection
    query = select(segments.c.number, segments.c.points).where(segments.c.run == run, segments.c.key == key)
    found = [
        (number, points) for number, points in connection.execute(query.order_by(segments.c.number).with_for_update())
    ]
    numbers = neighbours(found)
    if not numbers:
        return False
    points = join(load(connection, numbers)).ordered()
    merged = [block(piece) for piece in pieces(points)]
    for number, one in zip(numbers, merged, strict=False):
        connection.execute(update(segments).where(segments.c.number == number).values(columns_of(one)))
    connection.execute(delete(segments).where(segments.c.number.in_(numbers[len(merged) :])))
    after = next(place for place, (number, _) in enumerate(found) if number == numbers[-1]) + 1
    return bool(neighbours(found[after:]))


def neighbours(found: Sequence[tuple[int, int]]) -> list[int]:
    """The numbers of short segments in a row that hold enough for a long one; none where there are none."""
    row: list[int] = []
    total = 0
    for number, points in found:
        if points >= LONGEST:
            row, total = [], 0
            continue
        row.append(number)
        total += points
        if total >= LONGEST and (total >= MERGED * LONGEST or len(row) == MOST_MERGED):
            return row
    return row if total >= LONGEST else []


def load(connection: Connection, numbers: Sequence[int]) -> list[History]:
    """The points of segments in the order of their numbers, which rise."""
    found: list[History] = []
    for start in range(0, len(numbers), MOST_AT_ONCE):
        part = numbers[start : start + MOST_AT_ONCE]
        query = select(segments.c.points, segments.c.data).where(segments.c.number.in_(part))
        for points, data in connection.execute(query.order_by(segments.c.number)):
            found.append(decode(bytes(data), points))
    return found


def columns_of(one: Block) -> dict[str, object]:
    ends = one.ends
    return {
        "points": one.points,
        "first_step": ends.first_step,
        "last_step": ends.last_step,
        "first_at": ends.first_at,
        "last_at": ends.last_at,
        "low": ends.low,
        "high": ends.high,
        "data": one.data,
    }
