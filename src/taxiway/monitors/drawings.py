"""The figures of a monitor: drift by feature and window, performance over time, two distributions of one column."""

from __future__ import annotations

import math
from datetime import datetime
from itertools import pairwise
from urllib.parse import quote

from taxiway.monitors.bins import Bins
from taxiway.monitors.contract import Alert, ColumnDrift, ColumnReference, Monitor, Window
from taxiway.monitors.terms import HIGHER_IS_BETTER, METRIC_WORDS
from taxiway.monitors.windows import all_between, short_name
from taxiway.web.figures.heat import HeatMap
from taxiway.web.figures.histograms import Histogram, Histograms
from taxiway.web.figures.lines import Event, Line, LineChart, Threshold

MOST_WINDOWS = 14
MOST_NAMES = 11
SCORE = "score of the answers"
Bin = tuple[str, int, int]  # what it holds, rows of the reference, rows of the window


def drift_map(monitor: Monitor, windows: list[Window]) -> HeatMap:
    """PSI of every feature, and of the scores, in the newest windows; a window without rows is a gap.

    What so few rows reach by chance is no measurement: such a cell is empty, and its page has the number. Windows at
    either end in which nothing is measured are left out: the one that has just begun says nothing yet.
    """
    by_start = {window.start: window for window in windows}
    size = monitor.rules.window
    starts = all_between(windows[0].start, windows[-1].start, size, MOST_WINDOWS) if windows else []
    starts = measured_span(starts, by_start)
    names = [column.name for column in monitor.reference.features]
    rows = [*names, *([SCORE] if monitor.reference.score else [])]
    columns = [by_start.get(start) for start in starts]
    values = [[shown_psi(drift_of(window, name)) for window in columns] for name in rows]
    urls = [[cell_url(monitor, name, start) if by_start.get(start) else "" for start in starts] for name in rows]
    return HeatMap(
        title="Drift of the inputs",
        rows=tuple(rows),
        columns=tuple(short_name(start, size) for start in starts),
        values=tuple(tuple(row) for row in values),
        urls=tuple(tuple(row) for row in urls),
        watch=min(0.1, monitor.rules.drift_note / 2),
        act=monitor.rules.drift_note,
    )


def measured_span(starts: list[datetime], by_start: dict[datetime, Window]) -> list[datetime]:
    """The windows from the first to the last in which any drift is measured; all of them where there is none."""
    measured = [index for index, start in enumerate(starts) if is_measured(by_start.get(start))]
    return starts[measured[0] : measured[-1] + 1] if measured else starts


def is_measured(window: Window | None) -> bool:
    """Whether a window has rows enough for any of its cells."""
    drifts = [*window.drift, window.score] if window else []
    return any(not math.isnan(shown_psi(drift)) for drift in drifts)


def unmeasured(windows: list[Window]) -> list[Window]:
    """The windows that the map leaves out at its end, as they have too few rows yet."""
    last = max((index for index, window in enumerate(windows) if is_measured(window)), default=len(windows) - 1)
    return windows[last + 1 :]


def drift_of(window: Window | None, name: str) -> ColumnDrift | None:
    """A column's drift in a window; `SCORE` stands for the scores."""
    if window is None:
        return None
    if name == SCORE:
        return window.score
    return next((drift for drift in window.drift if drift.name == name), None)


def shown_psi(drift: ColumnDrift | None) -> float:
    """What the map shows: NaN where nothing was measured, or too few rows to say anything."""
    if drift is None or drift.psi is None or drift.state == "too few rows":
        return math.nan
    return drift.psi


def cell_url(monitor: Monitor, name: str, start: datetime) -> str:
    """The page of one column in one window."""
    page = "score" if name == SCORE else f"features/{quote(name, safe='')}"
    return f"/monitors/{monitor.name}/{page}?window={start:%Y-%m-%d}"


