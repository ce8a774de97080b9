"""Blobs: stored whole or not at all, once, and under what they are; alike in a folder and in a bucket."""

from __future__ import annotations

import io
import os
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from taxiway.adapters.blob_stores import open_place
from taxiway.kernel.errors import NotFound
from taxiway.storage import writeback
from taxiway.storage.blobs import Blobs, DigestMismatch, FileBlobs, digest_of, read_blob
from taxiway.storage.places import parse_place

LARGE = os.urandom(9 << 20)  # more than goes up in one request

Open = Callable[[], Blobs]


@pytest.fixture(params=["folder", pytest.param("s3", marks=pytest.mark.server)])
def open_blobs(request: pytest.FixtureRequest, tmp_path: Path) -> Open:
    """Opens the same store once more, as another process would."""
    if request.param == "folder":
        return lambda: FileBlobs(tmp_path / "blobs")
    place = parse_place(request.getfixturevalue("s3_url"))
    homes = iter(tmp_path / f"home-{number}" for number in range(10))
    return lambda: open_place(place, next(homes))


@pytest.fixture
def blobs(open_blobs: Open) -> Blobs:
    return open_blobs()


@pytest.mark.parametrize("data", [b"", b"some bytes", LARGE], ids=["empty", "small", "large"])
def test_what_goes_in_comes_out_under_its_digest_for_every_process(open_blobs: Open, data: bytes) -> None:
    first = open_blobs()

    digest = first.put(io.BytesIO(data))

    for blobs in (first, open_blobs()):
        with blobs.open(digest) as file:
            assert file.read() == data
        assert blobs.file(digest).read_bytes() == data
        assert blobs.has(digest)
        assert blobs.size(digest) == len(data)
    assert digest == digest_of(data)


def test_a_blob_comes_in_pieces_and_goes_out_in_pieces(open_blobs: Open) -> None:
    with open_blobs().receive() as incoming:
        incoming.write(LARGE[:100])
        incoming.write(LARGE[100:])

    with open_blobs().open(incoming.digest) as file:
        pieces = list(iter(lambda: file.read(1 << 20), b""))

    assert b"".join(pieces) == LARGE


def test_identical_bytes_are_stored_once(blobs: Blobs) -> None:
    first, second = (blobs.put(io.BytesIO(b"same")) for _ in range(2))

    assert first == second
    assert [(blob.digest, blob.size_bytes) for blob in blobs.listed()] == [(digest_of(b"same"), 4)]


def test_other_bytes_than_announced_are_refused_and_leave_nothing(blobs: Blobs, tmp_path: Path) -> None:
    with pytest.raises(DigestMismatch):
        blobs.put(io.BytesIO(b"other"), expected=digest_of(b"this"))

    assert list(blobs.listed()) == []
    assert [f for f in tmp_path.rglob("*") if f.is_file()] == []


