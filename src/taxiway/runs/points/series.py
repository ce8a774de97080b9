"""What runs log besides points: the names of it all, parameters, tags, and the seal over every batch."""

from __future__ import annotations

import hashlib
import math
import re
from collections.abc import Iterable, Sequence

import msgspec
from sqlalchemy import Connection, func, select

from taxiway.runs.compare import Scalar, is_same
from taxiway.runs.refusals import ParamFixed
from taxiway.runs.search import words
from taxiway.runs.store import params_of
from taxiway.runs.tables import LONGEST_HEAD, batches, keys, latest, tags, writers
from taxiway.storage.rows import Into, inserting, put_rows

PARAMS = Into(
    "run_params",
    (
        ("run", "integer"),
        ("key", "integer"),
        ("kind", "varchar"),
        ("text", "text"),
        ("head", "varchar"),
        ("value", "double precision"),
    ),
    "ON CONFLICT DO NOTHING",
)


def key_numbers(connection: Connection, names: set[str]) -> dict[str, int]:
    """The numbers of the keys, new ones included."""
    if not names:
        return {}
    query = select(keys.c.name, keys.c.number).where(keys.c.name.in_(names))
    found = {row.name: row.number for row in connection.execute(query)}
    if missing := sorted(names - found.keys()):
        connection.execute(inserting(connection, keys).on_conflict_do_nothing(), [{"name": name} for name in missing])
        found = {row.name: row.number for row in connection.execute(query)}
    return found


def add_params(connection: Connection, *, run: int, id_: str, given: dict[str, Scalar]) -> None:
    """Adds parameters. One that is there with the same value stays. Raises ParamFixed."""
    if not given:
        return
    numbers = key_numbers(connection, set(given))
    put_params(connection, [(run, numbers[name], value) for name, value in given.items()])
    kept = params_of(connection, [run])[run]
    for name, value in given.items():
        if not is_same(kept[name], value):
            raise ParamFixed(run=id_, param=name, value=repr(kept[name]), given=repr(value))


def put_params(connection: Connection, given: Sequence[tuple[int, int, Scalar]]) -> None:
    """Adds parameters by run and key; those that are there stay as they are."""
    rows = []
    for run, key, value in given:
        shown = write_scalar(value)
        rows.append((run, key, type(value).__name__, shown, shown[:LONGEST_HEAD], as_number(value)))
    put_rows(connection, PARAMS, rows)


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
    statement = inserting(connection, tags)
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


def seal(connection: Connection, run: int) -> tuple[str, int]:
    """The digest over the digests of a run's batches, by writer and sequence, and how many points they hold."""
    query = (
        select(writers.c.writer, batches.c.seq, batches.c.size, batches.c.digest)
        .join(batches, batches.c.writer == writers.c.number)
        .where(writers.c.run == run)
        .order_by(writers.c.writer, batches.c.seq)
    )
    sealed = seal_over((row.writer, row.seq, row.size, bytes(row.digest)) for row in connection.execute(query))
    count = connection.execute(select(func.sum(latest.c.points)).where(latest.c.run == run)).scalar() or 0
    return sealed, int(count)


def seal_over(batches_: Iterable[tuple[str, int, int, bytes]]) -> str:
    """The digest over batches in their order: each with its writer, sequence, size and own digest."""
    over = hashlib.sha256()
    for batch in batches_:
        over.update(msgspec.msgpack.encode(batch))
    return f"sha256:{over.hexdigest()}"
