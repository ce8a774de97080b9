"""What a path's page says of a gate: every number it was given, and who can give what it asks."""

from __future__ import annotations

import pytest

from taxiway.gates.contract import GateSpec
from taxiway.gates.measuring.power import order_floor
from taxiway.gates.paths.policy import read_path
from taxiway.gates.probing.quantiles import least_calls
from taxiway.gates.showing.figures import given, giver_asked

TEXT = "path: asked\nstages:\n  staging:\n    - {}\n"


def spec_of(gate: str) -> GateSpec:
    return read_path(TEXT.format(gate), name="asked.yaml").stages[0].gates[0]


def test_numbers_within_a_perturbation_are_said() -> None:
    said = dict(given(spec_of("robustness: {noise: {share: 0.05, tolerance: 0.1}}")))

    assert said["noise"] == "share 0.05 and tolerance 0.1"


@pytest.mark.parametrize(
    ("gate", "giver"),
    [
        ("card: {complete: true}", "who knows the model, on its card"),
        ("scan: {pickle: refuse}", "the check"),
        ("attestation: {questionnaire: ethics, by: [owner]}", "who answers the questionnaire, as owner"),
        ("approvals: {roles: [validator], count: 2}", "2 people who can act as validator"),
        ("approvals: {roles: {validator: 1, approver: 2}}", "a person as validator and 2 people as approver"),
    ],
)
def test_who_gives_what_a_gate_asks(gate: str, giver: str) -> None:
    assert giver_asked(spec_of(gate)) == giver


@pytest.mark.parametrize("confidence", [0.9, 0.95, 0.99])
def test_power_never_promises_a_quantile_fewer_calls_than_its_interval_takes(confidence: float) -> None:
    assert order_floor(0.99, confidence) == least_calls(0.99, confidence)
