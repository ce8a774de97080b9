"""The rule of alerts: one for a monitor, window and metric, opened by performance alone, and closed by a person or
by a later measurement that does not bear it out."""

from __future__ import annotations

import msgspec

from taxiway.audit.service import Record
from taxiway.kernel.caller import Caller
from taxiway.kernel.ids import new_id
from taxiway.monitors import store
from taxiway.monitors.contract import Alert, AlertState, Monitor, Window
from taxiway.monitors.sentences import explanation

NO_LONGER = "Measured again with more rows or labels, the window is no longer shown to be worse."
AGAIN = "Measured again with more rows or labels, the window is worse after all."


def apply_rule(record: Record, monitor: Monitor, window: Window, others: list[Window]) -> Alert | None:
    """Opens, renews or closes the alert of a window that was just measured; the alert where it opened (again)."""
    known = store.alert_of(record.connection, window, monitor.rules.metric)
    if window.performance_state != "alert":
        if known is not None and known.state != "resolved":
            move(record, known, "resolved", by=record.caller, comment=NO_LONGER)
        return None
    found = new_alert(record, monitor, window, others)
    if known is None:
        store.put_alert(record.connection, found)
        tell(record, "monitors.alert", found)
        return found
    kept = {name: getattr(known, name) for name in ("id", "opened_at", "state", "changed_by", "changed_at", "comment")}
    renewed = msgspec.structs.replace(found, **kept)
    store.put_alert(record.connection, renewed)
    # What a person closed stays closed; what a measurement closed, a measurement opens again.
    if known.state == "resolved" and known.comment == NO_LONGER:
        return move(record, renewed, "open", by=record.caller, comment=AGAIN)
    return None


def explain_again(record: Record, monitor: Monitor, windows: list[Window]) -> None:
    """Renews what is said of alerts that are not closed: another window may tell since that drift explains nothing."""
    by_start = {window.start: window for window in windows}
    for alert in store.alerts_of(record.connection, None, monitor=monitor.name):
        window = by_start.get(alert.window)
        if alert.state == "resolved" or window is None:
            continue
        told = explanation(monitor, window, [other for other in windows if other.start != window.start])
        if told != alert.explanation:
            store.put_alert(record.connection, msgspec.structs.replace(alert, explanation=told))


def new_alert(record: Record, monitor: Monitor, window: Window, others: list[Window]) -> Alert:
    measured = window.performance
    if measured is None or measured.estimate.value is None:
        raise ValueError(f"{window.name} alerts without a measurement")
    value, low, high = (measured.estimate.value, measured.estimate.low, measured.estimate.high)
    if low is None or high is None:
        raise ValueError(f"{window.name} alerts without an interval")
    return Alert(
        id=new_id(),
        monitor=monitor.name,
        project=monitor.project,
        kind="performance",
        metric=monitor.rules.metric,
        window=window.start,
        window_name=window.name,
        estimate=value,
        low=low,
        high=high,
        baseline=monitor.rules.baseline,
        tolerance=monitor.rules.tolerance,
        n=measured.estimate.n,
        clusters=measured.clusters,
        sentence=window.sentence,
        explanation=explanation(monitor, window, others),
        url=f"/monitors/{monitor.name}?window={window.start:%Y-%m-%d}",
        state="open",
        opened_at=record.at,
        changed_by=record.caller.name,
        changed_at=record.at,
    )


def move(record: Record, alert: Alert, state: AlertState, *, by: Caller, comment: str) -> Alert:
    """The alert in another state, with who moved it and why."""
    moved = msgspec.structs.replace(alert, state=state, changed_by=by.name, changed_at=record.at, comment=comment)
    store.put_alert(record.connection, moved)
    tell(record, f"monitors.{'alert' if state == 'open' else state}", moved)
    return moved


def tell(record: Record, verb: str, alert: Alert) -> None:
    """An audit entry of its own for a change of an alert."""
    names = ("id", "window_name", "metric", "estimate", "low", "high", "baseline", "tolerance", "n", "clusters")
    facts = {name: getattr(alert, name) for name in (*names, "state", "comment", "url")}
    record.also(verb, f"monitor:{alert.monitor}", **facts)
