"""What runs log: points, parameters and tags, stored once however often and in whatever order batches come."""

from __future__ import annotations

import hashlib
import math
import re
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import msgspec
from sqlalchemy import Connection, Table, and_, case, func, or_, select, text
from sqlalchemy.dialects import postgresql, sqlite

from taxiway.kernel.numbers import from_wire, to_wire
from taxiway.runs import words
from taxiway.runs.compare import Scalar, is_same
from taxiway.runs.contract import LogBatch, Point
from taxiway.runs.refusals import ParamFixed
from taxiway.runs.store import params_of
from taxiway.runs.tables import LONGEST_HEAD, batches, keys, latest, params, points, tags, writers
from taxiway.storage.database import EPOCH

RESOLUTION = timedelta(microseconds=1)


def add(connection: Connection, table: Table) -> Any:
    """An INSERT that can say what to do when a row is there already: alike on both databases."""
    return sqlite.insert(table) if connection.dialect.name == "sqlite" else postgresql.insert(table)


class Row(NamedTuple):
    """A point as it is stored: moments in microseconds since 1970, a NaN as None."""

    key: str
    step: int
    at: int
    value: float | None


def rows_of(batch: LogBatch) -> list[Row]:
    found = []
    for point in batch.points:
        value = from_wire(point.value)
        at = (point.at - EPOCH) // RESOLUTION
        found.append(Row(point.key, point.step, at, None if math.isnan(value) else value))
    return found


def digest_of_rows(rows: Iterable[Row]) -> str:
    """The digest of a batch's points: over their MessagePack, in their order."""
    return f"sha256:{hashlib.sha256(msgspec.msgpack.encode(list(rows))).hexdigest()}"


def enter_batch(connection: Connection, *, writer: int, seq: int, items: int, digest: str) -> tuple[int, str] | None:
    """Notes a batch; gives the items and digest of the one that has its place already, None where it is new."""
    row = {"writer": writer, "seq": seq, "size": items, "digest": digest}
    entering = add(connection, batches).values(row).on_conflict_do_nothing().returning(batches.c.seq)
    if connection.execute(entering).first() is not None:
        return None
    query = select(batches.c.size, batches.c.digest).where(batches.c.writer == writer, batches.c.seq == seq)
    found = connection.execute(query).one()
    return found.size, found.digest


def writer_number(connection: Connection, *, run: int, writer: str) -> int:
    query = select(writers.c.number).where(writers.c.run == run, writers.c.writer == writer)
    found: int | None = connection.execute(query).scalar()
    if found is None:
        connection.execute(add(connection, writers).values(run=run, writer=writer).on_conflict_do_nothing())
        found = connection.execute(query).scalar_one()
    return found


def key_numbers(connection: Connection, names: set[str]) -> dict[str, int]:
    """The numbers of the keys, new ones included."""
    if not names:
        return {}
    query = select(keys.c.name, keys.c.number).where(keys.c.name.in_(names))
    found = {row.name: row.number for row in connection.execute(query)}
    if missing := sorted(names - found.keys()):
        connection.execute(add(connection, keys).on_conflict_do_nothing(), [{"name": name} for name in missing])
        found = {row.name: row.number for row in connection.execute(query)}
    return found


def add_points(connection: Connection, *, run: int, writer: int, seq: int, rows: Sequence[Row]) -> None:
    numbers = key_numbers(connection, {row.key for row in rows})
    whole = [(run, numbers[r.key], writer, seq + i, r.step, r.at, r.value) for i, r in enumerate(rows)]
    if connection.dialect.name == "sqlite":
        # The driver's own executemany: building a dictionary for each point would cost more than storing it.
        connection.exec_driver_sql("INSERT INTO run_points VALUES (?, ?, ?, ?, ?, ?, ?)", whole)
    else:
        # One statement with an array for each column: four times as fast as executemany.
        columns = dict(zip("rkwstav", map(list, zip(*whole, strict=True)), strict=True))
        connection.execute(UNNEST, columns)
    add_latest(connection, run, [(numbers[row.key], row) for row in rows])


