"""The files of a run where an MLflow keeps them: a folder, a bucket, or behind its server."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Protocol
from urllib.parse import unquote, urlsplit

from msgspec import Struct

from taxiway.kernel.errors import TaxiwayError

MOST_FILES = 1_000_000


class TreeUnreadable(TaxiwayError):
    """A place of files that cannot be read from here."""

    status = 400
    place: str
    cause: str

    def __str__(self) -> str:
        return f"The files in {self.place} cannot be read: {self.cause}. Name the folder they are in with --artifacts."


class File(Struct, frozen=True):
    """A file within a tree. stamp: differs as soon as the file does, as far as can be told without reading it."""

    path: str
    size_bytes: int
    stamp: str


class Tree(Protocol):
    """A run's files. root: where they are, as a URL of a folder or bucket; empty where nobody else can reach it."""

    root: str

    def files(self) -> Iterator[File]: ...

    def open(self, path: str) -> IO[bytes]: ...


class FolderTree:
    """Files of a folder of this machine. Links are not followed: they lead out of it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.root = folder.absolute().as_uri()

    def files(self) -> Iterator[File]:
        yield from self._within(self.folder, "")

    def _within(self, folder: Path, path: str) -> Iterator[File]:
        try:
            entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
        except (FileNotFoundError, NotADirectoryError):
            return
        for entry in entries:
            name = f"{path}{entry.name}"
            if entry.is_dir(follow_symlinks=False):
                yield from self._within(Path(entry.path), f"{name}/")
            elif entry.is_file(follow_symlinks=False):
                status = entry.stat(follow_symlinks=False)
                yield File(name, status.st_size, f"{status.st_size}-{status.st_mtime_ns}")

    def open(self, path: str) -> IO[bytes]:
        handle = os.open(self.folder / path, os.O_RDONLY | os.O_NOFOLLOW)
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            os.close(handle)
            raise TreeUnreadable(place=str(self.folder / path), cause="it is no plain file any more")
        return os.fdopen(handle, "rb")


class BucketTree:
    """Files under a prefix of a bucket, through obstore."""

    def __init__(self, url: str, endpoint: str) -> None:
        from taxiway.adapters.s3 import open_bucket
        from taxiway.storage.places import Bucket

        parts = urlsplit(url)
        prefix = unquote(parts.path).strip("/")
        region = os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION") or "us-east-1"
        self.store = open_bucket(Bucket(parts.netloc, prefix, endpoint.rstrip("/"), region))
        self.root = f"s3://{parts.netloc}/{prefix}" + (f"?endpoint={endpoint}" if endpoint else "")

    def files(self) -> Iterator[File]:
        import obstore

        for page in obstore.list(self.store):
            for meta in page:
                yield File(meta["path"], meta["size"], f"{meta['size']}-{meta['e_tag']}")

    def open(self, path: str) -> IO[bytes]:
        import obstore

        return obstore.open_reader(self.store, path)  # type: ignore[return-value] # it reads in order, as a file does


class Trees:
    """Finds the files of runs.

    artifacts: the folder or bucket that an MLflow server serves as `mlflow-artifacts:`. remote: opens such a place
    through that server itself.
    """

    def __init__(self, artifacts: str = "", remote: Callable[[str], Tree] | None = None) -> None:
        self.artifacts = artifacts.rstrip("/")
        self.remote = remote
        self.endpoint = os.environ.get("MLFLOW_S3_ENDPOINT_URL", "")

    def find(self, place: str) -> Tree:
        """The tree of a place as MLflow writes it. Raises TreeUnreadable."""
        parts = urlsplit(place)
        if parts.scheme == "mlflow-artifacts":
            if self.artifacts:
                return self.find(f"{self.artifacts}/{parts.path.strip('/')}")
            if self.remote is not None:
                return self.remote(place)
            raise TreeUnreadable(place=place, cause="they are behind an MLflow server")
        if parts.scheme == "s3":
            return BucketTree(place, self.endpoint)
        if parts.scheme in ("", "file") and parts.netloc in ("", "localhost"):
            path = unquote(parts.path) if parts.scheme else place
            return FolderTree(Path(path).absolute())
        raise TreeUnreadable(place=place, cause=f"places of the kind {parts.scheme or parts.netloc}: are not read")
