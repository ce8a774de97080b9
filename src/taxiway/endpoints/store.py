"""Queries of endpoints."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from msgspec import Struct
from msgspec.structs import asdict
from sqlalchemy import Column, ColumnElement, Connection, RowMapping, Select, func, insert, select, tuple_, update

from taxiway.endpoints.contract import KeptLabel, LabelValue, Revision
from taxiway.endpoints.gateway.configuration import Configuration
from taxiway.endpoints.rollout.declared import Rollout
from taxiway.endpoints.steering.counters import Counters
from taxiway.endpoints.tables import configurations, endpoints, labels, revisions, traffic
from taxiway.gates.contract import GateStage, Standing

ONLY = 1  # the one row of what the gateway should serve


class Kept(Struct, frozen=True, kw_only=True):
    """An endpoint as it is stored: what should answer. `reason`: why it was stopped or started last.

    fallback: what each row is answered with while it is stopped; None is no answer. rollout: how its requests are
    divided; `active` is the revision with the largest share.
    """

    name: str
    project: str
    serves: GateStage
    active: int
    is_stopped: bool
    reason: str
    created_by: str
    created_at: datetime
    changed_by: str
    changed_at: datetime
    stopped_by: str = ""
    stopped_at: datetime | None = None
    fallback: dict[str, Any] | None = None
    rollout: Rollout


class Minute(Struct, frozen=True):
    """What one revision did in one minute."""

    revision: int
    minute_at: datetime
    requests: int
    errors: int
    p50_ms: float | None
    p99_ms: float | None


# --- endpoints ---


def find(connection: Connection, name: str, *, is_locked: bool = False) -> Kept | None:
    """is_locked: keeps other servers' changes of this endpoint waiting until this change is done."""
    query = select(endpoints).where(endpoints.c.name == name)
    row = connection.execute(query.with_for_update() if is_locked else query).mappings().first()
    return Kept(**row) if row else None


def all_of(connection: Connection, projects: list[str] | None) -> list[Kept]:
    """By name; `projects` limits whose, None is everyone's."""
    query = select(endpoints).order_by(endpoints.c.name)
    if projects is not None:
        query = query.where(endpoints.c.project.in_(projects))
    return [Kept(**row) for row in connection.execute(query).mappings()]


def add(connection: Connection, kept: Kept) -> None:
    connection.execute(insert(endpoints).values(fields(kept)))


def fields(kept: Kept) -> dict[str, Any]:
    return {name: getattr(kept, name) for name in kept.__struct_fields__}


def change(connection: Connection, kept: Kept) -> None:
    connection.execute(update(endpoints).where(endpoints.c.name == kept.name).values(fields(kept)))


# --- revisions ---


def newest(connection: Connection, endpoint: str) -> int:
    """The highest number, 0 where there is none."""
    query = select(func.max(revisions.c.number)).where(revisions.c.endpoint == endpoint)
    return connection.execute(query).scalar() or 0


def add_revision(connection: Connection, revision: Revision, standing: Standing | None) -> None:
    row = {name: value for name, value in asdict(revision).items() if name in revisions.c}
    row |= {"standing": standing, "refusal": "", "counted": Counters(), "seen": Counters()}
    connection.execute(insert(revisions).values(row))


def lately(percentile: Column[Any]) -> ColumnElement[Any]:
    """A percentile of the requests that a revision answered last, as its newest minute has it."""
    here = (traffic.c.endpoint == revisions.c.endpoint, traffic.c.revision == revisions.c.number)
    newest_first = select(percentile).where(*here, percentile.is_not(None)).order_by(traffic.c.minute_at.desc())
    return newest_first.limit(1).scalar_subquery().label(percentile.name)


def whole() -> Select[Any]:
    """Revisions with what is kept of their latency."""
    return select(revisions, lately(traffic.c.p50_ms), lately(traffic.c.p99_ms))


def find_revision(connection: Connection, endpoint: str, number: int) -> Revision | None:
    query = whole().where(revisions.c.endpoint == endpoint, revisions.c.number == number)
    row = connection.execute(query).mappings().first()
    return revision_of(row) if row else None


