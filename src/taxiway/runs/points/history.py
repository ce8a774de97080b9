"""Reading series: the sealed segments and the open tail as one, whole, page by page, or as what a drawing shows."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, select

from taxiway.runs.points.segments import NOTHING, History, decode, history, join
from taxiway.runs.points.times import LATEST, rank, unsigned, within_calendar
from taxiway.runs.tables import keys, segments

MOST_AT_ONCE = 500  # segments read by one statement: some 20 MB


class Header(NamedTuple):
    """A segment without its points. low, high: None where it holds no numbers."""

    number: int
    points: int
    first_step: int
    last_step: int
    first_at: int
    last_at: int
    low: float | None
    high: float | None


class Series:
    """A metric of a run, as a connection sees it. Nothing is read before it is asked for."""

    def __init__(self, connection: Connection, *, run: int, key: str) -> None:
        """connection: one that sees a single state of the database, while the sealer moves points."""
        self.connection = connection
        self.run = run
        found: int | None = connection.execute(select(keys.c.number).where(keys.c.name == key)).scalar()
        self.key = found

    def headers(self) -> list[Header]:
        """Of all segments, in the order they were made."""
        if self.key is None:
            return []
        names = ", ".join(Header._fields)
        of_series = f"run = {self.run:d} AND key = {self.key:d}"
        statement = f"SELECT {names} FROM run_segments WHERE {of_series} ORDER BY number"  # noqa: S608 - whole numbers of ours
        return [Header(*row) for row in self.connection.exec_driver_sql(statement)]

    def tail(self, first_step: int | None = None) -> History:
        """The points that are in no segment, in order, from a step on."""
        if self.key is None:
            return NOTHING
        above = "" if first_step is None else f"AND step >= {first_step:d}"
        statement = f"""SELECT step, at, value FROM run_points WHERE run = {self.run:d} AND key = {self.key:d} {above}
            ORDER BY step, at, writer, seq"""  # noqa: S608 - whole numbers of ours
        rows = self.connection.exec_driver_sql(statement).all()
        return history(*zip(*rows, strict=True)) if rows else NOTHING

    def load(self, headers: Sequence[Header]) -> list[History]:
        """The points of segments, in the order of the headers."""
        found: dict[int, History] = {}
        for start in range(0, len(headers), MOST_AT_ONCE):
            part = headers[start : start + MOST_AT_ONCE]
            query = select(segments.c.number, segments.c.points, segments.c.data)
            query = query.where(segments.c.number.in_([header.number for header in part]))
            for number, points, data in self.connection.execute(query):
                found[number] = decode(bytes(data), points)
        return [found[header.number] for header in headers]

    def whole(self, first_step: int | None = None, last_step: int | None = None) -> History:
        """Every point by step and time, then as they were stored; or those between two steps, both counted."""
        wanted = [header for header in self.headers() if is_within(header, first_step, last_step)]
        found = join([*self.load(wanted), self.tail(first_step)]).ordered()
        first = 0 if first_step is None else int(np.searchsorted(found.steps, first_step, side="left"))
        last = len(found) if last_step is None else int(np.searchsorted(found.steps, last_step, side="right"))
        return found[first:last]


def history_of(connection: Connection, *, run: int, key: str) -> History:
    """Every point of a series by step and time, then as they were stored."""
    return Series(connection, run=run, key=key).whole()


def is_within(header: Header, first_step: int | None, last_step: int | None) -> bool:
    return (first_step is None or header.last_step >= first_step) and (
        last_step is None or header.first_step <= last_step
    )


# --- pages ---


class Place(msgspec.Struct, frozen=True):
    """Where a page ended: at the last point's step and time, of which it held so many points."""

    step: int
    at: int
    nth: int


def page_of(series: Series, *, limit: int, after: Place | None) -> tuple[History, Place | None]:
    """Points by step and time, then as they were stored; and where to go on, None at the end."""
    first_step = None if after is None else after.step
    wanted = limit + 1 + (after.nth if after else 0)
    headers = [header for header in series.headers() if is_within(header, first_step, None)]
    points = enough(series, headers, after, wanted)
    start = count_before(points, after) + after.nth if after else 0
    page = points[start : start + limit]
    if start + limit >= len(points):
        return page, None
    step, at = int(page.steps[-1]), int(page.at[-1])
    same = (points.steps[: start + limit] == step) & (points.at[: start + limit] == at)
    return page, Place(step, at, int(same.sum()))


