"""Whether a model answers fast enough: the bundle's own model, called as a serving worker calls it."""

from __future__ import annotations

from msgspec import Struct

from taxiway.gates.checks.performance import require_confidence
from taxiway.gates.checks.port import Case, Input
from taxiway.gates.contract import Outcome
from taxiway.gates.laws.rules import Threshold
from taxiway.gates.probing import timing
from taxiway.gates.probing.judging import WORST, outcome_of
from taxiway.gates.probing.quantiles import least_calls, quantile
from taxiway.gates.showing.drawings import Measure

SLOW = "Serve a smaller model, or fewer rows a call; log it as a new version."
MOST_S = 30.0


class LatencyAsks(Struct, frozen=True, forbid_unknown_fields=True):
    """p50_ms, p99_ms: at most; one of them is needed. calls: measured after a warm-up. rows: in each call.

    seed: of the choice of rows.
    """

    p50_ms: float | None = None
    p99_ms: float | None = None
    calls: int = 1_000
    rows: int = 1
    confidence: float = 0.95
    seed: int = 0

    def __post_init__(self) -> None:
        require_confidence(self.confidence)
        bounds = [bound for bound in (self.p50_ms, self.p99_ms) if bound is not None]
        if not bounds or min(bounds) <= 0:
            raise ValueError("p50_ms or p99_ms, above 0")
        least = least_calls(0.99 if self.p99_ms is not None else 0.5, self.confidence)
        if not max(least, 50) <= self.calls <= 20_000:
            raise ValueError(f"from {max(least, 50)} to 20000 calls")
        if not 1 <= self.rows <= 10_000:
            raise ValueError("from 1 to 10000 rows in each call")


class Latency:
    """Passes when the whole interval of every bounded quantile lies below its bound."""

    name = "latency"
    parameters = LatencyAsks
    inputs: tuple[Input, ...] = ("bundle", "evaluation", "datasets")
    is_live = False

    def title(self, parameters: LatencyAsks) -> str:
        bounds = [(name, bound) for name, bound in bounds_of(parameters).items() if bound is not None]
        return " and ".join(f"{name} latency at most {bound:g} ms" for name, bound in bounds)

    def ask(self, parameters: LatencyAsks, case: Case) -> Outcome:
        predictor, rows = case.predictor(), case.rows()
        requests = timing.requests_of(rows, calls=parameters.calls, each=parameters.rows, seed=parameters.seed)
        times = timing.time_calls(predictor, requests, most_s=MOST_S)
        outcomes, marks, limit = [], [], None
        for name, bound in bounds_of(parameters).items():
            estimate = quantile(times, float(name[1:]) / 100, parameters.confidence)
            if estimate.value is not None:
                marks.append(Measure(name, estimate.value, estimate.low, estimate.high))
            if bound is not None:
                asked, limit = Threshold("at_most", bound), bound
                outcomes.append(outcome_of(f"{name} latency", estimate, asked, SLOW, unit="ms", of="calls"))
        first = min(outcomes, key=lambda outcome: WORST.index(outcome.verdict))
        each = "1 row" if parameters.rows == 1 else f"{parameters.rows} rows"
        return Outcome(
            verdict=first.verdict,
            reason=" ".join(outcome.reason for outcome in outcomes),
            advice=first.advice,
            metric=first.metric,
            estimate=first.estimate,
            threshold=first.threshold,
            details=[
                f"{len(times):,} calls of {each} after {timing.WARM_UP} to warm up, one at a time on one thread",
                f"rows: {rows.said}, drawn with seed {parameters.seed}",
                f"measured on {timing.machine()}",
            ],
            drawings=[timing.spread("Latency of a call", times, marks, limit)],
        )


def bounds_of(parameters: LatencyAsks) -> dict[str, float | None]:
    return {"p50": parameters.p50_ms, "p99": parameters.p99_ms}