UNNEST = text(
    "INSERT INTO run_points SELECT * FROM unnest(CAST(:r AS integer[]), CAST(:k AS integer[]), CAST(:w AS integer[]), "
    "CAST(:s AS bigint[]), CAST(:t AS bigint[]), CAST(:a AS bigint[]), CAST(:v AS double precision[]))"
)


def add_latest(connection: Connection, run: int, rows: Sequence[tuple[int, Row]]) -> None:
    """Brings the newest values forward: the highest step wins, at equal steps the latest, then the last stored."""
    newest: dict[int, Row] = {}
    count: dict[int, int] = {}
    for key, row in rows:
        count[key] = count.get(key, 0) + 1
        if key not in newest or (row.step, row.at) >= (newest[key].step, newest[key].at):
            newest[key] = row
    given = add(connection, latest)
    new, old = given.excluded, latest.c
    is_newer = or_(new.step > old.step, and_(new.step == old.step, new.at >= old.at))
    forward = {name: case((is_newer, new[name]), else_=old[name]) for name in ("value", "step", "at")}
    forward["points"] = old.points + new.points
    statement = given.on_conflict_do_update(index_elements=["run", "key"], set_=forward)
    values = [
        {"run": run, "key": key, "value": row.value, "step": row.step, "at": moment(row.at), "points": count[key]}
        for key, row in newest.items()
    ]
    connection.execute(statement, values)


def moment(micros: int) -> datetime:
    return EPOCH + timedelta(microseconds=micros)


def add_params(connection: Connection, *, run: int, id_: str, given: dict[str, Scalar]) -> None:
    """Adds parameters. One that is there with the same value stays. Raises ParamFixed."""
    if not given:
        return
    numbers = key_numbers(connection, set(given))
    rows = []
    for name, value in given.items():
        shown, kind = write_scalar(value), type(value).__name__
        row = {"run": run, "key": numbers[name], "kind": kind, "text": shown, "head": shown[:LONGEST_HEAD]}
        rows.append({**row, "value": as_number(value)})
    connection.execute(add(connection, params).on_conflict_do_nothing(), rows)
    kept = params_of(connection, [run])[run]
    for name, value in given.items():
        if not is_same(kept[name], value):
            raise ParamFixed(run=id_, param=name, value=repr(kept[name]), given=repr(value))


def write_scalar(value: Scalar) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return value if isinstance(value, str) else repr(value)


DECIMAL = re.compile(r"[+-]?(\d{1,300}(\.\d{0,300})?|\.\d{1,300})([eE][+-]?\d{1,3})?", re.ASCII)


def as_number(value: Scalar) -> float | None:
    """What a parameter is compared and ordered by, where it is a number that a float can hold, or reads as one.

    MLflow's client sends every parameter as text.
    """
    if isinstance(value, bool) or (isinstance(value, str) and not DECIMAL.fullmatch(value)):
        return None
    try:
        number = float(value)
    except OverflowError:
        return None
    return number if math.isfinite(number) else None


def put_tags(connection: Connection, *, run: int, given: dict[str, str]) -> None:
    """Adds tags; one that is there gets the new text."""
    if not given:
        return
    numbers = key_numbers(connection, set(given))
    statement = add(connection, tags)
    change = {"text": statement.excluded.text, "head": statement.excluded.head}
    rows = [{"run": run, "key": numbers[n], "text": t, "head": t[:LONGEST_HEAD]} for n, t in given.items()]
    putting = statement.on_conflict_do_update(index_elements=["run", "key"], set_=change)
    if is_any_there(connection, run, list(numbers.values())):
        with words.kept(connection, run):
            connection.execute(putting, rows)
    else:
        connection.execute(putting, rows)
        words.add(connection, run, words.words_of_run("", given))


