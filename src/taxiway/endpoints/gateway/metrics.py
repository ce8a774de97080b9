"""What the gateway counts, as Prometheus reads it: requests, errors by kind, latency, queues, processes and the log."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence

from taxiway.endpoints.gateway.status import GatewayStatus, LogStatus, RevisionStatus
from taxiway.kernel.exposition import LATENCIES_MS, TEXT, Histogram, Labels, Page

__all__ = ["TEXT", "Metrics", "page_of"]

SIZES = (1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 512.0, 2048.0, 10000.0)
MOST_KINDS = 1_000  # a caller cannot make the page grow without end


class Metrics:
    """Counts what the status of a revision does not say. Latency and sizes begin anew with each gateway."""

    def __init__(self) -> None:
        self.latency: dict[tuple[str, int], Histogram] = {}
        self.sizes: dict[tuple[str, int], Histogram] = {}
        self.refusals: Counter[tuple[str, str, int]] = Counter()

    def answered(self, endpoint: str, number: int, latency_ms: float, rows: int) -> None:
        """One request of a revision that was answered."""
        key = (endpoint, number)
        latency = self.latency.get(key)
        if latency is None:
            latency = self.latency[key] = Histogram(LATENCIES_MS)
            self.sizes[key] = Histogram(SIZES)
        latency.add(latency_ms)
        self.sizes[key].add(rows)

    def refused(self, endpoint: str, kind: str, status: int) -> None:
        """One request that was refused. endpoint: empty where there is none of that name."""
        key = (endpoint, kind, status)
        if key in self.refusals or len(self.refusals) < MOST_KINDS:
            self.refusals[key] += 1


def page_of(status: GatewayStatus, metrics: Metrics, shown: Collection[str] | None) -> bytes:
    """Everything of these endpoints; of all where it is None."""
    page = Page()
    began = status.started_at.timestamp()
    page.metric("taxiway_gateway_start_time_seconds", "gauge", "When the gateway began.", [((), began)])
    page.metric("taxiway_gateway_cpu_seconds_total", "counter", "Its processor time.", [((), status.cpu_seconds)])
    page.metric("taxiway_gateway_memory_bytes", "gauge", "Its resident memory.", [((), status.rss_bytes)])
    page.metric(
        "taxiway_configuration_serial", "gauge", "The signed configuration in force.", [((), status.serial or 0)]
    )
    is_shown = (lambda name: True) if shown is None else shown.__contains__
    add_revisions(page, [each for each in status.revisions if is_shown(each.endpoint)])
    keys = [key for key in metrics.latency if is_shown(key[0])]
    seconds = [(labels_of(*key), metrics.latency[key]) for key in keys]
    page.histogram("taxiway_request_duration_seconds", "From the whole request to its answer.", seconds, 0.001)
    rows = [(labels_of(*key), metrics.sizes[key]) for key in keys]
    page.histogram("taxiway_request_rows", "Rows of an answered request.", rows, 1.0)
    page.metric(
        "taxiway_refusals_total",
        "counter",
        "Requests that were refused, by what they were told.",
        [
            ((("endpoint", endpoint), ("kind", kind), ("status", str(code))), count)
            for (endpoint, kind, code), count in metrics.refusals.items()
            if is_shown(endpoint) or not endpoint
        ],
    )
    add_logs(page, [each for each in status.logs if is_shown(each.endpoint)])
    return page.text()


def add_revisions(page: Page, revisions: Sequence[RevisionStatus]) -> None:
    """What the status says of each revision."""
    told = (
        ("requests_total", "counter", "Requests answered with a prediction.", lambda r: r.requests),
        ("request_errors_total", "counter", "Requests that the revision failed to answer.", lambda r: r.errors),
        ("requests_refused_total", "counter", "Requests that its model does not take.", lambda r: r.refused),
        ("requests_abandoned_total", "counter", "Requests whose callers hung up.", lambda r: r.abandoned),
        ("rows_total", "counter", "Rows answered.", lambda r: r.rows),
        ("in_flight", "gauge", "Requests waiting or in work.", lambda r: r.in_flight),
        ("queue", "gauge", "Requests that wait for a worker.", lambda r: r.waiting),
        ("workers", "gauge", "Processes that run.", lambda r: len(r.pids)),
        ("worker_restarts_total", "counter", "Processes that ended and were replaced.", lambda r: r.restarts),
        ("worker_cpu_seconds_total", "counter", "Processor time of the processes.", lambda r: r.cpu_seconds),
        ("worker_memory_bytes", "gauge", "Resident memory of the processes.", lambda r: r.rss_bytes),
        ("live", "gauge", "Whether requests come here.", lambda r: r.is_live and r.state == "ready"),
    )
    for name, kind, meaning, value in told:
        values = [(labels_of(r.endpoint, r.number, r.model, r.version), float(value(r))) for r in revisions]
        page.metric(f"taxiway_{name}", kind, meaning, values)


def add_logs(page: Page, logs: Sequence[LogStatus]) -> None:
    """How each inference log does."""
    told = (
        ("log_records_total", "counter", "Records written.", lambda s: s.rows),
        ("log_bytes_total", "counter", "Bytes written.", lambda s: s.bytes),
        ("log_syncs_total", "counter", "Times that the disk was waited for.", lambda s: s.syncs),
        ("log_failed_syncs_total", "counter", "Times that the disk did not take it.", lambda s: s.failed_syncs),
        ("log_refused_total", "counter", "Requests refused since the log did not take them.", lambda s: s.refused),
        ("log_unrecorded_total", "counter", "Requests answered without a record.", lambda s: s.unrecorded),
        ("log_failing", "gauge", "Whether the last request was not taken.", lambda s: bool(s.problem)),
        ("log_acknowledged", "gauge", "Whether answers wait for the disk.", lambda s: s.durability == "acknowledged"),
    )
    for name, kind, meaning, value in told:
        page.metric(f"taxiway_{name}", kind, meaning, [((("endpoint", s.endpoint),), float(value(s))) for s in logs])


def labels_of(endpoint: str, number_: int, model: str = "", version: int = 0) -> Labels:
    found: Labels = (("endpoint", endpoint), ("revision", str(number_)))
    return (*found, ("model", f"{model}@{version}")) if model else found
