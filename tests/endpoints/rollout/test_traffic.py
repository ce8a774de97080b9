"""Traffic among revisions over a real gateway: shares, keys, headers, and shadows that nobody hears of."""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from taxiway.endpoints.gateway.status import Copies
from taxiway.endpoints.inferences.log import find, read
from taxiway.endpoints.rollout.comparisons import latest
from taxiway.endpoints.rollout.declared import Rollout, Shadow
from taxiway.endpoints.rollout.split import HeaderRule, Share, divide, whole
from tests.endpoints.conftest import Site, until, with_adder


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Revisions 1 to 3 of `adder`, which add their number: 60, 40 and 0 percent, by `mood`; 3 for testers, too."""
    site = Site(tmp_path_factory.mktemp("pair") / "home")
    try:
        with_adder(site)
        site.add("2")
        site.add("3")
        shares = [Share(1, 60), Share(2, 40), Share(3, 0)]
        split = divide(shares, None, sticky="mood", rules=[HeaderRule("X-Test", "beta", 3)])
        site.change("adder", active=1, rollout=Rollout(1, split, datetime.now(UTC)))
        until(lambda: sum(r.is_live and r.state == "ready" for r in site.status().revisions) == 3)
        yield site
    finally:
        site.stop()


def test_a_key_finds_the_same_revision_again_and_again(pair: Site) -> None:
    found = {key: {pair.ask({"x": 1, "mood": key}).body["revision"] for _ in range(3)} for key in map(str, range(40))}

    assert all(len(revisions) == 1 for revisions in found.values())
    assert set.union(*found.values()) == {1, 2}


def test_each_answer_names_its_revision_as_does_its_record(pair: Site) -> None:
    answers = [pair.ask({"x": 1, "mood": str(key)}) for key in range(12)]
    logged = read(pair.home, "adder").to_pylist()
    revisions = {record["prediction_id"]: record["revision"] for record in logged}

    for answer in answers:
        number = answer.body["revision"]
        assert answer.headers["taxiway-revision"] == str(number)
        assert answer.body["model"] == f"trial@{number}"
        assert answer.predictions == [1.0 + number]
        assert revisions[answer.body["prediction_id"]] == number


def test_a_header_finds_the_revision_that_its_rule_names(pair: Site) -> None:
    beta = {pair.ask({"x": 1, "mood": str(key)}, X_Test="beta").body["revision"] for key in range(5)}
    other = {pair.ask({"x": 1, "mood": str(key)}, X_Test="alpha").body["revision"] for key in range(20)}

    assert (beta, other) == ({3}, {1, 2})


def test_a_caller_may_name_the_revision_and_hears_which_there_are(pair: Site) -> None:
    named = [pair.ask({"x": 1}, Taxiway_Revision=number).body["revision"] for number in ("1", "2", "3")]
    refused = pair.ask({"x": 1}, Taxiway_Revision="9")

    assert named == [1, 2, 3]
    assert (refused.status, refused.body["error"]) == (404, "RevisionElsewhere")
    assert refused.body["facts"]["answering"] == [1, 2, 3]


def test_the_status_tells_the_shares_in_force(pair: Site) -> None:
    found = {r.number: (r.percent, r.is_live) for r in pair.status().revisions if r.endpoint == "adder"}

    assert found == {1: (60.0, True), 2: (40.0, True), 3: (0.0, True)}


def shadowed(site: Site, name: str, says: str, share: float = 1.0) -> None:
    """An endpoint of that name answers with revision 1, which adds 1; revision 2 is its shadow."""
    site.deploy("1", name=name)
    site.until_live(name=name)
    site.add(says, name)
    rollout = Rollout(1, whole(1), datetime.now(UTC), shadows=(Shadow(2, share),))
    site.change(name, active=1, rollout=rollout)
    until(lambda: site.copies(2, name) is not None)


def test_a_shadow_answers_copies_that_are_compared_and_kept_and_no_caller_hears_of(pair: Site) -> None:
    shadowed(pair, "shadowed", "2")
    answers = [pair.ask({"x": x}, name="shadowed") for x in range(20)]
    until(lambda: pair.copies(2, "shadowed") == Copies(compared=20, agreed=0))
    until(lambda: len(latest(pair.home, "shadowed", 2, 100)) == 20)

    assert {answer.body["revision"] for answer in answers} == {1}
    kept = latest(pair.home, "shadowed", 2, 100)
    assert {each.prediction_id for each in kept} == {answer.body["prediction_id"] for answer in answers}
    assert kept[0].outputs | {"prediction": 2.0} == kept[0].shadow_outputs | {"prediction": 2.0}  # type: ignore[operator]
    assert not any(each.agrees for each in kept)
    table = read(pair.home, "shadowed")
    told = set(zip(*(table[name].to_pylist() for name in ("revision", "shadow", "inputs")), strict=True))
    assert {each[:2] for each in told} == {(1, False), (2, True)}
    assert {each[2] for each in told if each[1]} == {"{}"}
    assert {one.revision for answer in answers for one in find(pair.home, answer.body["prediction_id"])} == {1}


def test_a_shadow_that_is_slow_loses_copies_and_keeps_nobody_waiting(pair: Site) -> None:
    shadowed(pair, "hurried", "lags")
    pair.ask({"x": 1}, name="hurried")
    took: list[float] = []

    def call() -> None:
        for _ in range(60):
            began = time.perf_counter()
            pair.ask({"x": 500}, name="hurried")
            took.append(time.perf_counter() - began)

    threads = [threading.Thread(target=call) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    copies = pair.copies(2, "hurried")

    assert copies is not None
    assert copies.dropped > 0
    assert copies.dropped + copies.compared <= 361
    assert sorted(took)[len(took) // 2] < 0.4, "one answer of the shadow takes as long"


def test_a_stop_holds_for_every_revision_and_a_start_brings_the_same_split_back(pair: Site) -> None:
    before = {key: pair.ask({"x": 1, "mood": key}).body["revision"] for key in map(str, range(12))}
    pair.change("adder", is_stopped=True)
    until(lambda: pair.ask({"x": 1}).status == 503)
    named = pair.ask({"x": 1}, Taxiway_Revision="3")
    until(lambda: not any(r.pids for r in pair.status().revisions if r.endpoint == "adder"))
    pair.change("adder", is_stopped=False)
    until(lambda: sum(r.is_live and r.state == "ready" for r in pair.status().revisions if r.endpoint == "adder") == 3)

    assert named.body["error"] == "EndpointStopped"
    assert {key: pair.ask({"x": 1, "mood": key}).body["revision"] for key in before} == before


def test_tokens_are_asked_for_whichever_revision_answers(pair: Site) -> None:
    token = hashlib.sha256(b"secret").hexdigest()
    pair.change("adder", login_required=True, token_hashes=(token,))
    until(lambda: pair.ask({"x": 1}).status == 401)
    named = pair.ask({"x": 1}, Taxiway_Revision="3").status
    let_in = pair.ask({"x": 1}, Taxiway_Revision="3", Authorization="Bearer secret").body["revision"]
    pair.change("adder", login_required=False, token_hashes=())
    until(lambda: pair.ask({"x": 1}).status == 200)

    assert (named, let_in) == (401, 3)
