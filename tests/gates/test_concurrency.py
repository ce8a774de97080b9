"""Many at once: one promotion has an effect, one person counts once."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from taxiway.client import Client, connect
from taxiway.kernel.errors import TaxiwayError
from tests.gates.story import PROJECT, Story

TRIES = 12
MANY = 40  # a hundred at once, over two processes: test_two_servers.py


def outcomes(act: Callable[[], object], *clients: Client, tries: int = TRIES) -> list[str]:
    """What came of doing the same thing from many threads at once, each with connections of its own."""

    def one(_: int) -> str:
        try:
            act()
        except TaxiwayError as refusal:
            return type(refusal).__name__
        finally:
            for client in clients:
                client.transport.close()
        return "done"

    with ThreadPoolExecutor(tries) as pool:
        return sorted(pool.map(one, range(tries)))


def test_of_many_promotions_at_once_exactly_one_has_an_effect(any_story: Story) -> None:
    any_story.ready()
    any_story.vera.gates.approve("mortgage", comment="seen")

    found = outcomes(lambda: any_story.ana.models.promote("mortgage@1", "production"), any_story.ana, tries=MANY)

    assert found == ["AlreadyThere"] * (MANY - 1) + ["done"]
    assert [entry.stage for entry in any_story.ana.models.stages("mortgage@1")] == ["none", "production"]


def test_of_many_approvals_at_once_each_person_gives_one(any_story: Story) -> None:
    any_story.ready()
    people = [any_story.vera, any_story.vito]
    turns = itertools.cycle(people)

    found = outcomes(lambda: next(turns).gates.approve("mortgage", comment="seen"), *people, tries=MANY)

    given = any_story.ana.gates.show("mortgage").stages[1].approvals
    assert found == ["AlreadyExists"] * (MANY - 2) + ["done"] * 2
    assert sorted(each.by for each in given) == ["vera", "vito"]


def test_one_person_with_two_tokens_counts_once(any_story: Story) -> None:
    any_story.ready()
    token = any_story.live.client.access.make_token("vera", label="another").token

    with connect(any_story.live.url, token=token) as other:
        clients = [any_story.vera, other]
        found = outcomes(lambda: [c.gates.approve("mortgage", comment="seen") for c in clients], *clients)

    given = any_story.ana.gates.show("mortgage").stages[1].approvals
    assert "done" not in found
    assert [each.by for each in given] == ["vera"]


def test_versions_that_arrive_at_once_get_numbers_of_their_own(story: Story) -> None:
    folders = iter([story.bundle("mortgage") for _ in range(TRIES)])

    outcomes(lambda: story.ana.models.register(next(folders), project=PROJECT), story.ana)

    numbers = [version.version for version in story.ana.models.versions("mortgage")]
    assert numbers == list(range(TRIES, 0, -1))