def test_a_sender_that_goes_away_leaves_nothing(blobs: Blobs, tmp_path: Path) -> None:
    class Broken(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            raise ConnectionError("gone")

    with pytest.raises(ConnectionError):
        blobs.put(Broken())

    assert list(blobs.listed()) == []
    assert [f for f in tmp_path.rglob("*") if f.is_file()] == []


def test_what_is_not_kept_is_not_found_anywhere(blobs: Blobs) -> None:
    absent = digest_of(b"absent")

    assert not blobs.has(absent)
    assert not blobs.file(absent).exists()
    assert blobs.delete(absent) == 0
    with pytest.raises(NotFound):
        blobs.size(absent)
    with pytest.raises(NotFound):
        blobs.open(absent)


def test_a_freed_blob_is_gone_and_says_what_it_gave_back(blobs: Blobs) -> None:
    kept, freed = blobs.put(io.BytesIO(b"kept")), blobs.put(io.BytesIO(b"to be freed"))

    assert blobs.delete(freed) == len(b"to be freed")

    assert not blobs.has(freed)
    assert not blobs.file(freed).exists()
    assert [blob.digest for blob in blobs.listed()] == [kept]


def test_the_disk_begins_while_the_rest_still_comes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    begun: list[tuple[int, int]] = []
    monkeypatch.setattr(writeback, "begin", lambda _file, start, size: begun.append((start, start + size)))
    data = os.urandom(1 << 20) * 21
    with FileBlobs(tmp_path).receive() as incoming:
        for start in range(0, len(data), 3 << 20):
            incoming.write(data[start : start + (3 << 20)])
        assert incoming.digest == digest_of(data)

    assert begun == [(0, 9 << 20), (9 << 20, 18 << 20)]
    assert read_blob(FileBlobs(tmp_path), digest_of(data), "it") == data


def test_what_the_system_is_asked_to_begin_with_is_a_call_it_knows(tmp_path: Path) -> None:
    assert writeback.sync_file_range is not None  # on Linux, where servers run
    with (tmp_path / "file").open("wb", buffering=0) as file:
        file.write(bytes(1 << 20))
        assert writeback.sync_file_range(file.fileno(), 0, 1 << 20, writeback.START) == 0
        assert writeback.sync_file_range(file.fileno(), -1, 1, writeback.START) == -1


def test_a_list_says_when_a_blob_was_last_sent(blobs: Blobs) -> None:
    blobs.put(io.BytesIO(b"now"))

    (blob,) = blobs.listed()

    assert abs(datetime.now(UTC) - blob.stored_at) < timedelta(minutes=1)


def test_a_blob_sent_again_counts_as_sent_just_now(tmp_path: Path) -> None:
    blobs = FileBlobs(tmp_path)
    old = blobs.file(blobs.put(io.BytesIO(b"again")))
    os.utime(old, (0, 0))

    blobs.put(io.BytesIO(b"again"))

    (blob,) = blobs.listed()
    assert blob.stored_at.year > 2000


@pytest.mark.parametrize("kept", [b"", b"some bytfs", b"some bytes and more"], ids=["cut", "other bytes", "longer"])
def test_a_blob_that_a_disk_damaged_is_whole_once_it_is_sent_again(tmp_path: Path, kept: bytes) -> None:
    blobs = FileBlobs(tmp_path)
    digest = blobs.put(io.BytesIO(b"some bytes"))
    damaged = blobs.file(digest)
    damaged.chmod(0o644)
    damaged.write_bytes(kept)

    again = blobs.put(io.BytesIO(b"some bytes"))

    assert again == digest
    assert read_blob(blobs, digest, "it") == b"some bytes"


def test_a_blob_that_is_sent_again_stays_the_very_file_that_others_share(tmp_path: Path) -> None:
    blobs = FileBlobs(tmp_path)
    digest = blobs.put(io.BytesIO(LARGE))
    before = blobs.file(digest).stat().st_ino

    blobs.put(io.BytesIO(LARGE))

    assert blobs.file(digest).stat().st_ino == before


@pytest.mark.parametrize(
    "digest", ["sha256:../../etc/passwd", "sha256:" + "0" * 63, "md5:" + "0" * 64, "", "sha256:" + "G" * 64]
)
def test_a_digest_that_is_none_is_not_looked_up(tmp_path: Path, digest: str) -> None:
    with pytest.raises(NotFound):
        FileBlobs(tmp_path).open(digest)


@given(data=st.binary(max_size=3000))
def test_any_bytes_come_out_of_a_folder_as_they_went_in(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    blobs = FileBlobs(tmp_path_factory.getbasetemp() / "any")

    digest = blobs.put(io.BytesIO(data))

    assert blobs.file(digest).read_bytes() == data


def test_what_a_killed_process_left_half_received_is_cleared(tmp_path: Path) -> None:
    blobs = FileBlobs(tmp_path)
    (blobs.incoming / "half").write_bytes(b"ha")

    blobs.clear_incoming()

    assert list(blobs.incoming.iterdir()) == []
