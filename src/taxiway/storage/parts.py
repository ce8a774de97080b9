"""Uploads that come in parts: each part is a file of its own until all are there, in a folder that we named."""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import re
import secrets
import shutil
import time
from collections.abc import Sequence
from pathlib import Path

import msgspec
from msgspec import Struct

from taxiway.kernel.errors import BadField, NotFound, SignInNeeded, TaxiwayError
from taxiway.kernel.ids import new_id
from taxiway.storage.blobs import CHUNK, Blobs, Incoming, Readable, spool

ID = re.compile(r"[0-9a-f]{32}")
MOST_PARTS = 10_000
MOST_OPEN = 1_000
LIVES_S = 24 * 3600.0


class TooManyOpen(TaxiwayError):
    """As many uploads in parts are open as the server keeps."""

    status = 429
    retry_after_s = 60.0
    limit: int

    def __str__(self) -> str:
        return f"{self.limit:,} uploads in parts are open, which is all that are kept. Finish or abort some."


class PartsIncomplete(TaxiwayError):
    """An upload was to be completed whose parts are not those that came."""

    status = 400
    upload: str
    problem: str

    def __str__(self) -> str:
        return f"The upload {self.upload} cannot be completed: {self.problem}. Send that part again, or abort it."


class Opened(Struct, frozen=True):
    """An upload in parts. purpose: what its bytes are for; owner: who opened it. secret: only its digest is kept."""

    id: str
    purpose: str
    owner: str
    parts: int
    secret_digest: str


class Sent(Struct, frozen=True):
    """A part that came, by what its bytes are."""

    number: int
    digest: str


class Parts:
    """Uploads in parts, in a folder of the home."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)

    def open(self, *, purpose: str, owner: str, parts: int) -> tuple[Opened, str]:
        """A new upload and its secret: whoever has that may send the parts. Raises BadField, TooManyOpen."""
        if not 1 <= parts <= MOST_PARTS:
            raise BadField(field="num_parts", value=str(parts), expected=f"a number from 1 to {MOST_PARTS:,}")
        self.forget_old()
        if sum(1 for _ in self.folder.iterdir()) >= MOST_OPEN:
            raise TooManyOpen(limit=MOST_OPEN)
        secret = secrets.token_urlsafe(32)
        opened = Opened(new_id(), purpose, owner, parts, digest_of_secret(secret))
        folder = self.folder / opened.id
        folder.mkdir(mode=0o700)
        (folder / "upload.json").write_bytes(msgspec.json.encode(opened))
        return opened, secret

    def find(self, upload: str) -> Opened:
        """Raises NotFound."""
        if ID.fullmatch(upload):
            with contextlib.suppress(FileNotFoundError, msgspec.MsgspecError):
                return msgspec.json.decode((self.folder / upload / "upload.json").read_bytes(), type=Opened)
        raise NotFound(kind="upload", name=upload[:64], hint="It was completed or aborted, or is older than a day.")

    def check_secret(self, upload: str, secret: str) -> Opened:
        """The upload, for whoever knows its secret. Raises SignInNeeded, also where there is none."""
        with contextlib.suppress(NotFound):
            opened = self.find(upload)
            if hmac.compare_digest(opened.secret_digest, digest_of_secret(secret)):
                return opened
        raise SignInNeeded(reason="The secret that came with the upload does not fit it.")

    def put(self, opened: Opened, number: int, source: Readable) -> str:
        """Keeps a part, in place of what had its number, and returns its digest. Raises BadField, DiskFull."""
        if not 1 <= number <= opened.parts:
            raise BadField(field="part_number", value=str(number), expected=f"a number from 1 to {opened.parts}")
        folder = self.folder / opened.id
        with spool(folder) as incoming:
            while piece := source.read(CHUNK):
                incoming.write(piece)
            incoming.finish(None)
            digest = incoming.digest
            incoming.path.rename(folder / f"{number}")
        return digest

    def complete(self, opened: Opened, sent: Sequence[Sent], blobs: Blobs) -> str:
        """All parts in a row as one blob, whose digest it returns. Raises PartsIncomplete, DiskFull."""
        numbers = [part.number for part in sent]
        if numbers != list(range(1, opened.parts + 1)):
            raise PartsIncomplete(upload=opened.id, problem=f"it has {opened.parts} parts, each to be named in order")
        folder = self.folder / opened.id
        with blobs.receive() as incoming:
            for part in sent:
                try:
                    found = append(folder / f"{part.number}", incoming)
                except FileNotFoundError as e:
                    raise PartsIncomplete(upload=opened.id, problem=f"part {part.number} did not come") from e
                if found != part.digest:
                    raise PartsIncomplete(upload=opened.id, problem=f"part {part.number} is not what was named")
        return incoming.digest

    def abort(self, upload: str) -> None:
        """Removes an upload and its parts."""
        if ID.fullmatch(upload):
            shutil.rmtree(self.folder / upload, ignore_errors=True)

    def forget_old(self) -> None:
        """Removes uploads that nobody went on with for a day."""
        for folder in self.folder.iterdir():
            with contextlib.suppress(FileNotFoundError):
                if time.time() - folder.stat().st_mtime > LIVES_S:
                    self.abort(folder.name)


def append(part: Path, incoming: Incoming) -> str:
    """Adds the bytes of a part, and returns the digest of just these."""
    found = hashlib.sha256()
    with part.open("rb") as file:
        while piece := file.read(CHUNK):
            found.update(piece)
            incoming.write(piece)
    return f"sha256:{found.hexdigest()}"


def digest_of_secret(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
