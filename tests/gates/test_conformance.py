"""Our own checks keep what we ask of others', and what does not keep it is told what it lacks."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec import Struct

from taxiway.gates.checks import memory
from taxiway.gates.checks.port import Case
from taxiway.gates.checks.register import CHECKS
from taxiway.gates.contract import Outcome
from taxiway.gates.laws.estimates import Estimate
from taxiway.gates.laws.rules import Threshold
from taxiway.testing import CheckUnfit, check_conformance

ASKED: dict[str, dict[str, Any]] = {
    "data_contract": {},
    "reproducible": {},
    "performance": {"metric": "roc_auc", "at_least": 0.7},
    "fairness": {"at_least": 0.5, "resamples": 2000},
    "robustness": {"noise": {"tolerance": 0.2}, "units": {}, "missing": {}, "rows": 60},
    "explanations": {"stability": {"at_least": 0.5}, "rows": 60, "draws": 4},
    "latency": {"p50_ms": 1000, "calls": 50},
    "memory": {"at_most_mb": 500, "rows": 5},
    "scan": {"licences": {"deny": ["AGPL"]}, "advisories": "security/advisories"},
    "card": {},
}


@pytest.mark.parametrize("name", ASKED)
def test_our_checks_keep_their_port(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "TIMES", 1)  # processes; six of them for each of twelve answers say no more
    check_conformance(CHECKS[name], ASKED[name])


class Loose(Struct):
    level: float = 0.5


class Careless:
    """Wrong in every way that can be told of one that runs at all."""

    name = "careless"
    parameters = Loose
    inputs = ("evaluation",)
    is_live = False

    def __init__(self) -> None:
        self.asked = 0

    def title(self, parameters: Loose) -> str:
        self.asked += 1
        return f"It is asked for the {self.asked}. time."

    def ask(self, parameters: Loose, case: Case) -> Outcome:
        self.asked += 1
        if case.version.evaluation is None:
            raise KeyError("evaluation")
        if case.predictions().table().num_rows == 1:
            return Outcome("pass", str(case.card()))
        estimate = Estimate(0.4, 0.5, 0.6, 0, 0.95, "")
        verdict: Any = "pass" if self.asked % 2 else "fail"
        return Outcome(verdict, "fine", estimate=estimate, threshold=Threshold("at_least", 0.9))


def test_a_careless_check_is_told_everything_that_it_lacks() -> None:
    with pytest.raises(CheckUnfit) as refusal:
        check_conformance(Careless(), {})

    told = str(refusal.value)
    for said in (
        "take unknown fields",
        "can change after they were read",
        "ends in a full stop",
        "another when it is asked again",
        "no evaluation: it raises KeyError",
        "one row: The case holds no card",
        "is no sentence for people: 'fine'",
        "and not what to do next",
        "names no method",
        "outside of its interval",
        "rests on no rows",
        "fix its seed",
    ):
        assert said in told


def test_what_is_no_check_at_all_says_what_it_lacks() -> None:
    with pytest.raises(CheckUnfit, match="`name` is no str"):
        check_conformance(object(), {})


def test_parameters_that_a_check_refuses_are_told() -> None:
    with pytest.raises(CheckUnfit, match="the parameters you gave are refused"):
        check_conformance(CHECKS["memory"], {"at_most_gb": 1})
