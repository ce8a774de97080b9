"""What SQLite itself can do on this machine: the same rows, without a server, a check or a client."""

from __future__ import annotations

import sqlite3
import time
from pathlib import Path

TABLE = """CREATE TABLE points (run INTEGER, key INTEGER, writer INTEGER, seq INTEGER, step INTEGER, at INTEGER,
    value REAL, PRIMARY KEY (run, key, writer, seq)) WITHOUT ROWID"""
INSERT = "INSERT INTO points VALUES (?, ?, ?, ?, ?, ?, ?)"
ROWS = 1000


def open_database(folder: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(folder / "limit.db", isolation_level=None)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("DROP TABLE IF EXISTS points")
    connection.execute(TABLE)
    return connection


def rows_per_s(folder: Path, seconds: float, *, in_a_commit: int = ROWS) -> float:
    """Rows a second by `executemany`, so many to a durable commit."""
    connection = open_database(folder)
    start, done = time.perf_counter(), 0
    while time.perf_counter() - start < seconds:
        connection.execute("BEGIN IMMEDIATE")
        rows = [(1, 1, 1, done + i, done + i, 1_700_000_000_000_000 + done, 0.5) for i in range(in_a_commit)]
        connection.executemany(INSERT, rows)
        connection.execute("COMMIT")
        done += in_a_commit
    rate = done / (time.perf_counter() - start)
    connection.close()
    return rate
