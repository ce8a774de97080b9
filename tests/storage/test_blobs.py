"""Blobs: stored whole or not at all, once, and under what they are."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from taxiway.kernel.errors import NotFound
from taxiway.storage.blobs import DigestMismatch, FileBlobs, digest_of


@given(data=st.binary(max_size=3000))
def test_what_goes_in_comes_out_under_its_digest(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    blobs = FileBlobs(tmp_path_factory.mktemp("blobs"))

    digest = blobs.put(io.BytesIO(data))

    with blobs.open(digest) as file:
        assert file.read() == data
    assert digest == digest_of(data)
    assert blobs.size(digest) == len(data)


def test_identical_bytes_are_stored_once(tmp_path: Path) -> None:
    blobs = FileBlobs(tmp_path)

    first, second = (blobs.put(io.BytesIO(b"same")) for _ in range(2))

    assert first == second
    assert len([f for f in (tmp_path / "sha256").rglob("*") if f.is_file()]) == 1


def test_other_bytes_than_announced_are_refused_and_leave_nothing(tmp_path: Path) -> None:
    blobs = FileBlobs(tmp_path)

    with pytest.raises(DigestMismatch):
        blobs.put(io.BytesIO(b"other"), expected=digest_of(b"this"))

    assert [f for f in tmp_path.rglob("*") if f.is_file()] == []


def test_a_sender_that_goes_away_leaves_nothing(tmp_path: Path) -> None:
    class Broken(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            raise ConnectionError("gone")

    blobs = FileBlobs(tmp_path)

    with pytest.raises(ConnectionError):
        blobs.put(Broken())

    assert [f for f in tmp_path.rglob("*") if f.is_file()] == []


@pytest.mark.parametrize(
    "digest", ["sha256:../../etc/passwd", "sha256:" + "0" * 63, "md5:" + "0" * 64, "", "sha256:" + "G" * 64]
)
def test_a_digest_that_is_none_is_not_looked_up(tmp_path: Path, digest: str) -> None:
    with pytest.raises(NotFound):
        FileBlobs(tmp_path).open(digest)


def test_what_a_killed_process_left_half_received_is_cleared(tmp_path: Path) -> None:
    blobs = FileBlobs(tmp_path)
    (blobs.incoming / "half").write_bytes(b"ha")

    blobs.clear_incoming()

    assert list(blobs.incoming.iterdir()) == []