def revisions_of(connection: Connection, endpoint: str) -> list[Revision]:
    """Newest first."""
    query = whole().where(revisions.c.endpoint == endpoint).order_by(revisions.c.number.desc())
    return [revision_of(row) for row in connection.execute(query).mappings()]


def active_revisions(connection: Connection) -> dict[str, Revision]:
    """For each endpoint the revision that should answer."""
    query = whole().join(
        endpoints, (endpoints.c.name == revisions.c.endpoint) & (endpoints.c.active == revisions.c.number)
    )
    return {row["endpoint"]: revision_of(row) for row in connection.execute(query).mappings()}


def numbers_of(connection: Connection, endpoint: str, model: str, version: int) -> set[int]:
    """The revisions of an endpoint that are of this version."""
    here = (revisions.c.endpoint == endpoint, revisions.c.model == model, revisions.c.version == version)
    return set(connection.execute(select(revisions.c.number).where(*here)).scalars())


def running_revisions(connection: Connection, at: datetime) -> list[Revision]:
    """Every revision that has, or may at once have, something to do: also shadows, and those kept warm."""
    wanted = [(kept.name, number) for kept in all_of(connection, None) for number in kept.rollout.revisions(at)]
    found: list[Revision] = []
    for start in range(0, len(wanted), 400):
        query = whole().where(tuple_(revisions.c.endpoint, revisions.c.number).in_(wanted[start : start + 400]))
        found += [revision_of(row) for row in connection.execute(query).mappings()]
    return sorted(found, key=lambda each: (each.endpoint, each.number))


def rename_model(connection: Connection, before: str, to: str) -> None:
    """Revisions follow the name of the model that they served."""
    connection.execute(update(revisions).where(revisions.c.model == before).values(model=to))


def revision_of(row: RowMapping) -> Revision:
    """A revision as it is stored: what the gateway says of it now is not in here."""
    counted: Counters = row["counted"]
    plain = ("endpoint", "number", "model", "version", "bundle", "workers", "may_run_code", "note", "setup")
    return Revision(
        **{name: row[name] for name in (*plain, "created_by", "created_at", "live_at", "p50_ms", "p99_ms")},
        state="fallen" if row["fell_at"] else "refused" if row["refusal"] else "retired",
        reason=row["refusal"],
        requests=counted.requests,
        errors=counted.errors,
        refused=counted.refused,
        rows=counted.rows,
        cpu_s=counted.cpu_s,
    )


def standing_of(connection: Connection, endpoint: str, number: int) -> Standing | None:
    """How the gates stood when a revision was deployed."""
    query = select(revisions.c.standing).where(revisions.c.endpoint == endpoint, revisions.c.number == number)
    found: Standing | None = connection.execute(query).scalar()
    return found


def mark(connection: Connection, revision: Revision, **values: Any) -> None:
    """Notes something of a revision: ``live_at``, ``refusal``, ``fell_at``, ``standing``."""
    mark_number(connection, revision.endpoint, revision.number, **values)


def mark_number(connection: Connection, endpoint: str, number: int, **values: Any) -> None:
    """As `mark`, by its number."""
    here = (revisions.c.endpoint == endpoint, revisions.c.number == number)
    connection.execute(update(revisions).where(*here).values(**values))


# --- what was counted ---


def counters(connection: Connection) -> dict[tuple[str, int], tuple[Counters, Counters]]:
    """For each revision all that was counted, and what the gateway's own counters said last."""
    query = select(revisions.c.endpoint, revisions.c.number, revisions.c.counted, revisions.c.seen)
    return {(row.endpoint, row.number): (row.counted, row.seen) for row in connection.execute(query)}


def count(connection: Connection, endpoint: str, number: int, *, counted: Counters, seen: Counters) -> None:
    here = (revisions.c.endpoint == endpoint, revisions.c.number == number)
    connection.execute(update(revisions).where(*here).values(counted=counted, seen=seen))


