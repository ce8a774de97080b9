"""What the server's `/metrics` says of endpoints: all that one may see, also while their gateway is away."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from taxiway.endpoints.contract import EndpointRecord, ListEndpoints
from taxiway.endpoints.service import Endpoints
from taxiway.kernel.caller import Caller
from taxiway.kernel.exposition import Labels, Page


def teller(endpoints: Endpoints) -> Callable[[Caller, Page], None]:
    """Adds to a page what a caller may see."""
    return lambda caller, page: tell(page, endpoints.list(caller, ListEndpoints()).items)


def tell(page: Page, found: Sequence[EndpointRecord]) -> None:
    """How each endpoint stands by what the database has counted; latency and the log are the gateway's to tell."""
    told = (
        ("answering", "gauge", "Whether it answers.", lambda e: e.state == "answering"),
        ("stopped", "gauge", "Whether somebody stopped it.", lambda e: e.state == "stopped"),
        ("requests_total", "counter", "Requests answered by the revision that answers.", lambda e: e.requests),
        ("errors_total", "counter", "Requests that it failed to answer.", lambda e: e.errors),
        ("refused_total", "counter", "Requests that its model does not take.", lambda e: e.refused),
        ("abandoned_total", "counter", "Requests whose callers hung up.", lambda e: e.abandoned),
        ("requests_per_second", "gauge", "Over the last five minutes.", lambda e: e.requests_per_s),
        ("canary_share", "gauge", "Of the requests, that a canary answers.", share),
    )
    for name, kind, meaning, value in told:
        page.metric(f"taxiway_endpoint_{name}", kind, meaning, [(labels(each), float(value(each))) for each in found])


def labels(record: EndpointRecord) -> Labels:
    return (("endpoint", record.name), ("project", record.project))


def share(record: EndpointRecord) -> float:
    return record.canary.percent / 100 if record.canary else 0.0
