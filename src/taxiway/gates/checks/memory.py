"""Whether a model fits: what a process takes beyond its libraries to load it and answer with it."""

from __future__ import annotations

import msgspec
from msgspec import Struct

from taxiway.gates.checks.port import Case, Input
from taxiway.gates.contract import Outcome
from taxiway.gates.laws.rules import Threshold
from taxiway.gates.probing.footprint import growths
from taxiway.gates.probing.judging import outcome_of
from taxiway.gates.probing.quantiles import quantile
from taxiway.gates.showing.drawings import Bars, Measure

TIMES = 6  # the least that give the median an interval at 95 %
LARGE = "Serve a smaller model; log it as a new version."


class MemoryAsks(Struct, frozen=True, forbid_unknown_fields=True):
    """at_most_mb: the median growth of the process, in 10^6 bytes. rows: answered at once after loading."""

    at_most_mb: float
    rows: int = 64

    def __post_init__(self) -> None:
        if self.at_most_mb <= 0:
            raise ValueError("at_most_mb above 0")
        if not 1 <= self.rows <= 100_000:
            raise ValueError("from 1 to 100000 rows")


class Memory:
    """Passes when the whole interval of the median growth lies below the bound."""

    name = "memory"
    parameters = MemoryAsks
    inputs: tuple[Input, ...] = ("bundle", "evaluation", "datasets")
    is_live = False

    def title(self, parameters: MemoryAsks) -> str:
        return f"loading it and answering {parameters.rows:,} rows takes at most {parameters.at_most_mb:g} MB"

    def ask(self, parameters: MemoryAsks, case: Case) -> Outcome:
        rows = case.rows()
        data = rows.inputs([i % len(rows) for i in range(parameters.rows)])

        def load_and_ask() -> object:
            predictor = case.predictor()
            return predictor, predictor.predict(data)

        case.bundle()  # verified before the forks, so that its bytes do not count
        measured = growths(load_and_ask, TIMES)
        estimate = quantile(measured, 0.5)
        asked = Threshold("at_most", parameters.at_most_mb)
        outcome = outcome_of("memory of the model", estimate, asked, LARGE, unit="MB", of="processes")
        bars = [Measure(f"process {i + 1}", value) for i, value in enumerate(measured)]
        return msgspec.structs.replace(
            outcome,
            details=[
                f"peak growth of {TIMES} processes that had the libraries loaded",
                f"each read the model once and answered {parameters.rows:,} rows",
                f"rows: {rows.said}",
            ],
            drawings=[Bars(title="Growth of each process", measures=bars, unit="MB", limit=parameters.at_most_mb)],
        )
