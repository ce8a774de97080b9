"""What a model leans on, and whether that is the same whoever draws the rows."""

from __future__ import annotations

import numpy as np
from msgspec import Struct
from msgspec.structs import replace
from numpy.typing import NDArray

from taxiway.gates.checks.performance import require_confidence
from taxiway.gates.checks.port import Case, Input
from taxiway.gates.contract import Outcome
from taxiway.gates.laws.intervals import t_quantile
from taxiway.gates.laws.rules import Threshold
from taxiway.gates.probing import contributions, ranks
from taxiway.gates.probing.judging import outcome_of
from taxiway.gates.showing.drawings import Bars, Measure
from taxiway.gates.working.rows import NoRows, Rows
from taxiway.models.predicting.predictor import Predictor

MOST_SHOWN = 15
UNSTABLE = "Explain on more rows, or train with fewer columns that stand in for each other."
FEATURES = "Log predictions with features=[…] and the model as a new version."


class Stability(Struct, frozen=True, forbid_unknown_fields=True):
    """at_least: the rank correlation of importances between draws, from -1 to 1."""

    at_least: float

    def __post_init__(self) -> None:
        if not -1 <= self.at_least <= 1:
            raise ValueError("a correlation from -1 to 1 as at_least")


class ExplanationsAsks(Struct, frozen=True, forbid_unknown_fields=True):
    """stability: of the ranking of columns between draws of rows. draws: how many; each has a seed of its own, from
    `seed` on. rows: at most so many are explained.
    """

    stability: Stability
    draws: int = 8
    rows: int = 500
    confidence: float = 0.95
    seed: int = 0

    def __post_init__(self) -> None:
        require_confidence(self.confidence)
        if not 4 <= self.draws <= 50:
            raise ValueError("from 4 to 50 draws")
        if not 30 <= self.rows <= 20_000:
            raise ValueError("from 30 to 20000 rows")


class Explanations:
    """Passes when the importances of columns rank alike in every draw of rows, by the whole interval."""

    name = "explanations"
    parameters = ExplanationsAsks
    inputs: tuple[Input, ...] = ("bundle", "evaluation", "datasets")
    is_live = False

    def title(self, parameters: ExplanationsAsks) -> str:
        return f"importances rank alike between draws, correlation at least {parameters.stability.at_least:g}"

    def ask(self, parameters: ExplanationsAsks, case: Case) -> Outcome:
        try:
            rows = case.rows().sample(parameters.rows, parameters.seed)
        except NoRows as e:
            return Outcome("missing", str(e), FEATURES)
        importances, method, gap = importances_of(parameters, rows, case.predictor())
        estimate = replace(ranks.stability(importances, parameters.confidence), seed=parameters.seed)
        asked = Threshold("at_least", parameters.stability.at_least)
        outcome = outcome_of("stability of importances", estimate, asked, UNSTABLE, of="draws")
        held = [f"contributions and base add up to the raw score within {gap:.1e}"] if gap is not None else []
        return replace(
            outcome,
            details=[method, *held, f"rows: {rows.said}; each draw takes as many of them with replacement"],
            drawings=[drawing(importances, [column.name for column in rows.signature.inputs], method, parameters)],
        )


def importances_of(
    parameters: ExplanationsAsks, rows: Rows, predictor: Predictor
) -> tuple[NDArray[np.float64], str, float | None]:
    """A row for each draw: the mean size of each column's contributions; how, and how well they add up.

    Exact contributions of a row are the same in every draw, so that only the choice of rows differs; a permutation
    differs by itself too.
    """
    inputs, count = rows.inputs(), len(rows)
    found = contributions.exact(predictor, inputs)
    drawn = []
    for seed in range(parameters.seed, parameters.seed + parameters.draws):
        draws = np.random.default_rng(seed)
        chosen = draws.integers(0, count, count)
        if found is not None:
            drawn.append(np.abs(found.values[chosen]).mean(axis=0))
        else:
            made = contributions.shuffled(predictor, rows.signature, rows.inputs(chosen.tolist()), draws)
            drawn.append(made.values.mean(axis=0))
    method = found.method if found is not None else "permutation: mean change of the answer"
    return np.array(drawn), method, found.gap if found is not None else None


def drawing(importances: NDArray[np.float64], names: list[str], method: str, parameters: ExplanationsAsks) -> Bars:
    """The columns that count most, each with its interval over the draws."""
    middle = importances.mean(axis=0)
    reach = t_quantile(parameters.confidence, parameters.draws - 1) * importances.std(axis=0, ddof=1)
    reach = reach / np.sqrt(parameters.draws)
    order = np.argsort(-middle, kind="stable")[:MOST_SHOWN].tolist()
    return Bars(
        title=f"Importance of columns ({method})",
        measures=[
            Measure(names[i], float(middle[i]), float(middle[i] - reach[i]), float(middle[i] + reach[i])) for i in order
        ],
    )
