"""Fills a database with many runs, much faster than by logging them: 20 metrics, 10 parameters and 6 tags each."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Table, func, insert, select, text

from taxiway.runs import tables
from taxiway.runs.search.words import words_of, words_of_run
from taxiway.storage.database import Database

METRICS = ("accuracy", "auc", "loss", *(f"metric_{i}" for i in range(17)))
PARAMS = ("lr", "model", "depth", *(f"param_{i}" for i in range(7)))
TAGS = ("team", "stage", *(f"tag_{i}" for i in range(4)))
MODELS = ("logistic", "forest", "boosted trees", "network")
COLOURS = ("calm", "brisk", "amber", "quiet", "silver", "early", "distant", "plain")
BIRDS = ("heron", "crane", "swift", "plover", "kestrel", "tern", "wren", "stork")
TEAMS = ("risk", "pricing", "fraud", "vision", "search", "growth", "ops", "core")
EXPERIMENTS = 20
DRAWN = 5_000
START = datetime(2026, 1, 1, tzinfo=UTC)
STARTED = round(START.timestamp()) * 1_000_000  # as points tell their times, in microseconds
POINTS = 40


def fill(database: Database, count: int, *, project: str = "default", charted: int = 200) -> None:
    """Adds so many ended runs in 20 experiments of a project; the newest ones have a course of `loss`.

    What the first thousands logged is drawn; the others log the same, by a hair moved, which the database copies.
    The project need not exist: nothing that searches looks at it.
    """
    drawn = random.Random(7)
    with database.engine.begin() as connection:
        keys = add_keys(connection)
        where = (project, add_experiments(connection, project))
        first = (connection.execute(select(func.max(tables.runs.c.number))).scalar() or 0) + 1
        base = range(first, first + min(count, DRAWN))
        add_logged(connection, drawn, base, keys)
        for begin in range(first + len(base), first + count, len(base)):
            copy_logged(connection, base, shift=begin - first, most=first + count - begin)
        for begin in range(first, first + count, DRAWN):
            add_runs(connection, drawn, range(begin, min(begin + DRAWN, first + count)), where)
        add_courses(connection, drawn, range(max(first, first + count - charted), first + count), keys["loss"])
        if connection.dialect.name == "postgresql":
            connection.execute(
                text("SELECT setval(pg_get_serial_sequence('runs', 'number'), :n)"), {"n": first + count}
            )
    with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("ANALYZE"))


def add_keys(connection: Connection) -> dict[str, int]:
    rows = connection.execute(select(tables.keys.c.name, tables.keys.c.number))
    known = {row.name: row.number for row in rows}
    new = [{"name": name} for name in (*METRICS, *PARAMS, *TAGS) if name not in known]
    if new:
        connection.execute(insert(tables.keys), new)
    return {row.name: row.number for row in connection.execute(select(tables.keys.c.name, tables.keys.c.number))}


def add_experiments(connection: Connection, project: str) -> int:
    first = (connection.execute(select(func.max(tables.experiments.c.number))).scalar() or 0) + 1
    row = {"project": project, "created_by": "bench", "created_at": START, "changed_at": START}
    rows = [{**row, "number": first + i, "name": f"study-{first + i}"} for i in range(EXPERIMENTS)]
    connection.execute(insert(tables.experiments), rows)
    return first


def add_runs(connection: Connection, drawn: random.Random, numbers: Iterable[int], where: tuple[str, int]) -> None:
    runs, words = [], []
    for number in numbers:
        name = f"{drawn.choice(COLOURS)}-{drawn.choice(BIRDS)}-{number}"
        runs.append(run_row(number, name, where, drawn))
        words += [{"word": word, "run": number} for word in words_of(name)]
    load(connection, tables.runs, runs)
    load(connection, tables.words, words)


def add_logged(connection: Connection, drawn: random.Random, numbers: Iterable[int], keys: dict[str, int]) -> None:
    """What runs logged: the newest values of metrics, parameters, tags and their words."""
    latest, params, tags, words = [], [], [], []
    for number in numbers:
        row = {"run": number, "step": 9, "at": STARTED, "points": 10, "sealed": 0}
        latest += [{**row, "key": keys[name], "value": drawn.random()} for name in METRICS]
        given: dict[str, str | float] = {
            "lr": drawn.choice((0.001, 0.01, 0.1)),
            "model": drawn.choice(MODELS),
            "depth": drawn.randint(2, 9),
        }
        given |= {name: drawn.randint(0, 99) for name in PARAMS[3:]}
        params += [param_row(number, keys[key], value) for key, value in given.items()]
        labels = {tag: f"{drawn.choice(TEAMS)} {drawn.choice(TEAMS)}" for tag in TAGS}
        tags += [{"run": number, "key": keys[tag], "text": label, "head": label} for tag, label in labels.items()]
        words += [{"word": word, "run": number} for word in words_of_run("", labels)]
    load(connection, tables.latest, latest)
    load(connection, tables.params, params)
    load(connection, tables.tags, tags)
    load(connection, tables.words, words)


def copy_logged(connection: Connection, base: range, *, shift: int, most: int) -> None:
    for table in (tables.latest, tables.params, tables.tags, tables.words):
        columns = [column for column in table.columns if column.name != "run"]
        moved = [c + shift * 1e-9 if table is tables.latest and c.name == "value" else c for c in columns]
        until = base.start + min(len(base), most)
        rows = select(table.c.run + shift, *moved).where(table.c.run >= base.start, table.c.run < until)
        connection.execute(insert(table).from_select(["run", *(c.name for c in columns)], rows))


def run_row(number: int, name: str, where: tuple[str, int], drawn: random.Random) -> dict[str, Any]:
    at = START + timedelta(minutes=number)
    return {
        "number": number,
        "id": f"{number:032x}",
        "experiment": where[1] + number % EXPERIMENTS,
        "project": where[0],
        "name": name,
        "status": drawn.choices(("finished", "failed", "stopped"), (90, 8, 2))[0],
        "created_by": "bench",
        "user": "",
        "location": "",
        "started_at": at,
        "heard_at": at,
        "ended_at": at + timedelta(seconds=drawn.randint(1, 9000)),
        "cpu_s": drawn.random() * 1000,
        "failure": "",
        "command": [],
        "sealed": "",
    }


def param_row(run: int, key: int, value: str | float) -> dict[str, Any]:
    shown = str(value)
    number = None if isinstance(value, str) else float(value)
    return {"run": run, "key": key, "kind": type(value).__name__, "text": shown, "head": shown, "value": number}


def add_courses(connection: Connection, drawn: random.Random, numbers: Iterable[int], key: int) -> None:
    row = {"key": key, "writer": 1}
    load(
        connection,
        tables.points,
        [
            {
                **row,
                "run": n,
                "seq": s,
                "step": s,
                "at": STARTED + s * 1_000_000,
                "value": drawn.random() + 9 / (s + 1),
            }
            for n in numbers
            for s in range(POINTS)
        ],
    )


def load(connection: Connection, table: Table, rows: Sequence[dict[str, Any]]) -> None:
    """Adds rows as fast as the driver can: SQLite's own executemany, PostgreSQL's COPY."""
    if not rows:
        return
    columns = [column for column in table.columns if column.name in rows[0]]
    names = ", ".join(f'"{column.name}"' for column in columns)
    kinds = [column.type.bind_processor(connection.dialect) for column in columns]
    lines: Iterator[tuple[Any, ...]] = (
        tuple(kind(row[c.name]) if kind else row[c.name] for kind, c in zip(kinds, columns, strict=True))
        for row in rows
    )
    if connection.dialect.name == "sqlite":
        marks = ", ".join("?" * len(columns))
        connection.exec_driver_sql(f"INSERT INTO {table.name} ({names}) VALUES ({marks})", list(lines))
        return
    driver: Any = connection.connection.driver_connection
    with driver.cursor() as cursor, cursor.copy(f"COPY {table.name} ({names}) FROM STDIN") as copy:
        for line in lines:
            copy.write_row(line)
