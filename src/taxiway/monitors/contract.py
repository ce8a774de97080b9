"""What the outside sees of monitors."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from msgspec import Struct

from taxiway.gates.laws.estimates import Estimate
from taxiway.kernel.endpoint import Endpoint, Nothing, Page
from taxiway.kernel.errors import TaxiwayError
from taxiway.monitors.bins import Bins
from taxiway.monitors.terms import MIN_CLUSTERS, Cluster, Metric, WindowPerformance, WindowSize

AlertState = Literal["open", "acknowledged", "resolved"]
WindowState = Literal["alert", "drift noted", "ok", "not enough yet", "no rows"]
PerformanceState = Literal["alert", "ok", "not enough yet", "no labels"]
DriftState = Literal["noted", "moved", "within chance", "too few rows", "not measured"]


class ColumnReference(Struct, frozen=True):
    """How one column is cut, and the reference's rows in each bin. `type` is the signature's word for its values."""

    name: str
    type: str
    bins: Bins
    counts: list[int]


class Reference(Struct, frozen=True, kw_only=True):
    """The rows that windows are compared with, cut once and for all.

    digest: of the columns below, so that a changed edge shows. dataset: the reference of the table that the features
    were cut from, with its digest. predictions: the digest of the pinned predictions that the scores and the
    baseline come from; empty where there are none.
    """

    digest: str
    dataset: str
    table: str
    rows: int
    predictions: str
    predictions_rows: int
    split: str
    features: list[ColumnReference]
    score: ColumnReference | None


class Rules(Struct, frozen=True, kw_only=True):
    """What a monitor measures and when it speaks. `baseline_from` says in words where the baseline comes from."""

    window: WindowSize
    cluster: Cluster
    metric: Metric
    baseline: float
    baseline_from: str
    tolerance: float
    min_clusters: int
    drift_note: float


class Monitor(Struct, frozen=True, kw_only=True):
    """What watches an endpoint. `model` is the version that was served when it was made."""

    name: str
    endpoint: str
    project: str
    model: str
    rules: Rules
    reference: Reference
    created_by: str
    created_at: datetime

    @property
    def ref(self) -> str:
        return f"monitor:{self.name}"


class ColumnDrift(Struct, frozen=True, kw_only=True):
    """One column of a window against the reference.

    psi: in nats; None where `note` says why there is none. by_chance: what so few rows exceed in one of a thousand
    columns that did not move. state: `noted` from the monitor's limit on, `moved` below it and beyond chance,
    `too few rows` where chance itself reaches the limit. counts: rows in each of the reference's bins, the missing
    ones last.
    """

    name: str
    psi: float | None
    by_chance: float
    state: DriftState
    counts: list[int]
    note: str = ""

    @property
    def is_noted(self) -> bool:
        return self.state == "noted"


class Window(Struct, frozen=True, kw_only=True):
    """What was measured of a span of event time, from `start` until just before `end`.

    number: counts the results for this span; late records and labels make another, and the earlier ones are kept.
    rows: answered ones; failed: rows that got no answer. expected, observed: the mean score and the share of ones of
    the labelled rows; gap: observed less expected, its interval over clusters. sample: a prediction to trace.
    """

    monitor: str
    start: datetime
    end: datetime
    name: str
    number: int
    rows: int
    failed: int
    labelled: int
    drift: list[ColumnDrift]
    score: ColumnDrift | None
    performance: WindowPerformance | None
    performance_state: PerformanceState
    sentence: str
    expected: float | None
    observed: float | None
    gap: Estimate | None
    models: list[str]
    sample: str
    computed_at: datetime

    @property
    def noted(self) -> list[str]:
        """The features whose drift is noted, the furthest first."""
        found = [drift for drift in self.drift if drift.is_noted]
        return [drift.name for drift in sorted(found, key=lambda drift: -(drift.psi or 0.0))]

    @property
    def state(self) -> WindowState:
        """The window in a word. Drift never makes an alert."""
        if not self.rows:
            return "no rows"
        if self.performance_state == "alert":
            return "alert"
        if self.noted:
            return "drift noted"
        return "ok" if self.performance_state == "ok" else "not enough yet"


class Alert(Struct, frozen=True, kw_only=True):
    """Someone should act: a metric of one window is worse than its baseline by more than the tolerance.

    There is one for a monitor, window and metric. `explanation` says what moved and what stayed silent. changed_by,
    changed_at and comment are of the last change of its state.
    """

    id: str
    monitor: str
    project: str
    kind: Literal["performance"]
    metric: Metric
    window: datetime
    window_name: str
    estimate: float
    low: float
    high: float
    baseline: float
    tolerance: float
    n: int
    clusters: int
    sentence: str
    explanation: str
    url: str
    state: AlertState
    opened_at: datetime
    changed_by: str
    changed_at: datetime
    comment: str = ""


class MonitorSummary(Struct, frozen=True, kw_only=True):
    """A monitor at a glance. `newest`: its newest window that could be judged, or else its newest with rows."""

    name: str
    endpoint: str
    project: str
    metric: Metric
    size: WindowSize
    windows: int
    open_alerts: int
    newest: str
    state: WindowState
    noted: list[str]
    evaluated_at: datetime | None


class MonitorReport(Struct, frozen=True):
    """A monitor with its windows, oldest first, and its alerts, newest first."""

    monitor: Monitor
    windows: list[Window]
    alerts: list[Alert]


class CreateMonitor(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """name: the endpoint's, unless given. reference: ``dataset:PROJECT/NAME@VERSION``; empty is what the served
    version was judged on. features: None is every input of its signature. baseline: None is the metric on the
    version's pinned predictions. drift_note: the PSI from which drift is noted; it is never an alert."""

    name: str = ""
    reference: str = ""
    window: WindowSize = "month"
    features: list[str] | None = None
    metric: Metric = "log_loss"
    baseline: float | None = None
    tolerance: float = 0.01
    min_clusters: int = MIN_CLUSTERS
    cluster: Cluster = "day"
    drift_note: float = 0.25


