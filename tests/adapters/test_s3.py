"""What a bucket does beyond what every blob store does: many writers, foreign bytes, stores that are not as told."""

from __future__ import annotations

import io
import os
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import obstore
import pytest

from taxiway.adapters.s3 import S3Blobs, open_bucket
from taxiway.kernel.errors import BadField, NotFound, Unavailable
from taxiway.storage.blobs import DigestMismatch, digest_of, key_of
from taxiway.storage.cache import UNTOUCHED_S, Cache
from taxiway.storage.places import Bucket, Folder, StoreUnusable, parse_place


class Careless(S3Blobs):
    """A store that takes a second create of the same key, as some do."""

    def create(self, key: str, data: bytes) -> bool:
        obstore.put(self.store, key, data)
        return True


def bucket(url: str) -> Bucket:
    place = parse_place(url)
    assert isinstance(place, Bucket)
    return place


def read_blob_in_pieces(blobs: S3Blobs, digest: str) -> bytes:
    with blobs.open(digest) as file:
        return b"".join(iter(lambda: file.read(1 << 20), b""))


def test_a_store_that_honours_preconditions_is_known_as_one(s3_url: str, tmp_path: Path) -> None:
    blobs = S3Blobs(bucket(s3_url), Cache(tmp_path))

    assert blobs.keeps_first
    assert [meta for page in obstore.list(blobs.store) for meta in page] == []  # the probe leaves nothing


def test_a_store_that_ignores_preconditions_is_found_out_and_still_safe(
    s3_url: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    blobs = Careless(bucket(s3_url), Cache(tmp_path))

    digests = {blobs.put(io.BytesIO(b"same")) for _ in range(2)}

    assert not blobs.keeps_first
    assert "ignores preconditions" in caplog.text
    assert digests == {digest_of(b"same")}
    assert [blob.digest for blob in blobs.listed()] == [*digests]


def test_writers_at_once_all_succeed_with_one_blob(s3_url: str, tmp_path: Path) -> None:
    writers = [S3Blobs(bucket(s3_url), Cache(tmp_path / str(number))) for number in range(4)]

    with ThreadPoolExecutor(4) as pool:
        digests = set(pool.map(lambda blobs: blobs.put(io.BytesIO(b"the same")), writers))

    assert [blob.digest for blob in writers[0].listed()] == [*digests] == [digest_of(b"the same")]


@pytest.mark.parametrize("size", [100, 6 << 20], ids=["copied first", "streamed"])
def test_bytes_that_were_changed_in_the_bucket_are_not_passed_on(s3_url: str, tmp_path: Path, size: int) -> None:
    blobs = S3Blobs(bucket(s3_url), Cache(tmp_path))
    digest = digest_of(b"what was meant")
    obstore.put(blobs.store, key_of(digest), os.urandom(size))

    with pytest.raises(DigestMismatch):
        read_blob_in_pieces(blobs, digest)
    with pytest.raises(DigestMismatch):
        blobs.file(digest)


@pytest.mark.parametrize("size", [100, 9 << 20], ids=["one part", "parts"])
@pytest.mark.parametrize("change", [lambda data: b"x" + data[1:], lambda data: data[:-1]], ids=["bytes", "size"])
def test_a_blob_that_was_damaged_in_the_bucket_is_whole_once_it_is_sent_again(
    s3_url: str, tmp_path: Path, size: int, change: Callable[[bytes], bytes]
) -> None:
    first, data = S3Blobs(bucket(s3_url), Cache(tmp_path / "first")), os.urandom(size)
    digest = first.put(io.BytesIO(data))
    obstore.put(first.store, key_of(digest), change(data))

    first.put(io.BytesIO(data))

    other = S3Blobs(bucket(s3_url), Cache(tmp_path / "other"))
    assert read_blob_in_pieces(other, digest) == data


@pytest.mark.parametrize("size", [100, 9 << 20], ids=["one part", "parts"])
def test_a_blob_that_was_sent_just_now_is_not_written_again(s3_url: str, tmp_path: Path, size: int) -> None:
    blobs, data = S3Blobs(bucket(s3_url), Cache(tmp_path)), os.urandom(size)
    key = key_of(blobs.put(io.BytesIO(data)))
    before = obstore.head(blobs.store, key)["last_modified"]
    time.sleep(1.1)  # stores tell times in seconds

    blobs.put(io.BytesIO(data))

    assert obstore.head(blobs.store, key)["last_modified"] == before


def test_a_store_that_is_away_is_a_refusal_that_can_be_tried_again(s3_url: str, tmp_path: Path) -> None:
    blobs = S3Blobs(bucket(s3_url), Cache(tmp_path))
    blobs.store = open_bucket(Bucket("tests", endpoint="http://127.0.0.1:1"))

    with pytest.raises(Unavailable):
        blobs.put(io.BytesIO(b"not now"))

    assert list(blobs.cache.listed()) == []


def test_wrong_credentials_are_found_at_the_start(s3_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "wrong")

    with pytest.raises(StoreUnusable) as refusal:
        S3Blobs(bucket(s3_url), Cache(tmp_path))

    assert "wrong" not in str(refusal.value)


def test_without_credentials_nothing_is_asked_of_anybody(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)

    with pytest.raises(StoreUnusable, match="no credentials"):
        open_bucket(Bucket("anything"))


def test_copies_that_were_unused_longest_give_way(tmp_path: Path) -> None:
    cache = Cache(tmp_path, limit_bytes=250)
    old, used = (cache.put(io.BytesIO(letter * 100)) for letter in (b"o", b"u"))
    for digest, age in ((old, 2), (used, 1)):
        cache.used_at[cache.file(digest)] -= age * UNTOUCHED_S + 60

    new = cache.put(io.BytesIO(b"n" * 100))

    assert [cache.find(digest) is not None for digest in (old, used, new)] == [False, True, True]


@pytest.mark.parametrize(
    ("url", "place"),
    [
        ("s3://models", Bucket("models")),
        ("s3://models/a/b/?region=eu-west-1", Bucket("models", "a/b", region="eu-west-1")),
        ("s3://m/p?endpoint=http://127.0.0.1:9000/", Bucket("m", "p", "http://127.0.0.1:9000")),
        ("file:///srv/blobs", Folder(Path("/srv/blobs"))),
    ],
)
def test_a_url_says_where_blobs_are(url: str, place: Bucket | Folder) -> None:
    assert parse_place(url) == place
    assert parse_place(str(place)).__class__ is place.__class__


@pytest.mark.parametrize(
    "url",
    [
        "s3://",
        "s3://m/../n",
        "s3://m//n",
        "s3://m?endpoint=ftp://h",
        "s3://m?endpoint=http://u:secret@h",
        "s3://m?unknown=1",
        "s3://m#part",
        "s3://key:secret@m",
        "file://elsewhere/srv",
        "file:///",
        "gs://m",
        "blobs",
        "",
    ],
)
def test_a_url_of_anything_else_is_refused_without_repeating_secrets(url: str) -> None:
    with pytest.raises(BadField) as refusal:
        parse_place(url)

    assert "secret" not in str(refusal.value)


def test_a_digest_that_is_none_is_not_asked_for(s3_url: str, tmp_path: Path) -> None:
    with pytest.raises(NotFound):
        S3Blobs(bucket(s3_url), Cache(tmp_path)).open("sha256:../../etc/passwd")
