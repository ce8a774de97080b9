"""Workers that nobody needs are let go, and the next request wakes them and is answered."""

from __future__ import annotations

import msgspec

from taxiway.endpoints.setup import Setup
from tests.endpoints.conftest import Site, until
from tests.endpoints.load import under_load


def set_up(site: Site, setup: Setup, workers: int = 1) -> None:
    site.deploy("1", workers=workers)
    site.revisions[-1] = msgspec.structs.replace(site.revisions[-1], setup=setup)
    site.write()
    site.start()
    site.until_live()


def test_an_idle_endpoint_has_no_worker_and_the_next_request_is_answered(site: Site) -> None:
    set_up(site, Setup(idle_after_s=0.5))
    assert site.ask({"x": 1}).predictions == [2.0]
    until(lambda: site.revision().pids == [])
    asleep = site.revision()

    with under_load(site, callers=4) as load:
        until(lambda: len(load.answers) > 20)

    assert (asleep.state, asleep.is_live, asleep.restarts) == ("ready", True, 0)
    assert (load.failed, load.broken) == ([], [])
    assert site.revision().restarts == 0


def test_as_many_workers_stay_as_are_wanted(site: Site) -> None:
    set_up(site, Setup(idle_after_s=2.0, min_workers=1), workers=2)
    until(lambda: len(site.revision().pids) == 2)
    until(lambda: len(site.revision().pids) == 1)

    assert site.ask({"x": 1}).status == 200
    until(lambda: len(site.revision().pids) == 2)


def test_without_a_limit_workers_stay(shared: Site) -> None:
    assert Setup().idle_after_s is None
    assert shared.revision().pids != []
