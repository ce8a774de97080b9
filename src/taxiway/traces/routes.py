"""The API of traces."""

from __future__ import annotations

from taxiway.traces import contract
from taxiway.traces.service import Traces
from taxiway.web.serve import Server


def bind(server: Server, traces: Traces) -> None:
    server.doorkeeper.project_of["trace"] = traces.project_of
    server.serve(contract.list_traces, traces.list)
    server.serve(contract.show_trace, traces.show)
