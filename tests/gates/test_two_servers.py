"""A hundred approvals and promotions at once, over two server processes on one PostgreSQL: each has one effect."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import pytest

from taxiway.client import Client, connect
from taxiway.kernel.errors import TaxiwayError
from tests.gates.story import Story
from tests.support.live import running
from tests.support.postgres import Postgres
from tests.support.processes import served_by_process

pytestmark = pytest.mark.postgres

AT_ONCE = 100


def outcome(client: Client, act: Callable[[Client], object]) -> str:
    try:
        act(client)
    except TaxiwayError as refusal:
        return type(refusal).__name__
    finally:
        client.transport.close()  # a thread's own connection
    return "done"


def approve(client: Client) -> object:
    return client.gates.approve("mortgage", comment="seen")


def promote(client: Client) -> object:
    return client.models.promote("mortgage@1", "production")


def test_a_hundred_at_once_over_two_processes_have_one_effect_each(
    postgres: Postgres, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    files = (tmp_path / "files").as_uri()
    with ExitStack() as stack:
        url = stack.enter_context(postgres.fresh_database())
        with running(tmp_path / "one", database_url=url, blobs_url=files) as live:
            story = Story(live, tmp_path)
            story.ready()
            tokens = dict(live.tokens)
        shutil.copytree(tmp_path / "one" / "keys", tmp_path / "two" / "keys")
        options = ("--database", url, "--blobs", files, "--login")
        urls = [stack.enter_context(served_by_process(tmp_path / home, *options)) for home in ("one", "two")]
        people = {
            (name, at): stack.enter_context(connect(at, token=tokens[name]))
            for name in ("ana", "vera", "vito")
            for at in urls
        }
        work = [
            (name, urls[number // 4 % 2], promote if name == "ana" else approve)
            for number, name in enumerate(["vera", "ana", "vito", "ana"] * (AT_ONCE // 4))
        ]

        with ThreadPoolExecutor(AT_ONCE) as pool:
            found = list(pool.map(lambda one: (one[0], outcome(people[one[0], one[1]], one[2])), work))
        last = outcome(people["ana", urls[1]], promote)

        counts = Counter(found)
        shown = [people["ana", at].gates.show("mortgage").stages[1].approvals for at in urls]
        moves = [entry.stage for entry in people["ana", urls[0]].models.stages("mortgage@1")]
        log = people["vera", urls[1]].audit.verify()
        approved = people["vera", urls[0]].audit.entries(verb="gates.approve", limit=1000).items

    assert len(found) == AT_ONCE
    assert counts["vera", "done"] == counts["vito", "done"] == 1
    assert counts["ana", "done"] + (last == "done") == 1
    assert {what for who, what in counts if who == "ana"} <= {"done", "AlreadyThere", "GateClosed", "MovedMeanwhile"}
    assert [sorted(each.by for each in approvals) for approvals in shown] == [["vera", "vito"]] * 2
    assert moves == ["none", "production"]
    assert len(approved) == 2
    assert log.is_intact
