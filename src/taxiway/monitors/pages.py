"""The pages of monitors: all of them, one with its windows and alerts, one column of one window."""

from __future__ import annotations

from datetime import UTC, datetime
from urllib.parse import quote

from msgspec import Struct

from taxiway.access.service import Access
from taxiway.kernel.caller import Caller
from taxiway.kernel.errors import BadField, NotFound
from taxiway.kernel.problems import convert
from taxiway.kernel.thing import parse
from taxiway.monitors.contract import (
    Alert,
    ChangeAlert,
    ColumnDrift,
    ColumnReference,
    DriftState,
    ListAlerts,
    MonitorReport,
    MonitorSummary,
    Window,
    WindowState,
)
from taxiway.monitors.drawings import SCORE, cell_url, distributions, drift_map, drift_of, performance_line, unmeasured
from taxiway.monitors.sentences import answer, features
from taxiway.monitors.service import Monitors
from taxiway.monitors.terms import METRIC_WORDS
from taxiway.projects.portfolio import Health, Portfolio, PortfolioFact, Verdict
from taxiway.projects.waiting import Wait, Waiting
from taxiway.web.site import Found, Html, Redirect, Site, View
from taxiway.web.words import listed, plural

VERDICTS: dict[WindowState, Verdict] = {
    "alert": "fail",
    "drift noted": "inconclusive",
    "ok": "pass",
    "not enough yet": "missing",
    "no rows": "missing",
}
DRIFTS: dict[DriftState, Verdict] = {
    "noted": "inconclusive",
    "moved": "pass",
    "within chance": "pass",
    "too few rows": "missing",
    "not measured": "missing",
}
MOST_LISTED = 60


class Cell(Struct, frozen=True):
    """One column of one window, with its neighbours in time."""

    column: ColumnReference
    drift: ColumnDrift
    window: Window
    name: str