class Evaluated(Struct, frozen=True):
    """What an evaluation did: the windows that it measured (again), how many had nothing new, the alerts it opened."""

    monitor: str
    computed: list[Window]
    unchanged: int
    opened: list[Alert]


class ListWindows(Struct, frozen=True, forbid_unknown_fields=True):
    """superseded: also earlier results of the same window."""

    superseded: bool = False


class ListAlerts(Struct, frozen=True, forbid_unknown_fields=True):
    """monitor, state: only this one's, only those in this state; empty means all."""

    monitor: str = ""
    state: Literal["", "open", "acknowledged", "resolved"] = ""


class ChangeAlert(Struct, frozen=True, forbid_unknown_fields=True):
    state: Literal["acknowledged", "resolved"]
    comment: str


class ReferenceUnfit(TaxiwayError):
    """A reference that windows cannot be compared with."""

    status = 422
    endpoint: str
    problem: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.endpoint} cannot be watched against this reference: {self.problem}. {self.remedy}"


create_monitor = Endpoint(
    "POST",
    "/api/endpoints/{endpoint}/monitors",
    CreateMonitor,
    Monitor,
    "monitors.write",
    "Watch an endpoint",
)
list_monitors = Endpoint(
    "GET", "/api/monitors", Nothing, Page[MonitorSummary], "monitors.read", "The monitors one may see", "platform"
)
show_monitor = Endpoint(
    "GET", "/api/monitors/{monitor}", Nothing, MonitorReport, "monitors.read", "A monitor, its windows and alerts"
)
list_windows = Endpoint(
    "GET",
    "/api/monitors/{monitor}/windows",
    ListWindows,
    Page[Window],
    "monitors.read",
    "What was measured, window by window",
)
evaluate_monitor = Endpoint(
    "POST",
    "/api/monitors/{monitor}/evaluations",
    Nothing,
    Evaluated,
    "monitors.evaluate",
    "Measure the windows that have new records or labels",
)
list_alerts = Endpoint(
    "GET", "/api/alerts", ListAlerts, Page[Alert], "monitors.read", "The alerts one may see, newest first", "platform"
)
change_alert = Endpoint(
    "PATCH",
    "/api/monitors/{monitor}/alerts/{alert}",
    ChangeAlert,
    Alert,
    "monitors.write",
    "Acknowledge or resolve an alert",
)