def add_minute(connection: Connection, endpoint: str, minute: Minute) -> None:
    """Adds to what a revision did in a minute; the percentiles are the latest."""
    here = (
        traffic.c.endpoint == endpoint,
        traffic.c.revision == minute.revision,
        traffic.c.minute_at == minute.minute_at,
    )
    more = {
        "requests": traffic.c.requests + minute.requests,
        "errors": traffic.c.errors + minute.errors,
        "p50_ms": minute.p50_ms,
        "p99_ms": minute.p99_ms,
    }
    if connection.execute(update(traffic).where(*here).values(more)).rowcount == 0:
        connection.execute(insert(traffic).values(endpoint=endpoint, **asdict(minute)))


def minutes_of(connection: Connection, endpoint: str, since: datetime) -> list[Minute]:
    """In order of time, then of revision."""
    query = (
        select(traffic)
        .where(traffic.c.endpoint == endpoint, traffic.c.minute_at >= since)
        .order_by(traffic.c.minute_at, traffic.c.revision)
    )
    return [
        Minute(r["revision"], r["minute_at"], r["requests"], r["errors"], r["p50_ms"], r["p99_ms"])
        for r in connection.execute(query).mappings()
    ]


def requests_since(connection: Connection, since: datetime) -> dict[str, int]:
    """How many requests each endpoint answered since then."""
    query = (
        select(traffic.c.endpoint, func.sum(traffic.c.requests))
        .where(traffic.c.minute_at >= since)
        .group_by(traffic.c.endpoint)
    )
    return {endpoint: int(requests) for endpoint, requests in connection.execute(query)}


# --- labels ---


def find_labels(connection: Connection, wanted: list[tuple[str, int]]) -> dict[tuple[str, int], KeptLabel]:
    """The labels of rows, by prediction id and row."""
    found = {}
    for start in range(0, len(wanted), 400):  # SQLite takes so many values at once, and not many more
        some = wanted[start : start + 400]
        query = select(labels).where(tuple_(labels.c.prediction_id, labels.c.row).in_(some))
        found.update({(r["prediction_id"], r["row"]): label_of(r) for r in connection.execute(query).mappings()})
    return found


def add_labels(connection: Connection, endpoint: str, given: list[KeptLabel]) -> None:
    if given:
        connection.execute(insert(labels), [{"endpoint": endpoint, **asdict(each)} for each in given])


def labels_of(connection: Connection, endpoint: str, since: datetime | None = None) -> list[KeptLabel]:
    """In the order in which they were recorded; since: only those recorded from then on."""
    query = select(labels).where(labels.c.endpoint == endpoint)
    if since is not None:
        query = query.where(labels.c.recorded_at >= since)
    query = query.order_by(labels.c.recorded_at, labels.c.prediction_id, labels.c.row)
    return [label_of(row) for row in connection.execute(query).mappings()]


def labels_between(connection: Connection, endpoint: str, first: str, last: str) -> dict[tuple[str, int], LabelValue]:
    """The labels of the predictions whose ids lie between two ids, both counted, by prediction id and row."""
    here = (labels.c.endpoint == endpoint, labels.c.prediction_id.between(first, last))
    query = select(labels.c.prediction_id, labels.c.row, labels.c.label).where(*here)
    return {(id_, row): label for id_, row, label in connection.execute(query)}


def count_labels(connection: Connection, endpoint: str) -> int:
    query = select(func.count()).select_from(labels).where(labels.c.endpoint == endpoint)
    return connection.execute(query).scalar_one()


def label_of(row: RowMapping) -> KeptLabel:
    label: LabelValue = row["label"]
    return KeptLabel(row["prediction_id"], row["row"], label, row["at"], row["by"], row["recorded_at"])


# --- what the gateway should serve ---


def configuration(connection: Connection, *, is_locked: bool = False) -> Configuration | None:
    query = select(configurations.c.configuration).where(configurations.c.id == ONLY)
    found: Configuration | None = connection.execute(query.with_for_update() if is_locked else query).scalar()
    return found


def keep_configuration(connection: Connection, wanted: Configuration) -> None:
    row = {"serial": wanted.serial, "configuration": wanted}
    if connection.execute(update(configurations).where(configurations.c.id == ONLY).values(row)).rowcount == 0:
        connection.execute(insert(configurations).values(id=ONLY, **row))
