"""Asking an inference log: segment by segment, the newest first, within bounds of memory, time and size.

Arrow and DuckDB are imported by the first question: a server that is asked none starts without them.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import Struct

from taxiway.endpoints.inferences.log import LONGEST_REQUEST, load_sealed, read_lines, walk
from taxiway.endpoints.inferences.query.conditions import COLUMNS, Conditions
from taxiway.endpoints.inferences.query.grammar import Node
from taxiway.endpoints.inferences.record import schema, to_table
from taxiway.endpoints.inferences.subjects import Subjects, open_fields

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

    from taxiway.endpoints.inferences.subjects import SubjectKey

MEMORY = "256MB"
ASKED_AT_ONCE = 2
PLAIN = ("inputs", "outputs", "inputs_hash")
SHOWN = (*COLUMNS, *PLAIN)
BRIEF = ("at", "latency_ms", "status")
places = threading.BoundedSemaphore(ASKED_AT_ONCE)


class Question(Struct, frozen=True):
    """What is asked. since, until: bounds of `at`, the first one counted. limit: None is every record.

    is_opened: whether personal fields are shown, and may be asked about. now: what spans of time count from.
    shadows: false for what callers were answered, true for what shadows said, None for both.
    """

    endpoint: str
    now: datetime
    where: Node | None = None
    since: datetime | None = None
    until: datetime | None = None
    limit: int | None = None
    is_opened: bool = False
    deadline_s: float = 10.0
    shadows: bool | None = None


class Reading:
    """One pass over a log. is_cut: time ran out, and what is older than `back_to` was not looked at."""

    def __init__(self, home: Path, question: Question, *, is_brief: bool = False) -> None:
        """is_brief: only when, how long, and whether there was an answer."""
        self.home, self.question = home, question
        self.shown = BRIEF if is_brief else SHOWN
        self.looked_at = 0
        self.found = 0
        self.is_cut = False
        self.back_to: datetime | None = None
        self.began = time.monotonic()

    def tables(self) -> Iterator[pa.Table]:
        """Records that meet the question, a table per segment, the newest segment and in it the newest record first.

        Columns as in `SHOWN`; inputs and outputs are JSON texts.
        """
        import pyarrow.compute as pc

        asked = self.question
        with places, connected() as connection:
            for table in walk(self.home, asked.endpoint, self.load, is_newest_first=True):
                if not len(table):
                    continue
                left_s = asked.deadline_s - (time.monotonic() - self.began)
                met = self.ask(connection, table, left_s) if left_s > 0 else None
                if met is None:
                    self.is_cut = True
                    return
                self.looked_at += len(table)
                self.found += len(met)
                self.back_to = pc.min(table["at"]).as_py()
                if len(met):
                    yield met
                if asked.limit is not None and self.found >= asked.limit:
                    return

    def load(self, path: Path) -> pa.Table:
        """All rows of a segment that may hold some of the time asked for; else a table without rows."""
        if path.suffix != ".parquet":
            return to_table(read_lines(path)[0])
        if not self.may_hold(path):
            return schema().empty_table()
        return load_sealed(path)

    def may_hold(self, path: Path) -> bool:
        """By what a file says of its own times; a group of rows that says nothing may hold any."""
        import pyarrow.parquet as pq

        asked, told = self.question, pq.read_metadata(path)
        column = told.schema.names.index("at")
        for number in range(told.num_row_groups):
            known = told.row_group(number).column(column).statistics
            if known is None or not known.has_min_max:
                return True
            is_after = asked.since is None or known.max >= asked.since - LONGEST_REQUEST
            if is_after and (asked.until is None or known.min < asked.until + LONGEST_REQUEST):
                return True
        return False

    def ask(self, connection: duckdb.DuckDBPyConnection, table: pa.Table, left_s: float) -> pa.Table | None:
        """The rows of one table that meet the question; None where its time ran out."""
        import duckdb

        asked = self.question
        conditions = Conditions(asked.now)
        parts = ["true"] if asked.where is None else [conditions.of(asked.where)]
        for bound, sign in ((asked.since, ">="), (asked.until, "<")):
            if bound is not None:
                parts.append(f'"at" {sign} ?')
                conditions.parameters.append(bound)
        if asked.shadows is not None:
            parts.append(f"{COLUMNS['shadow']} = ?")
            conditions.parameters.append(asked.shadows)
        chosen = ", ".join(f'{COLUMNS.get(name, name)} AS "{name}"' for name in self.shown)
        query = f"SELECT {chosen} FROM segment WHERE {' AND '.join(parts)}"  # noqa: S608  our own words
        query += ' ORDER BY "at" DESC, prediction_id DESC, "row"'
        if asked.limit is not None:
            query += " LIMIT ?"
            conditions.parameters.append(asked.limit - self.found)
        with closing(connection.cursor()) as cursor:
            cursor.register("segment", opened(self.home, table) if asked.is_opened else table)
            timer = threading.Timer(left_s, cursor.interrupt)
            timer.start()
            try:
                met: pa.Table = cursor.sql(query, params=conditions.parameters).to_arrow_table()
            except duckdb.InterruptException:
                return None
            finally:
                timer.cancel()
        return met


def empty() -> pa.Table:
    """A table of no records, as `Reading.tables` gives them."""
    import pyarrow as pa

    own = schema()
    return pa.table({name: pa.array([], own.field(name).type) for name in SHOWN})


@contextmanager
def connected() -> Iterator[duckdb.DuckDBPyConnection]:
    """An engine without files and network, and with little memory."""
    bounds: dict[str, str | bool | int | float | list[str]] = {
        "threads": "1",
        "memory_limit": MEMORY,
        "enable_external_access": "false",
        "temp_directory": "",
    }
    import duckdb

    connection = duckdb.connect(":memory:", config=bounds)
    connection.execute("SET TimeZone = 'UTC'")
    try:
        yield connection
    finally:
        connection.close()


def opened(home: Path, table: pa.Table) -> pa.Table:
    """The table with its personal fields among the inputs, where their keys were not erased."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if pc.all(pc.equal(pc.fill_null(table["subject_key"], ""), "")).as_py():
        return table
    ids = {id_ for id_ in pc.unique(table["subject_key"]).to_pylist() if id_}
    keys = Subjects(home).by_id(ids)
    columns = ("prediction_id", "row", "inputs", "subject_key", "personal")
    rows = table.select(columns).to_pylist()
    texts = [reopened(row, keys.get(row["subject_key"])) for row in rows]
    return table.set_column(table.schema.get_field_index("inputs"), "inputs", pa.array(texts, pa.string()))


def reopened(row: dict[str, Any], key: SubjectKey | None) -> str:
    """A row's inputs as JSON, with what its key opens."""
    text: str = row["inputs"]
    if key is None or not row["personal"]:
        return text
    fields = open_fields(row["personal"], f"{row['prediction_id']}/{row['row']}", key)
    return msgspec.json.encode({**msgspec.json.decode(text), **fields}).decode() if fields else text