def enough(series: Series, headers: Sequence[Header], after: Place | None, wanted: int) -> History:
    """At least so many points from a place on, in order and without a gap; segments beyond them stay unread."""
    tail = series.tail(None if after is None else after.step)
    loaded: dict[int, History] = {}
    until: int | None = None
    for header in sorted(headers, key=lambda header: header.first_step):
        if sum(count_within(part, after, header.first_step) for part in (*loaded.values(), tail)) >= wanted:
            until = header.first_step
            break
        loaded[header.number] = series.load([header])[0]
    found = join([*(loaded[number] for number in sorted(loaded)), tail]).ordered()
    return found if until is None else found[: int(np.searchsorted(found.steps, until, side="left"))]


def count_within(points: History, after: Place | None, until: int) -> int:
    """How many points stand at the place or after it, below a step."""
    below = int((points.steps < until).sum())
    return below if after is None else max(below - count_before(points, after), 0)


def count_before(points: History, place: Place) -> int:
    is_before = (points.steps < place.step) | ((points.steps == place.step) & (unsigned(points.at) < rank(place.at)))
    return int(is_before.sum())


# --- drawings ---


class Columns:
    """The extremes of a series in equal parts of its steps, or of its times."""

    def __init__(self, count: int, first: int, last: int) -> None:
        self.first = first
        self.width = (last - first) // count + 1
        self.starts: list[int | None] = [None] * count
        self.lows = np.full(count, np.inf)
        self.highs = np.full(count, -np.inf)
        self.has_numbers = np.zeros(count, np.bool_)

    def column(self, place: int) -> int:
        return (place - self.first) // self.width

    def add_whole(self, start: int, low: float | None, high: float | None) -> None:
        """Points of one column, of which only the ends are known."""
        column = self.column(start)
        known = self.starts[column]
        self.starts[column] = start if known is None else min(known, start)
        if low is not None and high is not None:
            self.has_numbers[column] = True
            self.lows[column] = min(float(self.lows[column]), low)
            self.highs[column] = max(float(self.highs[column]), high)

    def add(self, places: NDArray[np.int64], values: NDArray[np.float64]) -> None:
        # The differences are those of whole numbers without a sign: what lies furthest apart may be 2^64 - 1.
        beyond = places.view(np.uint64) - np.uint64(self.first % 2**64)
        columns = (beyond // np.uint64(self.width)).astype(np.int64)
        for column in np.unique(columns).tolist():
            start, known = int(places[columns == column].min()), self.starts[column]
            self.starts[column] = start if known is None else min(known, start)
        is_number = ~np.isnan(values)
        columns, values = columns[is_number], values[is_number]
        self.has_numbers[columns] = True
        np.minimum.at(self.lows, columns, values)
        np.maximum.at(self.highs, columns, values)

    def drawn(self) -> Iterable[tuple[float, float]]:
        """Where each column's first point stands with its lowest value, and with its highest if that is another."""
        for start, low, high, has in zip(self.starts, self.lows, self.highs, self.has_numbers, strict=True):
            if start is None:
                continue
            if not has:
                yield float(start), float("nan")
                continue
            yield float(start), float(low)
            if high != low:
                yield float(start), float(high)


def course(series: Series, *, columns: int, by_time: bool = False) -> list[tuple[float, float]]:
    """A series for drawing: steps (or microseconds since 1970) with values, all of them where there are few.

    Else each column's extremes: a column is an equal part of the axis. What lies in one column whole is not read.
    """
    headers, tail = series.headers(), series.tail()
    if len(tail) + sum(header.points for header in headers) <= 2 * columns:
        found = join([*series.load(headers), tail]).ordered()
        places = within_calendar(found.at) if by_time else found.steps
        order = np.argsort(places, kind="stable")
        return list(zip(places[order].astype(float).tolist(), found.values[order].tolist(), strict=True))
    spans = [calendar_span(h) if by_time else (h.first_step, h.last_step) for h in headers]
    tail_places = within_calendar(tail.at) if by_time else tail.steps
    ends = [end for span in spans for end in span]
    if len(tail):
        ends += [int(tail_places.min()), int(tail_places.max())]
    drawn = Columns(columns, min(ends), max(ends))
    straddling = []
    for header, (first, last) in zip(headers, spans, strict=True):
        if drawn.column(first) == drawn.column(last):
            drawn.add_whole(first, header.low, header.high)
        else:
            straddling.append(header)
    for part in (*series.load(straddling), tail):
        if len(part):
            drawn.add(within_calendar(part.at) if by_time else part.steps, part.values)
    return list(drawn.drawn())


def calendar_span(header: Header) -> tuple[int, int]:
    return min(rank(header.first_at), LATEST), min(rank(header.last_at), LATEST)
