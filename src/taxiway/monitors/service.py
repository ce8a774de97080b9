"""The rules of monitors: what watches an endpoint, what it measures when, and what becomes of its alerts."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import msgspec

from taxiway.access.service import Access
from taxiway.audit.service import Ledger, Record
from taxiway.hooks.announcing import announce
from taxiway.kernel.caller import Caller
from taxiway.kernel.clock import Clock
from taxiway.kernel.endpoint import Page
from taxiway.kernel.errors import AlreadyExists, BadField, NotFound
from taxiway.kernel.ids import is_name
from taxiway.lineage.service import draw_edge
from taxiway.monitors import store
from taxiway.monitors.alerting import apply_rule, explain_again, move
from taxiway.monitors.contract import (
    Alert,
    ChangeAlert,
    CreateMonitor,
    Evaluated,
    ListAlerts,
    ListWindows,
    Monitor,
    MonitorReport,
    MonitorSummary,
    Rules,
    Window,
)
from taxiway.monitors.referring import References
from taxiway.monitors.watched import Watched
from taxiway.projects.service import enter_stage
from taxiway.storage.database import Database

if TYPE_CHECKING:
    from taxiway.monitors.measuring import Seen

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
LOOKED_AT = 40  # newest windows that a summary is taken from: labels are seldom later than that
NAME_EXPECTED = "a name of a-z, 0-9, '.', '_' and '-', beginning with a letter or digit, at most 63 characters"


class Monitors:
    """What watches the endpoints of a home."""

    def __init__(
        self,
        database: Database,
        ledger: Ledger,
        access: Access,
        *,
        watched: Watched,
        references: References,
        clock: Clock,
    ) -> None:
        self.database = database
        self.ledger = ledger
        self.access = access
        self.watched = watched
        self.references = references
        self.clock = clock

    # --- making ---

    def create(self, caller: Caller, body: CreateMonitor, *, endpoint: str) -> Monitor:
        """A monitor whose reference is cut now and kept as it is, whatever is deployed later.

        Raises AlreadyExists, BadField, NotFound, ReferenceUnfit.
        """
        name = body.name or endpoint
        check(body, name)
        project = self.watched.project_of(endpoint)
        version = self.watched.served(endpoint)
        self._refuse_taken(name)
        cut = self.references.cut(caller, endpoint, version, body)
        rules = Rules(
            window=body.window,
            cluster=body.cluster,
            metric=body.metric,
            baseline=cut.baseline,
            baseline_from=cut.baseline_from,
            tolerance=body.tolerance,
            min_clusters=body.min_clusters,
            drift_note=body.drift_note,
        )

        def make(record: Record) -> Monitor:
            if store.find(record.connection, name):
                raise taken(name)
            monitor = Monitor(
                name=name,
                endpoint=endpoint,
                project=project,
                model=version.ref,
                rules=rules,
                reference=cut.reference,
                created_by=caller.name,
                created_at=record.at,
            )
            store.add(record.connection, monitor)
            draw_edge(record, source=f"endpoint:{endpoint}", verb="watched_by", target=monitor.ref, project=project)
            draw_edge(record, source=cut.reference.dataset, verb="reference_of", target=monitor.ref, project=project)
            enter_stage(record, project, "monitored", because=monitor.ref)
            facts = {name: getattr(cut.reference, name) for name in ("digest", "dataset", "table", "predictions")}
            record.note(endpoint=endpoint, model=version.ref, rules=msgspec.to_builtins(rules), reference=facts)
            return monitor

        return self.ledger.change(caller, "monitors.create", f"monitor:{name}", make, answer=Monitor, project=project)

    def _refuse_taken(self, name: str) -> None:
        with self.database.read() as connection:
            if store.find(connection, name):
                raise taken(name)

    def needed_since(self, endpoint: str) -> datetime | None:
        """From when on its records are still to be measured: the newest window of each monitor may get more.

        None where nothing watches the endpoint.
        """
        with self.database.read() as connection:
            watching = store.of_endpoint(connection, endpoint)
            newest = [max(store.held(connection, each.name), default=EPOCH) for each in watching]
        return min(newest, default=None)

    # --- measuring ---

    def evaluate(self, caller: Caller, *, monitor: str) -> Evaluated:
        """Measures the windows that hold records or labels which no result has seen; the others stay as they are.

        A window measured again supersedes its earlier result, which is kept. Raises NotFound.
        """
        found = self.find(monitor)
        with self.database.read() as connection:
            held = store.held(connection, monitor)
        seen = self._survey(found)
        news = {start for start, now in seen.items() if start not in held or has_news(now, held[start])}
        if not news:
            return Evaluated(monitor, [], len(seen), [])
        gathered = self._gather(found, news)

        def make(record: Record) -> Evaluated:
            return self._keep(record, found, gathered, unchanged=len(seen) - len(news))

        return self.ledger.change(caller, "monitors.evaluate", found.ref, make, answer=Evaluated, project=found.project)

    def _survey(self, monitor: Monitor) -> Mapping[datetime, Seen]:
        from taxiway.monitors.measuring import survey

        return survey(self.watched.home, monitor.endpoint, monitor.rules.window, self._labels(monitor))

    def _gather(self, monitor: Monitor, news: set[datetime]) -> list[Window]:
        from taxiway.monitors.judging import judge
        from taxiway.monitors.measuring import Plan, tally

        rules, reference = monitor.rules, monitor.reference
        plan = Plan(rules.window, rules.cluster, reference.features, reference.score)
        held = tally(self.watched.home, monitor.endpoint, plan, self._labels(monitor), news)
        return [judge(monitor, start, held[start], at=self.clock()) for start in sorted(held)]

    def _labels(self, monitor: Monitor) -> Any:
        return lambda first, last: self.watched.labels_between(monitor.endpoint, first, last)

    def _keep(self, record: Record, monitor: Monitor, gathered: list[Window], *, unchanged: int) -> Evaluated:
        """Stores what another evaluation has not stored meanwhile, and applies the rule of alerts to it."""
        held = store.held(record.connection, monitor.name)
        computed, opened = [], []
        for window in gathered:
            known = held.get(window.start)
            if known is not None and not has_news(window, known):
                continue
            number = known.number + 1 if known else 1
            kept = msgspec.structs.replace(window, number=number, computed_at=record.at)
            store.add_window(record.connection, kept)
            computed.append(kept)
        current = store.windows_of(record.connection, monitor.name)
        for window in computed:
            others = [other for other in current if other.start != window.start]
            if alert := apply_rule(record, monitor, window, others):
                opened.append(alert)
                announce(record, "alert.opened", told_of(alert))
        explain_again(record, monitor, current)
        record.note(windows=[facts_of(window) for window in computed], unchanged=unchanged)
        return Evaluated(monitor.name, computed, unchanged, opened)

    # --- reading ---

    def find(self, monitor: str) -> Monitor:
        """Raises NotFound."""
        with self.database.read() as connection:
            found = store.find(connection, monitor)
        if found is None:
            raise unknown(monitor)
        return found

    def project_of(self, monitor: str) -> str:
        """Raises NotFound."""
        return self.find(monitor).project

    def show(self, caller: Caller, *, monitor: str) -> MonitorReport:
        found = self.find(monitor)
        with self.database.read() as connection:
            windows = store.windows_of(connection, monitor)
            return MonitorReport(found, windows, store.alerts_of(connection, None, monitor=monitor))

    def windows(self, caller: Caller, body: ListWindows, *, monitor: str) -> Page[Window]:
        """Oldest first; with `superseded` each with its earlier results before it."""
        found = self.find(monitor)
        with self.database.read() as connection:
            return Page(store.windows_of(connection, found.name, superseded=body.superseded))

    def all(self) -> list[Monitor]:
        """Every monitor of the platform."""
        with self.database.read() as connection:
            return store.all_of(connection, None)

    def of_endpoint(self, endpoint: str) -> list[Monitor]:
        with self.database.read() as connection:
            return store.of_endpoint(connection, endpoint)

    # --- alerts ---

    def alerts(self, caller: Caller, body: ListAlerts) -> Page[Alert]:
        """The alerts that the caller may see, newest first."""
        visible = self.access.visible(caller)
        with self.database.read() as connection:
            return Page(store.alerts_of(connection, visible, monitor=body.monitor, state=body.state or None))

    def change_alert(self, caller: Caller, body: ChangeAlert, *, monitor: str, alert: str) -> Alert:
        """Acknowledges an alert, or resolves it; who did so and why stays with it. Raises BadField, NotFound."""
        found = self.find(monitor)
        if not body.comment.strip():
            raise BadField(field="comment", value=repr(body.comment), expected="what you found, in a few words")

        def make(record: Record) -> Alert:
            known = store.find_alert(record.connection, monitor, alert)
            if known is None:
                hint = f"`taxiway monitors alerts {monitor}` shows those there are."
                raise NotFound(kind="alert", name=alert, hint=hint)
            if known.state == "resolved":
                expected = "an alert that is not resolved: what is closed is not changed"
                raise BadField(field="state", value=repr(body.state), expected=expected)
            record.note(alert=alert, state=body.state, comment=body.comment, before=known.state)
            return move(record, known, body.state, by=caller, comment=body.comment.strip())

        return self.ledger.change(caller, "monitors.change_alert", found.ref, make, answer=Alert, project=found.project)

    def project_of_alert(self, monitor: str, alert: str) -> str:
        """Raises NotFound."""
        with self.database.read() as connection:
            found = store.find_alert(connection, monitor, alert)
        if found is None:
            hint = f"`taxiway monitors alerts {monitor}` shows those there are."
            raise NotFound(kind="alert", name=f"{monitor}/{alert}", hint=hint)
        return found.project

    # --- every one of them ---

    def list(self, caller: Caller) -> Page[MonitorSummary]:
        """Every monitor that the caller may see, by name."""
        visible = self.access.visible(caller)
        with self.database.read() as connection:
            alerts = store.alerts_of(connection, visible, state="open")
            return Page([summary(connection, each, alerts) for each in store.all_of(connection, visible)])


def check(body: CreateMonitor, name: str) -> None:
    """Refuses numbers that no rule can use. Raises BadField."""
    if not is_name(name):
        raise BadField(field="name", value=repr(name), expected=NAME_EXPECTED)
    if body.baseline is not None and not math.isfinite(body.baseline):
        raise BadField(field="baseline", value=repr(body.baseline), expected="a finite number")
    if not (math.isfinite(body.tolerance) and body.tolerance >= 0):
        raise BadField(field="tolerance", value=repr(body.tolerance), expected="0 or more")
    if body.min_clusters < 2:
        raise BadField(field="min_clusters", value=str(body.min_clusters), expected="2 or more: an interval needs them")
    if not (math.isfinite(body.drift_note) and body.drift_note > 0):
        raise BadField(field="drift_note", value=repr(body.drift_note), expected="a PSI above 0")
    if body.features == []:
        raise BadField(field="features", value="[]", expected="at least one, or none at all for every input")


def has_news(now: Seen | Window, held: store.Held) -> bool:
    """Whether a window holds more than when it was measured. Log and labels only grow, so counting is enough."""
    return (now.rows + now.failed, now.labelled) > (held.rows + held.failed, held.labelled)


def told_of(alert: Alert) -> dict[str, str]:
    """What hooks are told of an alert."""
    names = ("id", "monitor", "metric", "sentence", "explanation", "url")
    return {**{name: getattr(alert, name) for name in names}, "window": alert.window_name}


def summary(connection: Any, monitor: Monitor, alerts: list[Alert]) -> MonitorSummary:
    windows = store.newest_of(connection, monitor.name, LOOKED_AT)
    judged = [window for window in windows if window.state not in ("not enough yet", "no rows")]
    newest = next((window for window in (*judged, *windows) if window.rows), None)
    return MonitorSummary(
        name=monitor.name,
        endpoint=monitor.endpoint,
        project=monitor.project,
        metric=monitor.rules.metric,
        size=monitor.rules.window,
        windows=store.count_windows(connection, monitor.name),
        open_alerts=sum(1 for alert in alerts if alert.monitor == monitor.name),
        newest=newest.name if newest else "",
        state=newest.state if newest else "no rows",
        noted=newest.noted if newest else [],
        evaluated_at=store.evaluated_at(connection, monitor.name),
    )


def facts_of(window: Window) -> dict[str, Any]:
    """A window as the audit log keeps it."""
    names = ("name", "number", "rows", "labelled", "performance_state", "noted")
    return {name: getattr(window, name) for name in names}


def taken(name: str) -> AlreadyExists:
    hint = f"`taxiway monitors show {name}` shows it; give the new one another name."
    return AlreadyExists(kind="monitor", name=name, hint=hint)


def unknown(monitor: str) -> NotFound:
    return NotFound(kind="monitor", name=monitor, hint="`taxiway monitors list` shows those there are.")
