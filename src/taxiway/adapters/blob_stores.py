"""Opening the blobs of a home: in its own folder, or where a URL says. A home remembers where its blobs are."""

from __future__ import annotations

import os
from pathlib import Path
from typing import IO

from taxiway.kernel.errors import TaxiwayError
from taxiway.storage.blobs import Blobs, FileBlobs
from taxiway.storage.cache import Cache
from taxiway.storage.places import Bucket, Folder, StoreUnusable, parse_place

REMEMBERED = "blobs.url"


class BlobsElsewhere(TaxiwayError):
    """A home whose blobs are kept in another place than it is now told."""

    status = 409
    home: str
    kept: str
    given: str

    def __str__(self) -> str:
        return (
            f"The blobs of {self.home} are kept in {self.kept}, not in {self.given}. To move them, copy every file "
            f"there under the same name while no server runs, then write the new URL into {self.home}/{REMEMBERED}."
        )


def open_blobs(home: Path, url: str | None) -> Blobs:
    """The blobs of a home. Without a URL those it had before, at first its own folder.

    Raises BadField, BlobsElsewhere, StoreUnusable.
    """
    kept = remembered(home)
    if kept is None and (home / "blobs" / "sha256").exists():
        kept = own_place(home)
    place = place_of(home, url)
    if kept is not None and place != parse_place(kept):
        raise BlobsElsewhere(home=str(home), kept=str(parse_place(kept)), given=str(place))
    blobs = open_place(place, home)
    if kept is None and url:
        remember(home, url)
    return blobs


def place_of(home: Path, url: str | None) -> Folder | Bucket:
    """Where the blobs of a home are, or will be: as a URL says, where they were before, or in its own folder."""
    return parse_place(url or remembered(home) or own_place(home))


def own_place(home: Path) -> str:
    return (home / "blobs").as_uri()


def open_place(place: Folder | Bucket, home: Path) -> Blobs:
    if isinstance(place, Bucket):
        try:
            from taxiway.adapters.s3 import S3Blobs
        except ModuleNotFoundError as e:
            step = "`pip install 'taxiway[s3]'` adds it."
            raise StoreUnusable(store=str(place), cause="the package obstore is not installed", next_step=step) from e
        cache = Cache(home / "blob-cache")
        cache.clear_incoming()
        return S3Blobs(place, cache)
    try:
        blobs = FileBlobs(place.folder)
        blobs.clear_incoming()
    except OSError as e:
        cause = e.strerror or str(e)
        raise StoreUnusable(store=str(place), cause=cause, next_step="Give another folder, or mend that.") from e
    return blobs


def read_object(place: Bucket, key: str) -> IO[bytes]:
    """An object of any bucket. Raises StoreUnusable, FileNotFoundError, Unavailable."""
    try:
        from taxiway.adapters.s3 import open_object
    except ModuleNotFoundError as e:
        step = "`pip install 'taxiway[s3]'` adds it."
        raise StoreUnusable(store=str(place), cause="the package obstore is not installed", next_step=step) from e
    return open_object(place, key)


def remembered(home: Path) -> str | None:
    try:
        return (home / REMEMBERED).read_text(encoding="utf-8").strip() or None
    except FileNotFoundError:
        return None


def remember(home: Path, url: str) -> None:
    """Writes down where the blobs are, whole or not at all."""
    beside = home / f"{REMEMBERED}.{os.getpid()}"
    beside.write_text(url + "\n", encoding="utf-8")
    beside.rename(home / REMEMBERED)
