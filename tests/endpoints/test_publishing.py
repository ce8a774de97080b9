"""The gateway's file follows the database, whatever happens in between."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from taxiway.access.secrets import hash_secret
from taxiway.endpoints.gateway.configuration import APPLIED, FILE, Configuration, accept
from taxiway.endpoints.inferences.policy import LogPolicy
from taxiway.endpoints.inferences.refusals import DurabilityAsked
from taxiway.endpoints.steering.publishing import Front, Publisher
from tests.endpoints.story import Stage
from tests.gates.story import PROJECT
from tests.support.live import Live, running


@pytest.fixture
def stage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stage]:
    monkeypatch.chdir(tmp_path)
    with running(tmp_path / "home") as live:
        stage = Stage(live, tmp_path)
        stage.promoted()
        stage.deployed()
        yield stage


def fresh(live: Live, front: Front | None = None) -> Publisher:
    """As a server that was just started has it."""
    house = live.house
    publisher = Publisher(house.home, house.database, house.writer, house.keys, house.access)
    publisher.front = front
    return publisher


def callers(found: Configuration) -> tuple[str, ...]:
    return found.endpoints[0].token_hashes


def test_a_file_that_was_lost_is_written_at_the_next_start(stage: Stage) -> None:
    before = stage.configuration()
    (stage.home / "gateway" / FILE).unlink()

    fresh(stage.live, Front(login=True)).refresh()

    assert stage.configuration() == before


def test_a_file_from_before_the_last_change_is_replaced_at_the_next_start(stage: Stage) -> None:
    old = (stage.home / "gateway" / FILE).read_bytes()
    stage.olu.endpoints.stop("mortgage", reason="odd")
    (stage.home / "gateway" / FILE).write_bytes(old)

    fresh(stage.live, Front(login=True)).refresh()

    assert stage.configuration().endpoints[0].is_stopped


def test_the_gateway_is_told_when_each_token_runs_out(stage: Stage) -> None:
    token = stage.ivo.access.make_token("olu")
    stage.live.house.publisher.refresh()

    endpoint = stage.configuration().endpoints[0]
    ends = dict(zip(endpoint.token_hashes, endpoint.expire_at, strict=True))

    assert ends[hash_secret(token.token)] == token.expires_at
    assert ends[hash_secret(stage.live.house.publisher.token)] is None


def test_a_new_token_may_call_and_one_without_the_role_may_not(stage: Stage) -> None:
    publisher = stage.live.house.publisher
    token = stage.ivo.access.make_token("olu").token
    stranger = stage.live.as_person("eve").access.make_my_token().token

    publisher.refresh()

    allowed = callers(stage.configuration())
    assert hash_secret(token) in allowed
    assert hash_secret(stranger) not in allowed
    assert hash_secret(publisher.token) in allowed


def test_who_loses_the_role_may_not_call_any_more(stage: Stage) -> None:
    token = stage.ivo.access.make_token("olu").token
    stage.live.house.publisher.refresh()
    stage.olga.access.revoke("olu", project=PROJECT)

    stage.live.house.publisher.refresh()

    assert hash_secret(token) not in callers(stage.configuration())


def test_nothing_new_leaves_file_and_serial_as_they_are(stage: Stage) -> None:
    publisher = stage.live.house.publisher
    publisher.refresh()
    before = (stage.home / "gateway" / FILE).stat().st_mtime_ns

    publisher.refresh()

    assert (stage.home / "gateway" / FILE).stat().st_mtime_ns == before


def test_opening_the_home_without_a_server_opens_no_gateway_to_everybody(stage: Stage) -> None:
    assert stage.configuration().endpoints[0].login_required

    fresh(stage.live, None).refresh()

    assert stage.configuration().endpoints[0].login_required


def test_a_database_put_back_from_a_copy_overtakes_what_its_gateway_accepted(stage: Stage) -> None:
    ahead = msgspec.structs.replace(stage.configuration(), serial=900)
    publisher = stage.live.house.publisher
    publisher.on_disk = None
    publisher.publish(ahead)
    accept(stage.home)
    assert (stage.home / "gateway" / APPLIED).exists()

    fresh(stage.live, Front(login=True)).refresh()

    assert stage.configuration().serial == 901
    assert accept(stage.home) == stage.configuration()


def test_the_servers_own_token_is_the_same_at_each_start_and_no_digest_of_public_things(stage: Stage) -> None:
    token = fresh(stage.live).token

    assert token == stage.live.house.publisher.token
    assert hashlib.sha256(stage.live.house.keys.public_file.read_bytes()).hexdigest() not in token


def test_the_path_settles_how_soon_a_log_is_on_the_disk(stage: Stage) -> None:
    asked = stage.olu.endpoints.inferences("mortgage")
    before = stage.configuration().endpoints[0].log
    stage.live.house.publisher.path_asks = lambda *_: "acknowledged"

    with pytest.raises(DurabilityAsked):
        asked.keep(LogPolicy("buffered"))
    kept = asked.keep(LogPolicy(keep_days=30), reason="as the path says")

    assert (kept.durability, kept.because) == ("acknowledged", "the path asks for it")
    after = stage.configuration().endpoints[0].log
    assert (after.durability, after.keep_days, before.keep_days) == ("acknowledged", 30, None)