def performance_line(monitor: Monitor, windows: list[Window], alerts: list[Alert]) -> LineChart:
    """The metric of each window in its middle, with interval, the baseline, and from where on it alerts."""
    rules, words = monitor.rules, METRIC_WORDS[monitor.rules.metric]
    measured = [window for window in windows if window.performance and window.performance.estimate.value is not None]
    measured = measured[-MOST_WINDOWS:]
    estimates = [window.performance.estimate for window in measured if window.performance]
    points = [(middle(window), number(each.value)) for window, each in zip(measured, estimates, strict=True)]
    worse = -rules.tolerance if HIGHER_IS_BETTER[rules.metric] else rules.tolerance
    shown = {window.start: window for window in measured}
    flags = [
        Event(
            x=middle(shown[alert.window]),
            name="alert" if alert.state == "open" else f"alert, {alert.state}",
            kind="alert",
            url=f"#alert-{alert.id}",
        )
        for alert in sorted(alerts, key=lambda alert: alert.window)
        if alert.window in shown
    ]
    return LineChart(
        title=f"{words[:1].upper()}{words[1:]} by window",
        is_time=True,
        has_dots=True,
        y_name=words,
        lines=(
            Line(
                name=words,
                points=tuple(points),
                low=tuple(number(each.low) for each in estimates),
                high=tuple(number(each.high) for each in estimates),
            ),
        ),
        thresholds=limits(rules.baseline, worse),
        places=tuple((middle(window), short_name(window.start, rules.window)) for window in measured),
        events=tuple(flags),
    )


def limits(baseline: float, worse: float) -> tuple[Threshold, ...]:
    """The baseline and from where on it alerts; one line where nothing is tolerated. worse: the tolerance, signed."""
    if worse == 0:
        return (Threshold(baseline, "baseline"),)
    return (Threshold(baseline, "baseline"), Threshold(baseline + worse, f"alert {'below' if worse < 0 else 'above'}"))


def middle(window: Window) -> float:
    """The middle of a window in seconds since 1970."""
    return (window.start.timestamp() + window.end.timestamp()) / 2


def number(value: float | None) -> float:
    return math.nan if value is None else value


def distributions(column: ColumnReference, drift: ColumnDrift, window: Window, name: str) -> Histograms:
    """The reference and a window over the same bins; of many names those that moved most, and all others as one."""
    labels = labels_of(column.bins)
    bins = list(zip(labels, column.counts, drift.counts, strict=True))
    if not (bins[-1][1] or bins[-1][2]):  # nothing was missing on either side
        bins.pop()
    x_name = "bins that the reference was cut into"
    if column.bins.rule == "category" and len(bins) > MOST_NAMES + 1:
        bins = moved_most(bins)
        x_name = f"the {MOST_NAMES} that moved most, and the rest together"
    return Histograms(
        title=f"{name}: {window.name}",
        expected=Histogram("reference", tuple(float(expected) for _, expected, _ in bins)),
        observed=Histogram(window.name, tuple(float(observed) for _, _, observed in bins)),
        names=tuple(label for label, _, _ in bins),
        x_name=x_name,
    )


def moved_most(bins: list[Bin]) -> list[Bin]:
    """The bins whose share of rows changed most, in their own order, and one for the rest."""
    before, now = (max(sum(counts), 1) for counts in ([b[1] for b in bins], [b[2] for b in bins]))
    order = sorted(range(len(bins)), key=lambda index: -abs(bins[index][1] / before - bins[index][2] / now))
    kept, rest = sorted(order[:MOST_NAMES]), order[MOST_NAMES:]
    others = ("the rest", sum(bins[index][1] for index in rest), sum(bins[index][2] for index in rest))
    return [*(bins[index] for index in kept), others]


def labels_of(bins: Bins) -> tuple[str, ...]:
    """Each bin in few letters, as there are ten of them in a line."""
    if bins.rule == "category" or len(bins.edges) < 2:
        return bins.labels
    edges = [f"{edge:.4g}" for edge in bins.edges]
    inner = [f"{low}–{high}" for low, high in pairwise(edges)]
    if len(set(edges)) < len(edges):
        return bins.labels
    return (f"<{edges[0]}", *inner, f"≥{edges[-1]}", bins.labels[-1])
