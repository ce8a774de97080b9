"""The SDK of imports: ``client.imports``. What reads another system sends what it found through this."""

from __future__ import annotations

from collections.abc import Sequence

from taxiway.imports import contract
from taxiway.imports.contract import (
    AskStamps,
    Import,
    IncomingExperiment,
    IncomingFiles,
    IncomingLogged,
    IncomingModel,
    IncomingRun,
    IncomingTrace,
    Kind,
    OpenImport,
    TakeExperiments,
    TakeFiles,
    Taken,
    TakeRuns,
    TakeTraces,
)
from taxiway.kernel.endpoint import Nothing
from taxiway.kernel.transport import Transport


class Imports:
    """Sources that things came from, and their taking in parts."""

    def __init__(self, transport: Transport) -> None:
        self.transport = transport

    def open(self, source: str, *, origin: str, project: str = "") -> Import:
        """Begins an import, or goes on with it. Admins only."""
        return self.transport.call(contract.open_import, OpenImport(origin, project), source=source)

    def show(self, source: str) -> Import:
        """An import with what is here of it. Raises NotFound."""
        return self.transport.call(contract.show_import, Nothing(), source=source)

    def list(self) -> Sequence[Import]:
        """Every import, the oldest first."""
        return self.transport.call(contract.list_imports, Nothing()).items

    def stamps(self, source: str, kind: Kind, ids: Sequence[str]) -> dict[str, str]:
        """The stamps of what was taken whole."""
        return self.transport.call(contract.ask_stamps, AskStamps(kind, [*ids]), source=source).stamps

    def take_experiments(self, source: str, experiments: Sequence[IncomingExperiment]) -> Taken:
        return self.transport.call(contract.take_experiments, TakeExperiments([*experiments]), source=source)

    def take_runs(self, source: str, runs: Sequence[IncomingRun]) -> Taken:
        return self.transport.call(contract.take_runs, TakeRuns([*runs]), source=source)

    def take_files(self, source: str, owners: Sequence[IncomingFiles]) -> Taken:
        return self.transport.call(contract.take_files, TakeFiles([*owners]), source=source)

    def take_traces(self, source: str, traces: Sequence[IncomingTrace]) -> Taken:
        return self.transport.call(contract.take_traces, TakeTraces([*traces]), source=source)

    def take_logged(self, source: str, model: IncomingLogged) -> Taken:
        return self.transport.call(contract.take_logged, model, source=source)

    def take_model(self, source: str, model: IncomingModel) -> Taken:
        return self.transport.call(contract.take_model, model, source=source)