def is_any_there(connection: Connection, run: int, numbers: Sequence[int]) -> bool:
    """Whether a run has one of these tags."""
    query = select(tags.c.key).where(tags.c.run == run, tags.c.key.in_(numbers)).limit(1)
    return connection.execute(query).first() is not None


# --- reading ---


class Place(msgspec.Struct, frozen=True):
    """Where a page of points ended."""

    step: int
    at: int
    writer: int
    seq: int


def points_of(
    connection: Connection, *, run: int, key: str, limit: int, after: Place | None
) -> tuple[list[Point], Place | None]:
    """Points by step, then time, then as they were written; and where to go on, None at the end."""
    query = (
        select(points.c.step, points.c.at, points.c.writer, points.c.seq, points.c.value)
        .join(keys, keys.c.number == points.c.key)
        .where(points.c.run == run, keys.c.name == key)
        .order_by(points.c.step, points.c.at, points.c.writer, points.c.seq)
        .limit(limit + 1)
    )
    if after is not None:
        query = query.where(beyond(after))
    rows = connection.execute(query).all()
    found = [Point(key, to_wire(float("nan") if r.value is None else r.value), r.step, r.at) for r in rows[:limit]]
    if len(rows) <= limit:
        return found, None
    last = rows[limit - 1]
    return found, Place(last.step, (last.at - EPOCH) // RESOLUTION, last.writer, last.seq)


def beyond(after: Place) -> Any:
    at = moment(after.at)
    c = points.c
    return or_(
        c.step > after.step,
        and_(c.step == after.step, c.at > at),
        and_(c.step == after.step, c.at == at, c.writer > after.writer),
        and_(c.step == after.step, c.at == at, c.writer == after.writer, c.seq > after.seq),
    )


def course(connection: Connection, *, run: int, key: str, columns: int) -> list[tuple[float, float]]:
    """A series for drawing, steps with values: all of it where it is short, else each column's extremes.

    A column is an equal part of the steps; its lowest and highest value stand at its first step.
    """
    of_series = (points.c.run == run, keys.c.name == key)
    joined = points.join(keys, keys.c.number == points.c.key)
    spread = select(func.count(), func.min(points.c.step), func.max(points.c.step)).select_from(joined)
    count, first, last = connection.execute(spread.where(*of_series)).one()
    if count <= 2 * columns:
        query = select(points.c.step, points.c.value).select_from(joined).where(*of_series)
        rows = connection.execute(query.order_by(points.c.step, points.c.at, points.c.writer, points.c.seq))
        return [(float(row.step), math.nan if row.value is None else row.value) for row in rows]
    width = (last - first) // columns + 1
    column = (points.c.step - first) // width
    query = (
        select(
            func.min(points.c.step).label("step"),
            func.min(points.c.value).label("low"),
            func.max(points.c.value).label("high"),
        )
        .select_from(joined)
        .where(*of_series)
        .group_by(column)
        .order_by(func.min(points.c.step))
    )
    found: list[tuple[float, float]] = []
    for row in connection.execute(query):
        extremes = {row.low, row.high}
        found += [(float(row.step), math.nan if value is None else value) for value in extremes]
    return found


def seal(connection: Connection, run: int) -> tuple[str, int]:
    """The digest over the digests of a run's batches, by writer and sequence, and how many points they hold."""
    query = (
        select(writers.c.writer, batches.c.seq, batches.c.size, batches.c.digest)
        .join(batches, batches.c.writer == writers.c.number)
        .where(writers.c.run == run)
        .order_by(writers.c.writer, batches.c.seq)
    )
    over = hashlib.sha256()
    for row in connection.execute(query):
        over.update(msgspec.msgpack.encode([row.writer, row.seq, row.size, row.digest]))
    count = connection.execute(select(func.sum(latest.c.points)).where(latest.c.run == run)).scalar() or 0
    return f"sha256:{over.hexdigest()}", int(count)