class MonitorPages:
    def __init__(self, site: Site, monitors: Monitors, access: Access, waiting: Waiting) -> None:
        self.site = site
        self.monitors = monitors
        self.access = access
        self.waiting = waiting

    # --- all of them ---

    def all(self, view: View) -> Html:
        found = self.monitors.list(view.caller).items
        alerts = self.monitors.alerts(view.caller, ListAlerts(state="open")).items
        values = {
            "title": "Monitors",
            "found": found,
            "alerts": alerts,
            "answer": answer_for_all(found, alerts),
            "verdicts": VERDICTS,
            "words": METRIC_WORDS,
        }
        return Html("monitors/monitors.html", "monitors", values)

    def find(self, caller: Caller, text: str, most: int) -> list[Found]:
        """Monitors whose name or endpoint holds the text."""
        wanted = text.lower()
        found = [m for m in self.monitors.list(caller).items if wanted in f"{m.name} {m.endpoint}".lower()]
        return [Found(m.name, f"/monitors/{m.name}", f"watches {m.endpoint}: {m.state}") for m in found[:most]]

    # --- one of them ---

    def show(self, view: View) -> Html:
        report = self.monitors.show(view.caller, monitor=view.path["monitor"])
        monitor, windows, alerts = report.monitor, report.windows, report.alerts
        chosen = view.one("window")
        live = [alert for alert in alerts if alert.state != "resolved"]
        values = {
            "title": monitor.name,
            "project": monitor.project,
            "report": report,
            "listed_windows": windows[-MOST_LISTED:],
            "answer": answer(monitor, windows, alerts),
            "verdict": verdict_of(report),
            "live": live,
            "talks": {
                each.id: self.site.drawn("monitors/alert", view, f"alert:{monitor.name}/{each.id}") for each in alerts
            },
            "closed": [alert for alert in alerts if alert.state == "resolved"],
            "drift": drift_map(monitor, windows) if windows else None,
            "begun": unmeasured(windows),
            "line": performance_line(monitor, windows, alerts) if any(w.performance for w in windows) else None,
            "chosen": next((w for w in windows if f"{w.start:%Y-%m-%d}" == chosen), None),
            "url": view.url,
            "verdicts": VERDICTS,
            "words": METRIC_WORDS,
            "features": features,
            "may_act": self.access.is_allowed(view.caller, "monitors.write", monitor.project),
            "may_evaluate": self.access.is_allowed(view.caller, "monitors.evaluate", monitor.project),
            "sent": view.sent,
        }
        return Html("monitors/monitor.html", "monitors", values)

    def evaluate(self, view: View, fields: dict[str, str]) -> Redirect:
        name = view.path["monitor"]
        self.monitors.evaluate(view.caller, monitor=name)
        return Redirect(f"/monitors/{name}")

    def change_alert(self, view: View, fields: dict[str, str]) -> Redirect:
        name, alert = view.path["monitor"], view.path["alert"]
        body = convert({"state": fields.get("state", ""), "comment": fields.get("comment", "")}, ChangeAlert)
        self.monitors.change_alert(view.caller, body, monitor=name, alert=alert)
        return Redirect(f"/monitors/{name}#alert-{alert}")

    # --- one column of one window ---

    def feature(self, view: View) -> Html:
        return self._cell(view, view.path["feature"])

    def score(self, view: View) -> Html:
        return self._cell(view, SCORE)

    def _cell(self, view: View, name: str) -> Html:
        report = self.monitors.show(view.caller, monitor=view.path["monitor"])
        cell = cell_of(report, name, view.one("window"))
        monitor = report.monitor
        steps = [
            (window, drift_of(window, name), cell_url(monitor, name, window.start), window.start == cell.window.start)
            for window in report.windows
        ]
        values = {
            "title": f"{name} in {cell.window.name}",
            "project": monitor.project,
            "monitor": monitor,
            "cell": cell,
            "figure": distributions(cell.column, cell.drift, cell.window, name),
            "steps": steps,
            "answer": answer_for_cell(cell),
            "is_score": name == SCORE,
            "drifts": DRIFTS,
            "missing": missing_shares(cell),
        }
        return Html("monitors/column.html", "monitors", values)

    # --- on the pages of others ---

    def on_endpoint(self, view: View, thing: str) -> str | None:
        """How an endpoint's monitors see it, for its page."""
        endpoint = parse(thing).name
        found = [m for m in self.monitors.list(view.caller).items if m.endpoint == endpoint]
        return self.site.fragment("monitors/panel.html", found=found, endpoint=endpoint, verdicts=VERDICTS)

    def waits(self, caller: Caller, projects: list[str]) -> dict[str, list[Wait]]:
        """The open alerts of each project, with who may acknowledge them."""
        found: dict[str, list[Wait]] = {}
        for alert in self.monitors.alerts(caller, ListAlerts(state="open")).items:
            if alert.project in projects:
                found.setdefault(alert.project, []).append(wait_of(alert, self._who_could(alert)))
        return found

    def _who_could(self, alert: Alert) -> tuple[str, ...]:
        return self.waiting.who_could(alert.project, "monitors.write")

    def tell(self, caller: Caller, names: list[str]) -> dict[str, PortfolioFact]:
        """What the portfolio shows of each project: how its worst monitor is."""
        found = self.monitors.list(caller).items
        by_project = {project: [each for each in found if each.project == project] for project in names}
        return {project: PortfolioFact(health=health_of(mine)) for project, mine in by_project.items() if mine}


def add(site: Site, monitors: Monitors, access: Access, portfolio: Portfolio) -> None:
    pages = MonitorPages(site, monitors, access, portfolio.waiting)
    site.page("/monitors", pages.all, needs="monitors.read", scope="platform")
    site.page("/monitors/{monitor}", pages.show, needs="monitors.read")
    site.page("/monitors/{monitor}/score", pages.score, needs="monitors.read")
    site.page("/monitors/{monitor}/features/{feature:path}", pages.feature, needs="monitors.read")
    site.form("/monitors/{monitor}/evaluate", pages.evaluate, page=pages.show, needs="monitors.evaluate")
    site.form("/monitors/{monitor}/alerts/{alert}", pages.change_alert, page=pages.show, needs="monitors.write")
    site.panel("endpoints/endpoint", pages.on_endpoint)
    site.finds("Monitors", pages.find)
    portfolio.waiting.waiters.append(pages.waits)
    portfolio.tell(pages.tell)


