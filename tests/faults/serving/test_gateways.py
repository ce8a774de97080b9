"""Gateways that are followed by others, and bundles and files that nobody may serve, cost no answer."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from taxiway.endpoints.gateway.configuration import FILE
from taxiway.endpoints.steering.supervision import restart_gateway
from taxiway.models.bundles.bundle import verify_bundle
from tests.endpoints.conftest import Site, is_running, until
from tests.endpoints.load import under_load
from tests.faults.serving.conftest import Tell, quantile_ms

pytestmark = pytest.mark.fault
RESTARTS = 5


def test_gateways_follow_each_other_under_load(pair: Site, tell: Tell) -> None:
    with under_load(pair) as load:
        for _ in range(RESTARTS):
            time.sleep(0.5)
            before = pair.address.pid
            restart_gateway(pair.home)
            until(lambda before=before: not is_running(before), 15)  # type: ignore[misc]

    written = [line for file in (pair.home / "inferences").glob("*/*.jsonl") for line in file.read_bytes().splitlines()]
    ids = sorted(msgspec.json.decode(line)["prediction_id"] for line in written)
    lost = len({answer.body["prediction_id"] for answer in load.answers} - set(ids))
    tell(
        "gateway restarted, socket handed over",
        "0 failed, 0 records lost",
        restarts=RESTARTS,
        answered=len(load.answers),
        failed=len(load.failed) + len(load.broken),
        records_lost=lost,
        slowest_ms=quantile_ms(load.took_s, 1.0),
    )
    assert (load.failed, load.broken, lost) == ([], [], 0)


def flip(folder: Path) -> None:
    (folder / "model.txt").write_text("3")


def cut(folder: Path) -> None:
    (folder / "model.txt").write_bytes(b"")


def add(folder: Path) -> None:
    (folder / "more.py").write_text("print('here')")


def lose(folder: Path) -> None:
    (folder / "model.txt").unlink()


WRONGS: list[Callable[[Path], None]] = [flip, cut, add, lose]


def test_bundles_that_were_changed_are_refused_and_the_one_before_answers(pair: Site, tell: Tell) -> None:
    refused = 0
    with under_load(pair) as load:
        for number, wrong in enumerate(WRONGS, start=2):
            folder = pair.bundle(number, "2")
            digest = verify_bundle(folder).digest
            wrong(folder)
            pair.revisions.append(
                msgspec.structs.replace(
                    pair.revisions[0], number=number, bundle=str(folder.relative_to(pair.home)), bundle_digest=digest
                )
            )
            pair.change("adder", active=number)
            pair.until_state("refused", number=number)
            refused += 1

    tell(
        "bundle tampered, truncated, added to, incomplete",
        "all refused, the one before answers",
        tried=len(WRONGS),
        refused=refused,
        answered=len(load.answers),
        failed=len(load.failed) + len(load.broken),
    )
    assert (load.failed, load.broken) == ([], [])
    assert load.revisions == {1}


def test_a_configuration_that_was_cut_or_not_signed_changes_nothing(pair: Site, tell: Tell) -> None:
    path = pair.home / "gateway" / FILE
    whole = path.read_bytes()
    envelope = msgspec.json.decode(whole)
    wrongs = [
        whole[: len(whole) // 2],
        msgspec.json.encode({**envelope, "signature": "A" * 86 + "=="}),
        msgspec.json.encode({**envelope, "keyid": "unknown"}),
    ]
    said: set[str] = set()
    with under_load(pair) as load:
        for wrong in wrongs:
            path.with_name("new").write_bytes(wrong)
            path.with_name("new").replace(path)
            until(lambda: pair.status().configuration_error not in {"", *said})
            said.add(pair.status().configuration_error)

    tell(
        "configuration cut, signed wrongly, of an unknown key",
        "all refused, what was goes on",
        tried=len(wrongs),
        refused=len(said),
        answered=len(load.answers),
        failed=len(load.failed) + len(load.broken),
    )
    assert (load.failed, load.broken) == ([], [])
    assert len(said) == len(wrongs)
