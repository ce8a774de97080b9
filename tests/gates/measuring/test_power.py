"""How many rows a gate needs before it can decide: held against simulated decisions."""

from __future__ import annotations

import numpy as np

from taxiway.gates.contract import GateSpec, PathStage, PathVersion
from taxiway.gates.laws.estimates import Estimate
from taxiway.gates.laws.fairness import Draws
from taxiway.gates.laws.intervals import wilson
from taxiway.gates.laws.rules import Threshold, verdict_on
from taxiway.gates.measuring import power
from taxiway.gates.measuring.gaps import Columns, gap
from taxiway.gates.standing.needs import Assumed, as_rows, of_path


def test_rows_needed_decide_half_the_time_and_those_of_four_in_five_do() -> None:
    threshold, expected = Threshold("at_least", 0.85), 0.88
    need = power.from_share(expected, threshold, 0.95)
    assert need.rows is not None
    assert need.rows_likely is not None

    random = np.random.default_rng(0)
    for rows, least, most in ((need.rows, 0.4, 0.65), (need.rows_likely, 0.72, 0.88)):
        found = [verdict_on(wilson(int(random.binomial(rows, expected)), rows), threshold) for _ in range(400)]
        assert least <= found.count("pass") / 400 <= most


def test_rows_needed_of_a_ratio_decide_as_often_in_simulation() -> None:
    threshold = Threshold("at_least", 0.8)
    need = power.from_ratio((0.54, 0.6), 0.2, threshold, 0.95)
    assert need.rows_likely is not None
    small = round(need.rows_likely * 0.2)
    random, passed = np.random.default_rng(0), 0
    for _ in range(60):
        said = np.concatenate([random.random(small) < 0.54, random.random(need.rows_likely - small) < 0.6]).astype(int)
        groups = np.repeat(["a", "b"], [small, need.rows_likely - small])
        draws = Draws(confidence=0.95, seed=0, resamples=2_000)
        found = gap("selection_rate_ratio", Columns(None, said, groups), draws, threshold=threshold, min_rows=30)
        passed += verdict_on(found.estimate, threshold) == "pass"
    assert 0.62 <= passed / 60 <= 0.95


def test_what_no_rows_decide_is_said() -> None:
    at = Estimate(0.8, 0.7, 0.9, 100, 0.95, "x")
    assert power.from_estimate(at, Threshold("at_least", 0.8)).rows is None
    assert power.from_estimate(at, Threshold("at_least", 0.8), expected=0.85).rows == 400
    assert power.from_ratio((0.0, 0.5), 0.1, Threshold("at_least", 0.8), 0.95).why


def test_each_gate_of_a_path_says_what_it_needs() -> None:
    gates = [
        GateSpec("performance", "performance", {"metric": "accuracy", "at_least": 0.85}, "accuracy at least 0.85"),
        GateSpec("fairness", "fairness", {"metric": "selection_rate_ratio", "at_least": 0.8}, "ratio"),
        GateSpec("loss", "performance", {"metric": "rmse", "at_most": 2.0}, "rmse"),
        GateSpec("card", "card", {}, "the card"),
    ]
    path = PathVersion("p", 1, "sha256:", ["high"], {}, [PathStage("staging", gates)], "", "ines", None)

    found = of_path(path, Assumed()).gates
    single = of_path(path, Assumed(expect=0.9)).gates

    assert [each.gate for each in found] == [*["performance"] * 3, *["fairness"] * 3, *["loss"] * 3]
    rows = [each.rows for each in found[:3]]
    assert rows == sorted(rows, key=lambda needed: -(needed or 0))
    assert "ask again with a version" in found[-1].note
    assert len(single) == 3
    assert as_rows(of_path(path, Assumed()))[0]["rows needed"]
