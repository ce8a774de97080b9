"""A check's result as other people's programs read it."""

from datetime import UTC, datetime

import pytest

from taxiway.gates import attested
from taxiway.gates.contract import Evidence, GateMode, GateSpec, Outcome


def evidence(outcome: Outcome) -> Evidence:
    return Evidence(
        id="e1",
        key="k",
        model="mortgage",
        version=3,
        stage="production",
        gate="fairness",
        check="fairness",
        parameters={"at_least": 0.8},
        path="path:careful@1",
        path_digest="sha256:aa",
        inputs={"bundle": "sha256:bb", "evaluation": ""},
        outcome=outcome,
        tools={},
        author="ana",
        at=datetime(2026, 11, 23, tzinfo=UTC),
    )


@pytest.mark.parametrize(
    ("outcome", "mode", "result"),
    [
        (Outcome("pass", "fine"), "block", "PASSED"),
        (Outcome("pass", "fine", warnings=["a random split"]), "block", "WARNED"),
        (Outcome("fail", "unfair"), "block", "FAILED"),
        (Outcome("inconclusive", "too few rows"), "block", "FAILED"),
        (Outcome("missing", "no labels"), "block", "FAILED"),
        (Outcome("fail", "unfair"), "warn", "WARNED"),
        (Outcome("inconclusive", "too few rows"), "observe", "WARNED"),
    ],
)
def test_only_what_passed_is_called_passed(outcome: Outcome, mode: GateMode, result: str) -> None:
    spec = GateSpec("fairness", "fairness", {}, "fair", mode=mode)

    said = attested.test_result(spec, evidence(outcome))

    lists = {name: said[f"{name.lower()}Tests"] for name in ("PASSED", "WARNED", "FAILED")}
    assert said["result"] == result
    assert {name for name, tests in lists.items() if tests} == {result}
    assert said["configuration"] == [
        {"name": "path:careful@1", "digest": {"sha256": "aa"}},
        {"name": "bundle", "digest": {"sha256": "bb"}},
    ]


def test_the_numbers_are_said_without_the_drawings() -> None:
    said = attested.check_result(evidence(Outcome("pass", "fine", curve=[(0.0, 1.0)], details=["a line"])))

    assert said["outcome"]["details"] == ["a line"]
    assert "curve" not in said["outcome"]
