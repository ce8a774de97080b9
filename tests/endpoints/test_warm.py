"""Workers are forks of a process that is warm: soon there, the gateway's own children, and no burden to each other."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from taxiway.adapters import sklearn as adapter
from taxiway.endpoints.steering.supervision import ensure_gateway, stop_gateway
from taxiway.endpoints.worker import warm
from taxiway.models.bundles.bundle import write_bundle
from tests.endpoints.conftest import Site, is_running, until

ROW = {"x0": 0.3, "x1": -0.2, "x2": 0.1}


@pytest.fixture(scope="module")
def loans(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    site = Site(tmp_path_factory.mktemp("warm") / "home")
    ensure_gateway(site.home)
    try:
        for name in ("first", "second"):
            deploy(site, name)
        yield site
    finally:
        stop_gateway(site.home)


def deploy(site: Site, name: str) -> None:
    folder = site.home / "bundles" / name
    folder.mkdir(parents=True)
    features = np.random.default_rng(7).normal(size=(100, 3))
    model = LogisticRegression().fit(features, features.sum(axis=1) > 0)
    write_bundle(folder, adapter.save(model, folder, features, name=name))
    site.deploy_folder(folder, name=name)
    site.until_live(name=name)


def parent_of(pid: int) -> int:
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])


def private_bytes(pid: int) -> int:
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return sum(int(line.split()[1]) << 10 for line in lines if line.startswith("Private_"))


def warm_process(site: Site) -> int:
    gateway = site.address.pid
    children = set(map(int, Path(f"/proc/{gateway}/task/{gateway}/children").read_text().split()))
    [found] = children - {pid for revision in site.status().revisions for pid in revision.pids}
    return found


def test_a_worker_is_the_gateway_s_child_and_shares_what_the_libraries_take(loans: Site) -> None:
    status = loans.revision(name="second")

    assert [parent_of(pid) for pid in status.pids] == [loans.address.pid]
    assert private_bytes(status.pids[0]) < status.rss_bytes / 2


def test_a_worker_that_is_killed_is_replaced_and_its_cost_is_kept(loans: Site) -> None:
    before = loans.revision(name="second")
    os.kill(before.pids[0], signal.SIGKILL)
    until(lambda: loans.revision(name="second").pids not in ([], before.pids))
    until(lambda: loans.ask(ROW, name="second").status == 200)

    after = loans.revision(name="second")
    assert after.restarts == before.restarts + 1
    assert after.cpu_seconds >= before.cpu_seconds


def test_workers_outlive_the_warm_process_and_the_next_ones_get_another(loans: Site) -> None:
    old, first = warm_process(loans), loans.revision(name="first")
    os.kill(old, signal.SIGKILL)
    until(lambda: not is_running(old))

    assert loans.ask(ROW, name="first").status == 200
    assert loans.revision(name="first").pids == first.pids
    os.kill(first.pids[0], signal.SIGKILL)
    until(lambda: loans.revision(name="first").pids not in ([], first.pids))
    until(lambda: loans.ask(ROW, name="first").status == 200)
    assert warm_process(loans) != old


def test_workers_end_with_a_gateway_that_is_killed(loans: Site) -> None:
    pids = [pid for name in ("first", "second") for pid in loans.revision(name=name).pids]
    gateway = loans.address.pid
    os.kill(gateway, signal.SIGKILL)

    until(lambda: not any(map(is_running, pids)), 5)
    ensure_gateway(loans.home)
    until(lambda: all(loans.ask(ROW, name=name).status == 200 for name in ("first", "second")))

    assert loans.address.pid != gateway
    assert not any(map(is_running, pids))


def test_only_libraries_are_loaded_ahead() -> None:
    warm.load(["antigravity", "sklearn.__main__", "no_such_module", "numpy.nothing"])

    assert "antigravity" not in sys.modules
