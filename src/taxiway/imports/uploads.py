"""Sending the bytes of files before they are named, each content once; or naming the store that they stay in."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from tempfile import SpooledTemporaryFile
from typing import IO

from taxiway.imports.client import Imports
from taxiway.imports.contract import IncomingFile
from taxiway.kernel.errors import NotFound
from taxiway.kernel.transport import Transport
from taxiway.storage.contract import put_blob

CHUNK = 1 << 20
MOST_IN_MEMORY = 8 << 20
MOST_REMEMBERED = 100_000


class Uploads:
    """Bytes on their way to a server. stores: those that files stay in, by where they are; None copies all."""

    def __init__(self, transport: Transport, stores: dict[str, str] | None = None) -> None:
        self.transport = transport
        self.imports = Imports(transport)
        self.stores = stores
        self.sent: set[str] = set()

    @property
    def in_place(self) -> bool:
        """Whether files stay where they are."""
        return self.stores is not None

    def send(self, open_: Callable[[], IO[bytes]]) -> tuple[str, int, int]:
        """Stores what is read; its digest, its size and how many bytes went over."""
        hashed, size = hashlib.sha256(), 0
        with open_() as file, SpooledTemporaryFile(MOST_IN_MEMORY) as spool:
            while chunk := bytes(file.read(CHUNK)):
                hashed.update(chunk)
                spool.write(chunk)
                size += len(chunk)
            digest = f"sha256:{hashed.hexdigest()}"
            if digest in self.sent:
                return digest, size, 0
            spool.seek(0)
            self.transport.upload(put_blob, spool, size, digest=digest)
        if len(self.sent) < MOST_REMEMBERED:
            self.sent.add(digest)
        return digest, size, size

    def place(self, root: str, path: str, size_bytes: int, media_type: str) -> IncomingFile:
        """The file where it is, within the store that holds it. Raises NotFound where none does."""
        base, _, query = root.partition("?")
        whole = f"{base.rstrip('/')}/{path}"
        for prefix, store in (self.stores or {}).items():
            kept, _, asked = prefix.partition("?")
            if whole.startswith(kept.rstrip("/") + "/") and asked == query:
                place = whole.removeprefix(kept.rstrip("/") + "/")
                return IncomingFile(path=path, size_bytes=size_bytes, media_type=media_type, store=store, place=place)
        hint = "`taxiway stores add NAME URL` names one, or a place above it (admins)."
        raise NotFound(kind="store", name=above(root) or "behind an MLflow server", hint=hint)


def above(root: str) -> str:
    """The place that the files of a whole experiment are in: what ``…/3/RUN/artifacts`` lies in, or models there.

    >>> above("file:///data/mlruns/3/0a1b/artifacts"), above("s3://bucket/x/3/models/m-1/artifacts"), above("s3://b/x")
    ('file:///data/mlruns/3', 's3://bucket/x/3', 's3://b/x')
    """
    base, _, _ = root.partition("?")
    parts = base.rstrip("/").split("/")
    if parts[-1] != "artifacts" or len(parts) < 4:
        return base
    return "/".join(parts[: -3 if parts[-3] == "models" else -2])
