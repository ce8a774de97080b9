"""The API of imports."""

from __future__ import annotations

from typing import NamedTuple

from taxiway.imports import contract
from taxiway.imports.files import FileIntake
from taxiway.imports.logged import LoggedIntake
from taxiway.imports.registry import RegistryIntake
from taxiway.imports.service import Imports
from taxiway.imports.tracing import TraceIntake
from taxiway.web.serve import Server


class Intakes(NamedTuple):
    """Who takes what."""

    imports: Imports
    files: FileIntake
    logged: LoggedIntake
    registry: RegistryIntake
    traces: TraceIntake


def bind(server: Server, intakes: Intakes) -> None:
    imports, files, logged, registry, traces = intakes
    server.serve(contract.open_import, imports.open)
    server.serve(contract.show_import, imports.show)
    server.serve(contract.list_imports, imports.list)
    server.serve(contract.ask_stamps, imports.stamps)
    server.serve(contract.take_experiments, imports.take_experiments)
    server.serve(contract.take_runs, imports.take_runs)
    server.serve(contract.take_files, files.take)
    server.serve(contract.take_logged, logged.take)
    server.serve(contract.take_model, registry.take)
    server.serve(contract.take_traces, traces.take)
