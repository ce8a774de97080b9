"""Queries of traces."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import Connection, Table, delete, func, insert, select, update

from taxiway.traces.contract import Remark, Span, Trace, TraceFile
from taxiway.traces.query import NAME
from taxiway.traces.tables import LONGEST_HEAD, files, links, marks, remarks, spans, traces

OWN = (
    *("id", "experiment", "project", "state", "started_ms", "duration_ms"),
    *("client_id", "request", "response", "spans", "is_told", "created_by"),
)
AT_ONCE = 400  # how many ids are asked for in one query


def owner_of(connection: Connection, id_: str) -> tuple[int, str] | None:
    """The experiment and project of a trace."""
    row = connection.execute(select(traces.c.experiment, traces.c.project).where(traces.c.id == id_)).first()
    return (row.experiment, row.project) if row else None


def find(connection: Connection, ids: Sequence[str]) -> list[Trace]:
    """The traces of these ids, in their order; those that do not exist are left out."""
    found: dict[str, Trace] = {}
    for some in parts(ids):
        rows = connection.execute(select(traces).where(traces.c.id.in_(some))).mappings().all()
        tags, facts = marks_of(connection, some, "tag"), marks_of(connection, some, "fact")
        said, runs = remarks_of(connection, some), runs_of(connection, some)
        for row in rows:
            id_ = row["id"]
            found[id_] = Trace(
                name=tags[id_].get(NAME, ""),
                tags=tags[id_],
                facts=facts[id_],
                remarks=said[id_],
                runs=runs[id_],
                **{name: row[name] for name in OWN},
            )
    return [found[id_] for id_ in ids if id_ in found]


def count(connection: Connection, ids: Sequence[str]) -> list[int]:
    """How many of these traces there are, and how many spans and remarks of them."""
    found = [0, 0, 0]
    for some in parts(ids):
        for at, c in enumerate((traces.c.id, spans.c.trace, remarks.c.trace)):
            found[at] += connection.execute(select(func.count()).select_from(c.table).where(c.in_(some))).scalar_one()
    return found


def parts(ids: Sequence[str]) -> Iterable[Sequence[str]]:
    return (ids[at : at + AT_ONCE] for at in range(0, len(ids), AT_ONCE))


def put(connection: Connection, trace: Trace, at: datetime) -> None:
    """Adds a trace, or what it is in place of what it was; its marks, remarks and runs are put apart."""
    row = {name: getattr(trace, name) for name in OWN}
    known = connection.execute(update(traces).where(traces.c.id == trace.id).values(row))
    if not known.rowcount:
        connection.execute(insert(traces).values(added_at=at, **row))


# --- spans ---


def put_spans(connection: Connection, trace: str, given: Sequence[Span]) -> int:
    """Adds spans, the same ones in place of what they were; how many the trace has now."""
    newest = {span.id: span for span in given}
    for some in parts(list(newest)):
        connection.execute(delete(spans).where(spans.c.trace == trace, spans.c.id.in_(some)))
    rows = [
        {
            "trace": trace,
            "id": span.id,
            "name": span.name,
            "kind": span.kind,
            "state": span.state,
            "started_ns": span.started_ns,
            "content": span,
        }
        for span in newest.values()
    ]
    connection.execute(insert(spans), rows)
    query = select(func.count()).select_from(spans).where(spans.c.trace == trace)
    return connection.execute(query).scalar() or 0


def spans_of(connection: Connection, ids: Sequence[str]) -> dict[str, list[Span]]:
    """The spans of traces, each trace's by time."""
    found: defaultdict[str, list[Span]] = defaultdict(list)
    for some in parts(ids):
        query = select(spans.c.trace, spans.c.content).where(spans.c.trace.in_(some))
        for row in connection.execute(query.order_by(spans.c.started_ns, spans.c.id)):
            found[row.trace].append(row.content)
    return found


# --- tags and facts ---


def put_marks(connection: Connection, trace: str, kind: str, given: Mapping[str, str]) -> None:
    """Sets tags or facts; others stay."""
    if not given:
        return
    for some in parts(list(given)):
        drop_marks(connection, trace, kind, some)
    rows = [
        {"trace": trace, "kind": kind, "key": key, "text": text, "head": text[:LONGEST_HEAD]}
        for key, text in given.items()
    ]
    connection.execute(insert(marks), rows)


def drop_marks(connection: Connection, trace: str, kind: str, keys: Sequence[str]) -> int:
    """How many there were."""
    those = (marks.c.trace == trace) & (marks.c.kind == kind) & marks.c.key.in_(keys)
    return connection.execute(delete(marks).where(those)).rowcount


