"""Files as answers: never other bytes than were kept, and never shown in our own origin."""

from __future__ import annotations

import hashlib
from pathlib import Path
from threading import Lock

from msgspec import Struct
from starlette.concurrency import run_in_threadpool
from starlette.responses import FileResponse, Response

from taxiway.storage.blobs import BytesGone, DigestMismatch

MOST_REMEMBERED = 10_000
HEADERS = {"Content-Security-Policy": "sandbox; default-src 'none'"}  # an uploaded page does not run in our origin

State = tuple[int, ...]


class Download(Struct, frozen=True):
    """A file as an answer: always offered for saving. `digest` is what its bytes must have; None is not checked."""

    file: Path
    name: str
    media_type: str = "application/octet-stream"
    digest: str | None = None


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
        with self.lock:
            if len(self.known) >= MOST_REMEMBERED:
                self.known.pop(next(iter(self.known)))
            self.known[file, digest] = state


def state_of(file: Path) -> State:
    """What changes when a file's bytes do."""
    status = file.stat()
    return status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns


checked = Checked()


async def download(result: Download) -> Response:
    """The file, once its bytes were found right. Raises DigestMismatch, BytesGone."""
    await run_in_threadpool(checked.check, result.file, result.digest, result.name)
    return FileResponse(result.file, filename=result.name, media_type=result.media_type, headers=HEADERS)
