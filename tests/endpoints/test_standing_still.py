"""A stopped worker is taken out within a second; a slow one is not."""

from __future__ import annotations

import os
import signal
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from taxiway.endpoints.worker.standing_still import LEAST_SLEEP_S, Look, Watch, look
from tests.endpoints.conftest import Site, is_running, until
from tests.endpoints.load import under_load


def test_a_worker_that_works_is_never_given_up() -> None:
    watch = Watch()

    said = [watch.finds(Look("R", n), n * 10.0, is_held=True, usual_s=0.001) for n in range(100)]

    assert set(said) == {""}


def test_one_that_sleeps_and_uses_processor_time_is_left_alone() -> None:
    watch = Watch()

    said = [watch.finds(Look("S", n), n * 10.0, is_held=True, usual_s=0.001) for n in range(100)]

    assert set(said) == {""}


@given(st.floats(0.001, 60.0))
def test_one_that_does_nothing_is_given_up_far_beyond_what_it_ever_took(usual_s: float) -> None:
    watch = Watch()
    limit_s = max(LEAST_SLEEP_S, 20 * usual_s)
    watch.finds(Look("S", 5), 0.0, is_held=True, usual_s=usual_s)
    watch.finds(Look("S", 5), 0.2, is_held=True, usual_s=usual_s)

    assert watch.finds(Look("S", 5), limit_s * 0.99, is_held=True, usual_s=usual_s) == ""
    assert "did nothing for" in watch.finds(Look("S", 5), limit_s + 0.3, is_held=True, usual_s=usual_s)


@pytest.mark.parametrize(("is_held", "usual_s"), [(False, 0.001), (True, None)])
def test_one_without_work_or_that_may_wait_for_others_sleeps_as_long_as_it_likes(
    *, is_held: bool, usual_s: float | None
) -> None:
    watch = Watch()

    said = [watch.finds(Look("S", 5), n * 100.0, is_held=is_held, usual_s=usual_s) for n in range(9)]

    assert set(said) == {""}


def test_a_process_stopped_for_an_instant_is_kept() -> None:
    watch = Watch()

    said = [watch.finds(Look(state, 5), 0.2, is_held=True, usual_s=None) for state in "StSTS"]

    assert set(said) == {""}


def test_a_stopped_worker_under_load_costs_no_answer(site: Site) -> None:
    site.deploy("1", workers=2)
    site.start()
    site.until_live()
    until(lambda: len(site.revision().pids) == 2)
    with under_load(site) as load:
        time.sleep(0.3)
        pid = site.revision().pids[0]
        os.kill(pid, signal.SIGSTOP)
        began = time.monotonic()
        until(lambda: not is_running(pid), 5)
        out_s = time.monotonic() - began
        until(lambda: len(site.revision().pids) == 2)

    assert out_s < 1.0
    assert (load.failed, load.broken) == ([], [])
    assert max(load.took_s) < 2.0


def test_a_slow_model_is_waited_for(shared: Site) -> None:
    pid = shared.revision().pids[0]

    assert shared.ask({"x": 1.5, "mood": "sleep"}).status == 200

    assert shared.revision().pids == [pid]
    assert look(pid).state in "SR"
