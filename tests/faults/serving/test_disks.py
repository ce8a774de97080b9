"""A disk that is really full: each endpoint's policy decides, what was acknowledged is there, and all is counted."""

from __future__ import annotations

import contextlib
import os
import subprocess
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from taxiway.endpoints.inferences.log import read, read_lines, segments
from taxiway.endpoints.inferences.policy import LogPolicy
from tests.endpoints.conftest import Site, until, with_adder
from tests.endpoints.load import under_load
from tests.faults.serving.conftest import Tell

pytestmark = [pytest.mark.fault, pytest.mark.skipif(os.geteuid() != 0, reason="mounts need root")]
SIZE_MB, LEFT_KB, FULL_S = 20, 256, 5.0


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Site]:
    """A home on a disk of 20 MB."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={SIZE_MB}m", "none", disk], check=False)
    if mounted.returncode:
        pytest.skip("nothing can be mounted here")
    site = Site(disk / "home")
    try:
        yield with_adder(site)
    finally:
        if site.gateway is not None:
            site.stop()
        subprocess.run(["umount", "--lazy", disk], check=True)


def fill(site: Site) -> Path:
    """Takes the disk but for a little; what is left the log takes."""
    filler = site.home.parent / "filler"
    free = os.statvfs(site.home)
    with contextlib.suppress(OSError), filler.open("wb") as file:  # the log grows meanwhile
        file.write(bytes(max(0, free.f_bavail * free.f_frsize - (LEFT_KB << 10))))
    return filler


@pytest.mark.parametrize("when_full", ["refuse", "go-on"])
def test_a_full_disk_does_what_the_policy_says_and_loses_nothing(small: Site, tell: Tell, when_full: str) -> None:
    small.change("adder", log=LogPolicy("acknowledged", when_full=when_full))  # type: ignore[arg-type]
    until(lambda: small.status().logs[0].when_full == when_full)
    with under_load(small) as load:
        time.sleep(0.5)
        filler = fill(small)
        until(lambda: bool(small.status().logs[0].problem))
        at_full = len(load.answers)
        time.sleep(FULL_S)
        while_full = load.answers[at_full:]
        filler.unlink()
        until(lambda: not small.status().logs[0].problem)
        freed = time.monotonic()
        until(lambda: load.answers[-1].status == 200)
        recovered_s = time.monotonic() - freed
        time.sleep(0.5)
    said = small.status().logs[0]
    small.stop()

    answered = {each.body["prediction_id"] for each in load.answers if each.status == 200}
    recorded = read(small.home, "adder")["prediction_id"].to_pylist()
    damaged = sum(read_lines(each.path)[1] for each in segments(small.home, "adder"))
    counts = Counter(each.status for each in load.answers)
    tell(
        f"disk of {SIZE_MB} MB full under the log, policy {when_full}",
        "507 or answers without a record, each counted; recovers by itself; nothing acknowledged is lost",
        answered=counts[200],
        refused=counts[507],
        counted_as_refused=said.refused,
        counted_as_unrecorded=said.unrecorded,
        without_record=len(answered - set(recorded)),
        damaged_lines=damaged,
        recovered_after_s=round(recovered_s, 2),
    )
    assert load.broken == []
    assert set(counts) <= ({200, 507} if when_full == "refuse" else {200})
    assert (said.refused, said.unrecorded) == (counts[507], len(answered - set(recorded)))
    assert said.refused + said.unrecorded > 0
    assert len(while_full) > 100, "it answers, or refuses, at its usual pace"
    assert (len(recorded) - len(set(recorded)), damaged) == (0, 0)
    if when_full == "refuse":
        assert answered <= set(recorded)
        assert all("retry-after" in each.headers for each in load.answers if each.status == 507)
