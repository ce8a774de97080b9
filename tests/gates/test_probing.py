"""Checks that ask a model: against oracles, on small real models."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import stats

from taxiway.gates.checks.explanations import Explanations
from taxiway.gates.checks.latency import LatencyAsks
from taxiway.gates.checks.memory import Memory, MemoryAsks
from taxiway.gates.checks.port import Case, Check
from taxiway.gates.checks.register import CHECKS
from taxiway.gates.contract import Outcome
from taxiway.gates.probing import contributions
from taxiway.gates.probing.quantiles import least_calls, quantile
from taxiway.gates.probing.ranks import ranks, stability
from taxiway.gates.showing.drawings import Bars, Spread
from taxiway.gates.working.opening import open_case
from tests.gates import worked


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    folder = tmp_path_factory.mktemp("bundles")
    return {name: worked.bundle(folder / name, getattr(worked, name)()) for name in ("linear", "boosted", "neighbours")}


def ask(check: str, parameters: dict[str, Any], bundle: Any, **given: Any) -> Outcome:
    import msgspec

    asked: Check = CHECKS[check]
    return asked.ask(
        msgspec.convert(parameters, asked.parameters), open_case(worked.job(check, parameters, bundle, **given))
    )


@pytest.mark.parametrize("share", [0.5, 0.99])
def test_the_interval_of_a_quantile_holds_the_true_one_as_often_as_it_says(share: float) -> None:
    random = np.random.default_rng(1)
    true = -np.log(1 - share)

    found = [quantile(random.exponential(size=500).tolist(), share) for _ in range(1000)]

    held = np.mean([e.low <= true <= e.high for e in found if e.low is not None and e.high is not None])
    assert 0.93 <= held <= 0.99  # order statistics are discrete, and so a little wide


def test_too_few_measurements_for_a_far_quantile_say_how_many_it_takes() -> None:
    short, enough = quantile(range(367), 0.99), quantile(range(least_calls(0.99)), 0.99)

    assert short.value is None
    assert "368" in (short.undefined or "")
    assert enough.high == 367


def test_ranks_and_their_correlation_are_scipys() -> None:
    random = np.random.default_rng(2)
    table = random.integers(0, 6, (5, 9)).astype(float)

    for row in table:
        assert ranks(row).tolist() == stats.rankdata(row).tolist()
    pairs = [stats.spearmanr(table[i], table[j]).statistic for i in range(5) for j in range(i)]
    assert stability(table).value == pytest.approx(np.mean(pairs), abs=1e-12)


@pytest.mark.parametrize("name", ["linear", "boosted"])
def test_exact_contributions_add_up_to_what_the_model_says(made: dict[str, Any], name: str) -> None:
    case: Case = open_case(worked.job("explanations", {}, made[name]))

    found = contributions.exact(case.predictor(), case.rows().inputs())

    assert found is not None
    assert found.gap is not None
    assert found.gap < 1e-9
    assert found.values.shape == (worked.ROWS, len(worked.COLUMNS))


@pytest.mark.parametrize("name", ["linear", "boosted", "neighbours"])
def test_the_columns_that_decide_are_the_most_important(made: dict[str, Any], name: str) -> None:
    outcome = ask("explanations", {"stability": {"at_least": 0.5}}, made[name])

    [bars] = outcome.drawings
    assert isinstance(bars, Bars)
    assert [each.name for each in bars.measures][:2] == ["income", "debt"]
    assert outcome.verdict == "pass"
    assert outcome.estimate is not None
    assert (outcome.estimate.n, outcome.estimate.seed) == (8, 0)
    assert ("permutation" if name == "neighbours" else "exact") in outcome.details[0]


def test_importances_of_chance_are_not_stable() -> None:
    random = np.random.default_rng(4)

    estimate = stability(random.random((8, 20)))

    assert estimate.high is not None
    assert estimate.high < 0.5
    assert Explanations().title(CHECKS["explanations"].parameters(stability=_half())).endswith("at least 0.5")


def _half() -> Any:
    from taxiway.gates.checks.explanations import Stability

    return Stability(0.5)


def test_latency_is_measured_call_by_call(made: dict[str, Any]) -> None:
    outcome = ask("latency", {"p50_ms": 1000, "calls": 60}, made["boosted"])

    assert outcome.verdict == "pass"
    assert outcome.estimate is not None
    assert outcome.estimate.n == 60
    [spread] = outcome.drawings
    assert isinstance(spread, Spread)
    assert sum(spread.counts) == 60
    assert ask("latency", {"p50_ms": 0.001, "calls": 60}, made["boosted"]).verdict == "fail"


def test_a_far_quantile_asks_for_enough_calls() -> None:
    with pytest.raises(ValueError, match="from 368 to"):
        LatencyAsks(p99_ms=50, calls=100)


class Heavy:
    """A case whose model takes 60 MB."""

    def __init__(self, case: Case) -> None:
        self.rows, self.bundle, self.version = case.rows, case.bundle, case.version

    def predictor(self) -> Any:
        return Filled()


class Filled:
    def __init__(self) -> None:
        self.weights = np.ones(60_000_000 // 8)

    def predict(self, _: Any) -> list[Any]:
        return [self.weights.sum()]


def test_memory_is_what_the_model_adds(made: dict[str, Any]) -> None:
    case: Any = Heavy(open_case(worked.job("memory", {}, made["linear"])))

    fits, large = (Memory().ask(MemoryAsks(at_most_mb=bound), case) for bound in (80.0, 40.0))

    assert (fits.verdict, large.verdict) == ("pass", "fail")
    assert fits.estimate is not None
    assert fits.estimate.value == pytest.approx(60, abs=5)


def test_a_model_that_hangs_on_a_column_is_moved_by_its_unit(made: dict[str, Any]) -> None:
    units = {"units": {"factors": [1000.0], "tolerance": 0.1}}

    outcome = ask("robustness", units, made["linear"])

    assert outcome.verdict == "fail"
    assert outcome.metric.startswith("share of decisions that change, x1000 in ")
    [bars] = outcome.drawings
    assert isinstance(bars, Bars)
    assert len(bars.measures) == len(worked.COLUMNS)


def test_columns_without_gaps_are_never_perturbed_by_missing_values(made: dict[str, Any]) -> None:
    outcome = ask("robustness", {"missing": {"share": 1.0, "tolerance": 1.0}}, made["linear"])

    assert outcome.verdict == "pass"  # only `debt` may have gaps, and a model refuses the others at its door
    assert outcome.estimate is not None
    assert 0 < (outcome.estimate.value or 0) < 0.5


def test_a_drop_of_accuracy_is_paired_on_the_rows(made: dict[str, Any]) -> None:
    asked = {"measure": "accuracy", "changes": [{"column": "income", "factor": -1.0, "tolerance": 0.1}]}

    outcome = ask("robustness", asked, made["boosted"])

    assert outcome.verdict == "fail"
    assert outcome.estimate is not None
    assert (outcome.estimate.value or 0) > 0.5


def test_a_drop_of_accuracy_without_labels_is_missing(made: dict[str, Any], tmp_path: Path) -> None:
    inputs, _ = worked.applicants()
    import pyarrow as pa

    table = pa.Table.from_pandas(inputs, preserve_index=False)
    asked = {"measure": "accuracy", "noise": {"tolerance": 0.1}}

    outcome = ask("robustness", asked, made["linear"], features=(), tables={"dataset:p/loans@1": table})

    assert outcome.verdict == "missing"
