"""No sequence of people, roles, tokens and actions brings a version to production without its quorum.

Or without a waiver that another person granted, or broken glass: every one of the ways there is taken.
"""

from __future__ import annotations

import itertools
import tempfile
from pathlib import Path

import pytest
from hypothesis import seed, settings
from hypothesis.stateful import run_state_machine_as_test

from taxiway.gates.working import wire, worker
from taxiway.gates.working.confine import Confined
from taxiway.gates.working.pool import Workers
from taxiway.house import House
from tests.gates.account import Clock
from tests.gates.crowd import Crowd
from tests.gates.walking import Walk
from tests.support.memory import memory
from tests.support.tables import furnished

STEPS = 5000
HALF = settings(max_examples=64, stateful_step_count=40, derandomize=False, database=None)


class Here(Workers):
    """Asks checks in this process: the walk is about who may do what, and starts thousands of them."""

    def ask(self, job: wire.Job) -> wire.Answered | wire.Failed:
        return worker.ask(job, Confined(is_offline=False, is_fenced=False))


def walk(kind: type[Walk], walks: settings) -> None:
    clock = Clock()
    with tempfile.TemporaryDirectory(dir=memory()) as folder:
        house = House(furnished(Path(folder)), clock=clock)
        house.gates.evaluations.workers = Here()
        try:
            Crowd.settle(house, clock, itertools.count())
            run_state_machine_as_test(kind, settings=walks)
        finally:
            house.close()


@pytest.mark.slow
@pytest.mark.parametrize("day", [1, 2])  # in two processes, the halves are walked at once
def test_no_walk_reaches_production_without_its_quorum(day: int) -> None:
    walk(seed(day)(type("Walk", (Walk,), {})), HALF)

    assert Crowd.steps >= STEPS // 2
    for what in ("approved", "waived", "broken", "delegated", "revoked", "deployed", "entered production"):
        assert Crowd.happened[what] >= 1, what  # the walks got somewhere


@pytest.mark.judge
def test_no_walk_of_another_day_does_either() -> None:
    """Where it fails, Hypothesis prints the walk."""
    walk(Walk, settings(max_examples=500, stateful_step_count=60, derandomize=False, database=None, print_blob=True))

    assert Crowd.steps >= STEPS
    assert Crowd.happened["entered production"] >= 5
