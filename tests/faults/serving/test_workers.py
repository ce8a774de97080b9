"""Workers that are killed or stopped under load cost no answer."""

from __future__ import annotations

import os
import signal
import time

import pytest

from tests.endpoints.conftest import Site, is_running, until
from tests.endpoints.load import under_load
from tests.faults.serving.conftest import Tell, quantile_ms

pytestmark = pytest.mark.fault
KILLS = 5
EVERY_S = 5.0


def test_a_worker_killed_every_five_seconds_costs_no_answer(pair: Site, tell: Tell) -> None:
    with under_load(pair) as calm:
        time.sleep(EVERY_S)
    full_s = []
    with under_load(pair) as load:
        for turn in range(KILLS):
            pids = pair.revision().pids
            os.kill(pids[turn % 2], signal.SIGKILL)
            began = time.monotonic()
            until(lambda pids=pids: len(pair.revision().pids) == 2 and pair.revision().pids != pids)  # type: ignore[misc]
            full_s.append(time.monotonic() - began)
            time.sleep(max(0.0, EVERY_S - full_s[-1]))

    before_ms, during_ms = quantile_ms(calm.took_s, 0.99), quantile_ms(load.took_s, 0.99)
    tell(
        "kill -9 of a worker every 5 s",
        "0 failed, p99 ≤ 3 times",
        kills=KILLS,
        answered=len(load.answers),
        failed=len(load.failed) + len(load.broken),
        p99_before_ms=before_ms,
        p99_during_ms=during_ms,
        slowest_ms=quantile_ms(load.took_s, 1.0),
        another_process_after_s=round(max(full_s), 2),
    )
    assert (load.failed, load.broken) == ([], [])
    assert during_ms <= 3 * before_ms


def test_a_stopped_worker_is_out_within_a_second(pair: Site, tell: Tell) -> None:
    out_s = []
    with under_load(pair) as load:
        for turn in range(KILLS):
            time.sleep(1.0)
            pid = pair.revision().pids[turn % 2]
            os.kill(pid, signal.SIGSTOP)
            began = time.monotonic()
            until(lambda pid=pid: not is_running(pid), 5)  # type: ignore[misc]
            out_s.append(time.monotonic() - began)
            until(lambda: len(pair.revision().pids) == 2)

    slow = [took for took in load.took_s if took > 0.3]
    tell(
        "SIGSTOP of a worker",
        "out ≤ 1 s, 0 failed",
        stops=KILLS,
        answered=len(load.answers),
        failed=len(load.failed) + len(load.broken),
        out_after_s=round(max(out_s), 2),
        slower_than_300_ms=len(slow),
        slowest_ms=quantile_ms(load.took_s, 1.0),
    )
    assert (load.failed, load.broken) == ([], [])
    assert max(out_s) <= 1.0
