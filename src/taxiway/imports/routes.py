"""The API of imports."""

from __future__ import annotations

from taxiway.imports import contract
from taxiway.imports.service import Imports
from taxiway.web.serve import Server


def bind(server: Server, imports: Imports) -> None:
    server.serve(contract.open_import, imports.open)
    server.serve(contract.show_import, imports.show)
    server.serve(contract.list_imports, imports.list)
    server.serve(contract.ask_stamps, imports.stamps)
    server.serve(contract.take_experiments, imports.take_experiments)
    server.serve(contract.take_runs, imports.take_runs)
