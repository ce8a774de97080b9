"""The API of monitors."""

from __future__ import annotations

from taxiway.monitors import contract
from taxiway.monitors.service import Monitors
from taxiway.web.serve import Server


def bind(server: Server, monitors: Monitors) -> None:
    server.doorkeeper.project_of["monitor"] = monitors.project_of
    server.serve(contract.create_monitor, monitors.create)
    server.serve(contract.list_monitors, monitors.list)
    server.serve(contract.show_monitor, monitors.show)
    server.serve(contract.list_windows, monitors.windows)
    server.serve(contract.evaluate_monitor, monitors.evaluate)
    server.serve(contract.list_alerts, monitors.alerts)
    server.serve(contract.change_alert, monitors.change_alert)