def marks_of(connection: Connection, ids: Sequence[str], kind: str) -> defaultdict[str, dict[str, str]]:
    query = select(marks).where(marks.c.trace.in_(ids), marks.c.kind == kind).order_by(marks.c.key)
    found: defaultdict[str, dict[str, str]] = defaultdict(dict)
    for row in connection.execute(query):
        found[row.trace][row.key] = row.text
    return found


# --- remarks ---


def put_remark(connection: Connection, trace: str, remark: Remark, value: Any) -> None:
    """Adds a remark, or what it is in place of what it was. value: what it says, to be searched."""
    drop_remark(connection, trace, remark.id)
    row = msgspec.structs.asdict(remark) | {"trace": trace, "value": as_text(value), "number": as_number(value)}
    connection.execute(insert(remarks).values(row))


def as_text(value: Any) -> str | None:
    """What a remark says, as a filter writes it: a text as it is, anything else as JSON."""
    return value if isinstance(value, str) or value is None else msgspec.json.encode(value).decode()


def as_number(value: Any) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def drop_remark(connection: Connection, trace: str, id_: str) -> int:
    """How many there were."""
    return connection.execute(delete(remarks).where(remarks.c.trace == trace, remarks.c.id == id_)).rowcount


def remarks_of(connection: Connection, ids: Sequence[str]) -> defaultdict[str, list[Remark]]:
    query = select(remarks).where(remarks.c.trace.in_(ids)).order_by(remarks.c.made_ms, remarks.c.id)
    found: defaultdict[str, list[Remark]] = defaultdict(list)
    names = Remark.__struct_fields__
    for row in connection.execute(query).mappings():
        found[row["trace"]].append(Remark(**{name: row[name] for name in names}))
    return found


# --- runs and files ---


def link(connection: Connection, trace: str, run: str) -> None:
    query = select(links.c.run).where(links.c.trace == trace, links.c.run == run)
    if connection.execute(query).first() is None:
        connection.execute(insert(links).values(trace=trace, run=run))


def runs_of(connection: Connection, ids: Sequence[str]) -> defaultdict[str, list[str]]:
    found: defaultdict[str, list[str]] = defaultdict(list)
    for row in connection.execute(select(links).where(links.c.trace.in_(ids)).order_by(links.c.run)):
        found[row.trace].append(row.run)
    return found


def put_file(connection: Connection, file: TraceFile) -> None:
    """Adds a file in place of what had its path."""
    drop_files(connection, file.trace, [file.path])
    connection.execute(insert(files).values(msgspec.structs.asdict(file)))


def names_digest(connection: Connection, digest: str, projects: Sequence[str]) -> bool:
    """Whether a trace of these projects kept a file of this digest."""
    query = select(files.c.digest).join(traces, traces.c.id == files.c.trace)
    mine = query.where(files.c.digest == digest, traces.c.project.in_(projects))
    return connection.execute(mine.limit(1)).first() is not None


def files_of(connection: Connection, trace: str) -> list[TraceFile]:
    """By path."""
    query = select(files).where(files.c.trace == trace).order_by(files.c.path)
    return [TraceFile(**row) for row in connection.execute(query).mappings()]


def drop_files(connection: Connection, trace: str, paths: Sequence[str]) -> None:
    for some in parts(paths):
        connection.execute(delete(files).where(files.c.trace == trace, files.c.path.in_(some)))


# --- deleting ---


def chosen(
    connection: Connection, *, experiment: int, ids: Sequence[str], until_ms: int | None, most: int | None
) -> list[str]:
    """The traces of an experiment among `ids`, or the oldest until a time."""
    query = select(traces.c.id).where(traces.c.experiment == experiment).order_by(traces.c.started_ms, traces.c.id)
    if until_ms is not None:
        query = query.where(traces.c.started_ms <= until_ms)
        return [row.id for row in connection.execute(query.limit(most))]
    return [row.id for some in parts(ids) for row in connection.execute(query.where(traces.c.id.in_(some)))]


def remove(connection: Connection, ids: Sequence[str]) -> None:
    """Deletes traces and all that hangs on them."""
    hanging: tuple[Table, ...] = (spans, marks, remarks, links, files)
    for some in parts(ids):
        for table in hanging:
            connection.execute(delete(table).where(table.c.trace.in_(some)))
        connection.execute(delete(traces).where(traces.c.id.in_(some)))
