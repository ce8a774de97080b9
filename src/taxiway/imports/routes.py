"""The API of imports."""

from __future__ import annotations

from taxiway.imports import contract
from taxiway.imports.files import FileIntake
from taxiway.imports.registry import RegistryIntake
from taxiway.imports.service import Imports
from taxiway.web.serve import Server


def bind(server: Server, imports: Imports, files: FileIntake, registry: RegistryIntake) -> None:
    server.serve(contract.open_import, imports.open)
    server.serve(contract.show_import, imports.show)
    server.serve(contract.list_imports, imports.list)
    server.serve(contract.ask_stamps, imports.stamps)
    server.serve(contract.take_experiments, imports.take_experiments)
    server.serve(contract.take_runs, imports.take_runs)
    server.serve(contract.take_files, files.take)
    server.serve(contract.take_logged, registry.take_logged)
    server.serve(contract.take_model, registry.take)
