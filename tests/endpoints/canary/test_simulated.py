"""Canaries whose truth is known: at a fixed seed in short here, and at length as a judge."""

from __future__ import annotations

from pathlib import Path

import msgspec
import numpy as np
import pytest

from taxiway.endpoints.canary.laws.verdict import Ask, judge
from tools.canary import flights
from tools.canary.simulating import margin_of, rolled_back_by_rows, run, share
from tools.canary.worlds import DEGRADED, DIVIDED, EQUAL, Divided, Models, World

HARD = "hard"
KEPT = Path(flights.__file__).parent / "flights.json"


def rolled_back(world: World | Models | Divided, sets: int, clusters: int) -> float:
    return share(run(world.days(np.random.default_rng(7), sets, clusters), margin=margin_of(0.5)).rolled_back)


def test_equal_models_are_seldom_rolled_back_though_one_looks_each_day() -> None:
    world = World("r 0.3, unequal", kinship=0.3, unequal=0.6)
    days = world.days(np.random.default_rng(7), 600, 60)

    assert share(run(days, margin=margin_of(0.5)).rolled_back) <= 0.05
    assert rolled_back_by_rows(days) > 0.5


def test_a_model_worse_by_one_and_a_half_is_found_within_four_weeks() -> None:
    ends = run(World("worse", worse=1.5).days(np.random.default_rng(7), 400, 28), margin=margin_of(0.5))

    assert share(ends.rolled_back) >= 0.95
    assert share(ends.promoted) == 0


@pytest.mark.judge
@pytest.mark.parametrize("world", EQUAL, ids=lambda world: world.name)
def test_equal_models_are_rolled_back_at_most_at_the_stated_rate(world: World | Models) -> None:
    allowed = 0.09 if world.name.startswith(HARD) else 0.05

    assert rolled_back(world, 1_000 if isinstance(world, Models) else 4_000, 100) <= allowed


@pytest.mark.judge
@pytest.mark.parametrize("world", [each for each in DEGRADED if each.worse >= 1.5], ids=lambda world: world.name)
def test_degraded_models_are_found_with_the_stated_power(world: World) -> None:
    assert rolled_back(world, 4_000, 28) >= (0.95 if not world.kinship else 0.85)


def test_divided_requests_roll_equal_models_back_seldom_though_days_are_bad_for_both() -> None:
    assert rolled_back(Divided("half", share=0.5), 600, 60) <= 0.05
    assert rolled_back(Divided("half", share=0.5, worse=3.0), 200, 60) >= 0.85


@pytest.mark.judge
@pytest.mark.parametrize("world", DIVIDED, ids=lambda world: world.name)
def test_equal_models_that_divide_the_requests_are_rolled_back_at_most_at_the_stated_rate(world: Divided) -> None:
    assert rolled_back(world, 4_000, 100) <= 0.05


def recorded() -> list[flights.Recorded]:
    return msgspec.json.decode(KEPT.read_bytes(), type=list[flights.Recorded])


def test_the_flights_good_model_is_never_called_worse_and_the_bad_one_is_rolled_back() -> None:
    good, _, bad = recorded()
    ask = Ask(non_inferiority=0.01)

    stopped, z = flights.naive(good.first)
    assert (stopped, z > 0) == (200, True)  # what goes wrong where rows count as unrelated
    assert good.totals[0].rows > 200  # on the first day, at whose end ours says that it is too early
    assert judge(ask, good.totals[:1]).decision == "not enough yet"
    assert all(each.decision != "roll back" for each in flights.ours(good.totals, ask))
    assert flights.ours(bad.totals, ask)[-1].decision == "roll back"


@pytest.mark.judge
def test_what_is_kept_of_the_flights_is_what_the_models_answer() -> None:
    for kept, made in zip(recorded(), flights.compared(), strict=True):
        assert kept.first == pytest.approx(made.differences[: len(kept.first)])
        assert [each.difference for each in kept.totals] == pytest.approx([each.difference for each in made.totals()])
