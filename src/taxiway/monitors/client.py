"""The SDK of monitors."""

from __future__ import annotations

from typing import Literal

from taxiway.kernel.transport import Transport
from taxiway.monitors import contract
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
    Window,
)
from taxiway.monitors.terms import MIN_CLUSTERS, Cluster, Metric, WindowSize


class Monitors:
    """What watches the endpoints: ``client.monitors``."""

    def __init__(self, transport: Transport) -> None:
        self.transport = transport

    def create(
        self,
        endpoint: str,
        *,
        name: str = "",
        reference: str = "",
        window: WindowSize = "month",
        features: list[str] | None = None,
        metric: Metric = "log_loss",
        baseline: float | None = None,
        tolerance: float = 0.01,
        min_clusters: int = MIN_CLUSTERS,
        cluster: Cluster = "day",
        drift_note: float = 0.25,
    ) -> Monitor:
        """Watches an endpoint by windows of event time. Raises AlreadyExists, BadField, NotFound, ReferenceUnfit.

        reference: ``dataset:PROJECT/NAME@VERSION``; without it, the data that the served version was judged on.
        features: without it, every input of the signature. baseline: without it, the metric on the version's pinned
        predictions. An alert needs the whole interval of a window to be worse than the baseline by more than
        `tolerance`, with labels from `min_clusters` different hours, days or weeks. drift_note: the PSI from which a
        feature's drift is noted; it never makes an alert.

        >>> client.monitors.create("flights", metric="log_loss", tolerance=0.01)  # doctest: +SKIP
        """
        body = CreateMonitor(
            name=name,
            reference=reference,
            window=window,
            features=features,
            metric=metric,
            baseline=baseline,
            tolerance=tolerance,
            min_clusters=min_clusters,
            cluster=cluster,
            drift_note=drift_note,
        )
        return self.transport.call(contract.create_monitor, body, endpoint=endpoint)

    def list(self) -> list[MonitorSummary]:
        """Every monitor one may see, by name."""
        return self.transport.call(contract.list_monitors).items

    def show(self, name: str) -> MonitorReport:
        """A monitor with its windows, oldest first, and its alerts, newest first. Raises NotFound."""
        return self.transport.call(contract.show_monitor, monitor=name)

    def evaluate(self, name: str) -> Evaluated:
        """Measures the windows that have new records or labels; the others stay as they are. Raises NotFound."""
        return self.transport.call(contract.evaluate_monitor, monitor=name)

    def windows(self, name: str, *, superseded: bool = False) -> tuple[Window, ...]:
        """What was measured, oldest first; with `superseded` also the results that later ones replaced."""
        body = ListWindows(superseded=superseded)
        return tuple(self.transport.call(contract.list_windows, body, monitor=name).items)

    def alerts(
        self, name: str = "", *, state: Literal["", "open", "acknowledged", "resolved"] = ""
    ) -> tuple[Alert, ...]:
        """Alerts, newest first: of one monitor, or of all one may see."""
        return tuple(self.transport.call(contract.list_alerts, ListAlerts(monitor=name, state=state)).items)

    def acknowledge(self, name: str, alert: str, *, comment: str) -> Alert:
        """Says that someone is on it, and what was found. Raises BadField, NotFound."""
        return self.transport.call(
            contract.change_alert, ChangeAlert("acknowledged", comment), monitor=name, alert=alert
        )

    def resolve(self, name: str, alert: str, *, comment: str) -> Alert:
        """Closes an alert for good. Raises BadField, NotFound."""
        return self.transport.call(contract.change_alert, ChangeAlert("resolved", comment), monitor=name, alert=alert)
