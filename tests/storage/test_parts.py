"""Uploads in parts: for whoever knows the secret, whole and in order or not at all, and not for ever."""

from __future__ import annotations

import io
import os
import time
from pathlib import Path

import pytest

from taxiway.kernel.errors import BadField, NotFound, SignInNeeded
from taxiway.storage import parts
from taxiway.storage.blobs import FileBlobs, digest_of
from taxiway.storage.parts import Opened, Parts, PartsIncomplete, Sent, TooManyOpen


@pytest.fixture
def kept(tmp_path: Path) -> Parts:
    return Parts(tmp_path / "uploads")


def opened(kept: Parts, number: int = 2) -> tuple[Opened, str]:
    return kept.open(purpose="run 1 x", owner="ana", parts=number)


def test_parts_become_one_blob_in_their_order(kept: Parts, tmp_path: Path) -> None:
    upload, secret = opened(kept)
    blobs = FileBlobs(tmp_path / "blobs")
    found = kept.check_secret(upload.id, secret)
    digests = {number: kept.put(found, number, io.BytesIO(data)) for number, data in ((2, b"world"), (1, b"hello "))}

    whole = kept.complete(found, [Sent(1, digests[1]), Sent(2, digests[2])], blobs)

    assert whole == digest_of(b"hello world")
    assert blobs.file(whole).read_bytes() == b"hello world"
    kept.abort(upload.id)
    with pytest.raises(NotFound):
        kept.find(upload.id)


@pytest.mark.parametrize(
    "sent",
    [
        [],
        [(1, b"a")],
        [(2, b"b"), (1, b"a")],
        [(1, b"a"), (1, b"a")],
        [(1, b"a"), (2, b"other")],
        [(1, b"a"), (3, b"b")],
    ],
)
def test_what_was_not_sent_is_not_completed(kept: Parts, tmp_path: Path, sent: list[tuple[int, bytes]]) -> None:
    upload, _ = opened(kept)
    for number, data in ((1, b"a"), (2, b"b")):
        kept.put(upload, number, io.BytesIO(data))
    blobs = FileBlobs(tmp_path / "blobs")

    with pytest.raises(PartsIncomplete):
        kept.complete(upload, [Sent(number, digest_of(data)) for number, data in sent], blobs)

    assert list(blobs.listed()) == []


def test_a_part_that_did_not_come_is_named(kept: Parts, tmp_path: Path) -> None:
    upload, _ = opened(kept, 1)

    with pytest.raises(PartsIncomplete, match="part 1 did not come"):
        kept.complete(upload, [Sent(1, digest_of(b"a"))], FileBlobs(tmp_path / "blobs"))


def test_only_the_secret_of_an_upload_opens_it(kept: Parts) -> None:
    (one, _), (_, other) = opened(kept), opened(kept)

    for upload, secret in ((one.id, other), (one.id, ""), ("0" * 32, other), ("../uploads", other), ("", "")):
        with pytest.raises(SignInNeeded):
            kept.check_secret(upload, secret)
    assert other not in "".join(file.read_text() for file in kept.folder.glob("*/upload.json"))


def test_numbers_have_bounds(kept: Parts) -> None:
    upload, _ = opened(kept)
    for number in (0, 3, -1):
        with pytest.raises(BadField):
            kept.put(upload, number, io.BytesIO(b"x"))
    for number in (0, 10_001):
        with pytest.raises(BadField):
            opened(kept, number)


def test_what_nobody_goes_on_with_is_forgotten(kept: Parts, monkeypatch: pytest.MonkeyPatch) -> None:
    upload, _ = opened(kept)
    old = time.time() - parts.LIVES_S - 1
    os.utime(kept.folder / upload.id, (old, old))

    newer, _ = opened(kept)

    assert [folder.name for folder in kept.folder.iterdir()] == [newer.id]
    monkeypatch.setattr(parts, "MOST_OPEN", 1)
    with pytest.raises(TooManyOpen):
        opened(kept)
