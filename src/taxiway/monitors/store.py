"""Queries of monitors."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

import msgspec
from sqlalchemy import Connection, Select, func, insert, select, update

from taxiway.monitors.contract import Alert, AlertState, Monitor, Window
from taxiway.monitors.tables import alerts, monitors, windows


class Held(NamedTuple):
    """How much a window held when it was last measured, and how often it has been."""

    rows: int
    failed: int
    labelled: int
    number: int


# --- monitors ---


def add(connection: Connection, monitor: Monitor) -> None:
    connection.execute(insert(monitors).values(msgspec.structs.asdict(monitor)))


def find(connection: Connection, name: str) -> Monitor | None:
    row = connection.execute(select(monitors).where(monitors.c.name == name)).mappings().first()
    return Monitor(**row) if row else None


def all_of(connection: Connection, projects: list[str] | None) -> list[Monitor]:
    """Monitors by name; `projects` limits whose, None is everyone's."""
    query = select(monitors).order_by(monitors.c.name)
    if projects is not None:
        query = query.where(monitors.c.project.in_(projects))
    return [Monitor(**row) for row in connection.execute(query).mappings()]


def of_endpoint(connection: Connection, endpoint: str) -> list[Monitor]:
    query = select(monitors).where(monitors.c.endpoint == endpoint).order_by(monitors.c.name)
    return [Monitor(**row) for row in connection.execute(query).mappings()]


# --- windows ---


def add_window(connection: Connection, window: Window) -> None:
    """Adds a result; the one before it for the same window is no longer the current one."""
    same = (windows.c.monitor == window.monitor, windows.c.start == window.start)
    connection.execute(update(windows).where(*same).values(is_current=False))
    row = {
        "monitor": window.monitor,
        "start": window.start,
        "number": window.number,
        "is_current": True,
        "rows": window.rows,
        "failed": window.failed,
        "labelled": window.labelled,
        "computed_at": window.computed_at,
        "result": window,
    }
    connection.execute(insert(windows).values(row))


def windows_of(connection: Connection, monitor: str, *, superseded: bool = False) -> list[Window]:
    """Its windows, oldest first; with `superseded` each with its earlier results before it."""
    query: Select[Window] = select(windows.c.result).where(windows.c.monitor == monitor)
    if not superseded:
        query = query.where(windows.c.is_current)
    return list(connection.execute(query.order_by(windows.c.start, windows.c.number)).scalars())


def newest_of(connection: Connection, monitor: str, most: int) -> list[Window]:
    """Its newest windows, newest first."""
    query: Select[Window] = select(windows.c.result).where(windows.c.monitor == monitor, windows.c.is_current)
    return list(connection.execute(query.order_by(windows.c.start.desc()).limit(most)).scalars())


def count_windows(connection: Connection, monitor: str) -> int:
    query = select(func.count()).select_from(windows).where(windows.c.monitor == monitor, windows.c.is_current)
    return connection.execute(query).scalar_one()


def held(connection: Connection, monitor: str) -> dict[datetime, Held]:
    """How much each of its windows held, by its beginning."""
    columns = (windows.c.start, windows.c.rows, windows.c.failed, windows.c.labelled, windows.c.number)
    query = select(*columns).where(windows.c.monitor == monitor, windows.c.is_current)
    return {start: Held(*rest) for start, *rest in connection.execute(query)}


def evaluated_at(connection: Connection, monitor: str) -> datetime | None:
    """When a window of it was last measured."""
    found: datetime | None = connection.execute(
        select(func.max(windows.c.computed_at, type_=windows.c.computed_at.type)).where(windows.c.monitor == monitor)
    ).scalar_one()
    return found


# --- alerts ---


def put_alert(connection: Connection, alert: Alert) -> None:
    """Adds an alert, or replaces the one of its monitor, window and metric."""
    same = (alerts.c.monitor == alert.monitor, alerts.c.window == alert.window, alerts.c.metric == alert.metric)
    if connection.execute(update(alerts).where(*same).values(state=alert.state, alert=alert)).rowcount:
        return
    row = {"id": alert.id, "monitor": alert.monitor, "window": alert.window, "metric": alert.metric}
    row |= {"project": alert.project, "state": alert.state, "opened_at": alert.opened_at}
    connection.execute(insert(alerts).values(row | {"alert": alert}))


def find_alert(connection: Connection, monitor: str, id_: str) -> Alert | None:
    query: Select[Alert] = select(alerts.c.alert).where(alerts.c.monitor == monitor, alerts.c.id == id_)
    return connection.execute(query).scalar_one_or_none()


def alert_of(connection: Connection, window: Window, metric: str) -> Alert | None:
    same = (alerts.c.monitor == window.monitor, alerts.c.window == window.start, alerts.c.metric == metric)
    query: Select[Alert] = select(alerts.c.alert).where(*same)
    return connection.execute(query).scalar_one_or_none()


def alerts_of(
    connection: Connection, projects: list[str] | None, *, monitor: str = "", state: AlertState | None = None
) -> list[Alert]:
    """Alerts, newest first; `projects` limits whose, None is everyone's."""
    query: Select[Alert] = select(alerts.c.alert).order_by(alerts.c.opened_at.desc(), alerts.c.window.desc())
    if projects is not None:
        query = query.where(alerts.c.project.in_(projects))
    if monitor:
        query = query.where(alerts.c.monitor == monitor)
    if state:
        query = query.where(alerts.c.state == state)
    return list(connection.execute(query).scalars())
