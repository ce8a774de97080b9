"""Files as answers: never other bytes than were kept, and never shown in our own origin."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from threading import Lock

from msgspec import Struct
from starlette.background import BackgroundTask
from starlette.concurrency import run_in_threadpool
from starlette.responses import FileResponse, Response

from taxiway.storage.blobs import Blobs, BytesGone, DigestMismatch, Readable, pour

MOST_REMEMBERED = 10_000
HEADERS = {"Content-Security-Policy": "sandbox; default-src 'none'"}  # an uploaded page does not run in our origin
FRAMED = {
    "Content-Security-Policy": (
        "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:; font-src data:; frame-ancestors 'self'"
    ),
    "X-Frame-Options": "SAMEORIGIN",
    "Cache-Control": "no-store",
}

State = tuple[int, ...]


class Download(Struct, frozen=True):
    """A file as an answer, offered for saving. `digest` is what its bytes must have; None is not checked.

    is_framed: an HTML file that a page of ours shows in a frame: as of nowhere, without scripts and without a network.
    is_gone_after: a file made for this answer alone, removed once it was sent.
    """

    file: Path
    name: str
    media_type: str = "application/octet-stream"
    digest: str | None = None
    is_framed: bool = False
    is_gone_after: bool = False


class Checked:
    """Which files were found to have their digest, as long as they stay untouched: big ones are not hashed each time.

    A file counts as touched when its inode, size, time of change or time of status change differ; nobody but the
    system sets the last.
    """

    def __init__(self) -> None:
        self.known: dict[tuple[Path, str], State] = {}
        self.lock = Lock()

    def check(self, file: Path, digest: str | None, name: str) -> None:
        """Raises DigestMismatch where the file has other bytes, BytesGone where it is not there."""
        try:
            state = state_of(file)
            if digest is None or self.known.get((file, digest)) == state:
                return
            with file.open("rb") as opened:
                found = f"sha256:{hashlib.file_digest(opened, 'sha256').hexdigest()}"
        except (FileNotFoundError, NotADirectoryError) as e:
            raise BytesGone(what=name) from e
        if found != digest:
            step = "Restore it from the home's backup, or log it again."
            raise DigestMismatch(expected=digest, found=found, what=f"The kept file {name}", next_step=step)
        self._remember(file, digest, state)

    def note(self, file: Path, digest: str, inode: int) -> None:
        """Takes a file as checked that was hashed as it was written: its first reader need not wait for that again.

        inode: of what was written. Where bytes of that digest were kept already, the file is not that one.
        """
        if file.exists() and (state := state_of(file))[0] == inode:
            self._remember(file, digest, state)

    def _remember(self, file: Path, digest: str, state: State) -> None:
        with self.lock:
            if len(self.known) >= MOST_REMEMBERED:
                self.known.pop(next(iter(self.known)))
            self.known[file, digest] = state


def state_of(file: Path) -> State:
    """What changes when a file's bytes do."""
    status = file.stat()
    return status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns


checked = Checked()


def store(blobs: Blobs, source: Readable, expected: str | None = None) -> str:
    """Keeps what a request carries and returns its digest. Raises DigestMismatch, DiskFull; then nothing stays."""
    with blobs.receive(expected) as incoming:
        pour(source, incoming)
        inode = os.fstat(incoming.file.fileno()).st_ino
    checked.note(blobs.file(incoming.digest), incoming.digest, inode)
    return incoming.digest


class WideFile(FileResponse):
    """A file sent in pieces that keep the network busy: each costs a change of threads. Ranges are honoured."""

    chunk_size = 1 << 20


async def download(result: Download) -> Response:
    """The file, once its bytes were found right. Raises DigestMismatch, BytesGone."""
    await run_in_threadpool(checked.check, result.file, result.digest, result.name)
    if result.is_framed:
        return WideFile(result.file, headers=FRAMED, media_type="text/html; charset=utf-8")
    headers = HEADERS | {"Etag": f'"{result.digest}"'} if result.digest else HEADERS
    last = BackgroundTask(result.file.unlink, missing_ok=True) if result.is_gone_after else None
    return WideFile(result.file, filename=result.name, media_type=result.media_type, headers=headers, background=last)
