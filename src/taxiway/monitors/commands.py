"""The CLI of monitors."""

from __future__ import annotations

from argparse import Namespace
from typing import TYPE_CHECKING, Any, get_args

from taxiway.kernel.commands import Argument, Command
from taxiway.kernel.show import as_table
from taxiway.monitors.contract import Alert, Evaluated, Monitor, MonitorReport, MonitorSummary, Window
from taxiway.monitors.terms import METRIC_WORDS, MIN_CLUSTERS, Cluster, Metric, WindowSize

if TYPE_CHECKING:
    from taxiway.client import Client

MONITOR = Argument("monitor", "the monitor's name, which is its endpoint's unless it was given one")
ALERT = Argument("alert", "the alert's id")
COMMENT = Argument("--comment", "what you found", default="")


def create(client: Client, given: Namespace) -> Monitor:
    return client.monitors.create(
        given.endpoint,
        name=given.name,
        reference=given.reference,
        window=given.window,
        features=given.features.split(",") if given.features else None,
        metric=given.metric,
        baseline=given.baseline,
        tolerance=given.tolerance,
        min_clusters=given.min_clusters,
        cluster=given.cluster,
        drift_note=given.drift_note,
    )


def list_(client: Client, given: Namespace) -> list[MonitorSummary]:
    return client.monitors.list()


def show(client: Client, given: Namespace) -> MonitorReport:
    return client.monitors.show(given.monitor)


def windows(client: Client, given: Namespace) -> list[Window]:
    return list(client.monitors.windows(given.monitor, superseded=given.superseded))


def evaluate(client: Client, given: Namespace) -> Evaluated:
    return client.monitors.evaluate(given.monitor)


def alerts(client: Client, given: Namespace) -> list[Alert]:
    found = list(client.monitors.alerts(given.monitor or "", state=given.state))
    if not found and given.monitor:
        client.monitors.show(given.monitor)  # no alerts of a monitor that is not there: its name is misspelt
    return found


def acknowledge(client: Client, given: Namespace) -> Alert:
    return client.monitors.acknowledge(given.monitor, given.alert, comment=given.comment)


def resolve(client: Client, given: Namespace) -> Alert:
    return client.monitors.resolve(given.monitor, given.alert, comment=given.comment)


def created_in_words(made: Monitor) -> str:
    rules, reference = made.rules, made.reference
    count = len(reference.features)
    features = f"{count} feature{'' if count == 1 else 's'}"
    return (
        f"{made.endpoint} is watched by {rules.window}, {features} against {reference.dataset} "
        f"({reference.rows:,} rows).\n"
        f"An alert needs a {METRIC_WORDS[rules.metric]} whose whole interval is worse than {rules.baseline:.3f} "
        f"by more than {rules.tolerance:g}, with labels from {rules.min_clusters} {rules.cluster}s.\n"
        f"The baseline comes from {rules.baseline_from}."
    )


def report_in_words(report: MonitorReport) -> str:
    monitor = report.monitor
    head = created_in_words(monitor)
    if not report.windows:
        return f"{head}\n\nNo window yet: `taxiway monitors evaluate {monitor.name}` measures them."
    notices = [f"{alert.state} alert {alert.id}: {alert.sentence} {alert.url}" for alert in report.alerts]
    return "\n\n".join([head, as_table([row(window) for window in report.windows]), *notices])


def evaluated_in_words(done: Evaluated) -> str:
    if not done.computed:
        return f"Nothing new: {done.unchanged} windows stay as they are."
    head = f"{len(done.computed)} measured, {done.unchanged} with nothing new."
    notices = [f"ALERT {alert.window_name}: {alert.sentence} {alert.url}" for alert in done.opened]
    return "\n\n".join([head, as_table([row(window) for window in done.computed]), *notices])


def row(window: Window) -> dict[str, Any]:
    """A window as a line of the table."""
    estimate = window.performance.estimate if window.performance else None
    value = estimate.value if estimate else None
    score = window.score.psi if window.score else None
    return {
        "window": window.name,
        "rows": window.rows,
        "labelled": f"{window.labelled / window.rows:.0%}" if window.rows else "",
        "score PSI": round(score, 3) if score is not None else None,
        "drift noted": ", ".join(f"{drift.name} {drift.psi:.2f}" for drift in window.drift if drift.is_noted),
        "metric": round(value, 3) if value is not None else None,
        "interval": f"{estimate.low:.3f} to {estimate.high:.3f}" if estimate and estimate.low is not None else "",
        "expected": round(window.expected, 3) if window.expected is not None else None,
        "observed": round(window.observed, 3) if window.observed is not None else None,
        "state": window.state,
    }


COMMANDS = (
    Command(
        "create",
        "watch an endpoint",
        create,
        (
            Argument("endpoint", "the endpoint's name"),
            Argument("--name", "the monitor's own name (default: the endpoint's)", default=""),
            Argument(
                "--reference", "dataset:PROJECT/NAME@VERSION (default: what the version was judged on)", default=""
            ),
            Argument("--window", "how long a window is", default="month", choices=get_args(WindowSize)),
            Argument("--features", "names with commas between (default: every input)", default=""),
            Argument(
                "--metric", "what is measured once labels are there", default="log_loss", choices=get_args(Metric)
            ),
            Argument("--baseline", "what it is compared with (default: the pinned predictions')", kind=float),
            Argument("--tolerance", "how much worse is still no news", kind=float, default=0.01),
            Argument("--min-clusters", "how many blocks with labels a verdict needs", kind=int, default=MIN_CLUSTERS),
            Argument("--cluster", "the block whose rows err together", default="day", choices=get_args(Cluster)),
            Argument("--drift-note", "the PSI from which drift is noted", kind=float, default=0.25),
        ),
        show=created_in_words,
    ),
    Command(
        "list",
        "the monitors you may see",
        list_,
        columns=("name", "project", "open_alerts", "newest", "state", "noted", "evaluated_at"),
    ),
    Command("show", "a monitor, its windows and alerts", show, (MONITOR,), show=report_in_words),
    Command(
        "windows",
        "what was measured, window by window",
        windows,
        (MONITOR, Argument("--superseded", "also results that later ones replaced", is_flag=True)),
        show=lambda found: as_table([{**row(window), "result": window.number} for window in found]),
    ),
    Command("evaluate", "measure windows with new records or labels", evaluate, (MONITOR,), show=evaluated_in_words),
    Command(
        "alerts",
        "alerts, newest first",
        alerts,
        (
            Argument("monitor", "only this one's", is_optional=True),
            Argument("--state", "only those in it", default="", choices=("open", "acknowledged", "resolved")),
        ),
        columns=("id", "monitor", "window_name", "state", "metric", "estimate", "low", "high", "baseline", "url"),
    ),
    Command("acknowledge", "say that you are on an alert", acknowledge, (MONITOR, ALERT, COMMENT)),
    Command("resolve", "close an alert for good", resolve, (MONITOR, ALERT, COMMENT)),
)
