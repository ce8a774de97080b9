"""Twenty rollouts in a minute under load: nobody is refused, and each answer is of one revision that was declared."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from taxiway.endpoints.rollout.declared import Rollout
from taxiway.endpoints.rollout.falls import read_falls
from taxiway.endpoints.rollout.split import Share, Split, divide, whole
from tests.endpoints.conftest import Site, until, with_adder
from tests.endpoints.load import under_load

ROLLOUTS = 20
WITHIN_S = 60.0


def steps(newest: int, now: Split) -> list[Split]:
    """How a revision comes: every second one by way of a fifth of the requests, the others at once."""
    if newest % 2:
        return [whole(newest, now)]
    canary = divide([Share(now.main, 80), Share(newest, 20)], now)
    return [canary, whole(newest, canary)]


@pytest.mark.fault
def test_twenty_rollouts_in_a_minute_cost_no_request(tmp_path: Path) -> None:
    site = Site(tmp_path / "home")
    split, number = whole(1), 1
    try:
        with_adder(site)
        with under_load(site, callers=6) as load:
            began = time.monotonic()
            for newest in range(2, ROLLOUTS + 2):
                site.add(str(newest))
                for wanted in steps(newest, split):
                    number += 1
                    rollout = Rollout(number, wanted, datetime.now(UTC), before=split)
                    site.change("adder", active=wanted.main, rollout=rollout)
                    until(lambda wanted=wanted: in_force(site) == {s.revision: s.percent for s in wanted.shares})  # type: ignore[misc]
                    split = wanted
                time.sleep(max(0.0, began + WITHIN_S * (newest - 1) / ROLLOUTS - time.monotonic()))
            took_s = time.monotonic() - began
    finally:
        site.stop()

    print(f"{len(load.answers):,} answers, {len(load.failed)} refused, {number - 1} splits in {took_s:.1f} s")
    assert took_s < WITHIN_S + 2
    assert load.failed == []
    assert load.broken == []
    assert load.revisions == set(range(1, ROLLOUTS + 2))
    assert all(answer.body["model"] == f"trial@{answer.body['revision']}" for answer in load.answers)
    assert all(answer.predictions == [answer.x + answer.body["revision"]] for answer in load.answers)
    assert read_falls(site.home) == []


def in_force(site: Site) -> dict[int, float]:
    return {r.number: r.percent for r in site.status().revisions if r.is_live}