def answer_for_all(found: list[MonitorSummary], alerts: list[Alert]) -> str:
    if not found:
        return "No endpoint is watched yet"
    if alerts:
        names = listed(sorted({alert.monitor for alert in alerts}))
        return f"{plural(len(alerts), 'alert')} {'waits' if len(alerts) == 1 else 'wait'} for someone: {names}"
    drifting = [monitor.name for monitor in found if monitor.noted]
    head = f"No alert is open on {plural(len(found), 'monitor')}"
    return f"{head}; drift is noted on {listed(drifting)}" if drifting else head


def verdict_of(report: MonitorReport) -> Verdict:
    """The shape before the answer: what the sentence says."""
    if any(alert.state != "resolved" for alert in report.alerts):
        return "fail"
    states = [window.performance_state for window in report.windows]
    return "pass" if "ok" in states else "missing"


def cell_of(report: MonitorReport, name: str, start: str) -> Cell:
    """A column in the window that begins on a day; without one, in the newest. Raises BadField, NotFound."""
    columns = {column.name: column for column in report.monitor.reference.features}
    if report.monitor.reference.score:
        columns[SCORE] = report.monitor.reference.score
    if name not in columns:
        raise NotFound(kind="watched feature", name=name, hint=f"/monitors/{report.monitor.name} shows those watched.")
    if not report.windows:
        raise NotFound(kind="window", name=start or "newest", hint="Nothing has been measured yet.")
    window = next((w for w in report.windows if w.start == day_of(start)), None) if start else report.windows[-1]
    drift = drift_of(window, name)
    if window is None or drift is None:
        raise NotFound(kind="window", name=start, hint=f"/monitors/{report.monitor.name} shows those there are.")
    return Cell(columns[name], drift, window, name)


def day_of(text: str) -> datetime:
    try:
        return datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC)
    except ValueError:
        raise BadField(field="window", value=repr(text), expected="the day it begins, such as 2013-05-01") from None


def answer_for_cell(cell: Cell) -> str:
    """What a column did in a window, in a sentence."""
    drift, where = cell.drift, cell.window.name
    if drift.psi is None:
        return f"{cell.name} was not measured in {where}: {drift.note}"
    if drift.state == "too few rows":
        rows = plural(sum(drift.counts), "row")
        return f"{rows} are too few to say whether {cell.name} drifted in {where}: chance reaches {drift.by_chance:.2f}"
    if drift.is_noted:
        return f"{cell.name} drifted in {where}: PSI {drift.psi:.2f}, noted and not paged"
    if drift.state == "moved":
        return f"{cell.name} moved a little in {where}: PSI {drift.psi:.2f}, below what is noted"
    return f"{cell.name} is as in the reference in {where}: PSI {drift.psi:.2f} is within chance"


def missing_shares(cell: Cell) -> tuple[float | None, float | None]:
    """The share of missing values in the reference and in the window."""
    before, now = cell.column.counts, cell.drift.counts
    return (before[-1] / sum(before) if sum(before) else None, now[-1] / sum(now) if sum(now) else None)


def health_of(monitors: list[MonitorSummary]) -> Health:
    """The health of a project by its monitors; open alerts are what matters most."""
    alerts = sum(monitor.open_alerts for monitor in monitors)
    worst = max(monitors, key=lambda monitor: (monitor.open_alerts, bool(monitor.noted)))
    url = f"/monitors/{quote(worst.name)}"
    if alerts:
        return Health("fail", plural(alerts, "alert"), url)
    if any(monitor.state == "ok" for monitor in monitors) or any(monitor.noted for monitor in monitors):
        return Health("pass", "healthy, drift noted" if worst.noted else "healthy", url)
    return Health("missing", "no verdict yet", url)


def wait_of(alert: Alert, people: tuple[str, ...]) -> Wait:
    what = f"acknowledge the alert of {alert.window_name} on {alert.monitor}"
    url, thing = f"/monitors/{alert.monitor}#alert-{alert.id}", f"alert:{alert.monitor}/{alert.id}"
    return Wait(people, what, url, alert.opened_at, "alert", thing, thing, note=alert.sentence)
