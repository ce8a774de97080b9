"""One seed for all that is random, and its record."""

from __future__ import annotations

import random
from collections.abc import Iterator

import numpy as np
import pytest

import taxiway as tw
from taxiway.kernel.errors import BadField
from taxiway.runs.again import seeds
from tests.support.live import Live


@pytest.fixture(autouse=True)
def unseeded() -> Iterator[None]:
    seeds.process.facts = {}
    yield
    seeds.process.facts = {}


def test_the_same_seed_draws_the_same_numbers() -> None:
    drawn = []
    for _ in range(2):
        tw.seed(7)
        drawn.append((random.random(), float(np.random.random())))

    assert drawn[0] == drawn[1]


@pytest.mark.parametrize("value", [-1, 2**32, 1.0, True, "7"])
def test_what_is_no_seed_is_refused(value: int) -> None:
    with pytest.raises(BadField, match="seed"):
        tw.seed(value)


def test_open_runs_and_those_that_follow_say_their_seed(open_live: Live, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONHASHSEED", "0")
    client = open_live.client
    with client.runs.start() as first:
        first.seed(7)
    with client.runs.start() as second:
        pass
    with client.runs.start() as third:
        tw.seed(8)

    tags = [client.runs.show(run.id).tags for run in (first, second, third)]
    assert [each["taxiway.seed"] for each in tags] == ["7", "7", "8"]
    assert tags[0]["taxiway.seeded"].startswith("random, numpy")
    assert tags[0]["taxiway.hash_seed"] == "0"
