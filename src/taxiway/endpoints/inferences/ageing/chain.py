"""What became of each file of a log, as a chain: every link holds the digest of the one before it.

``chain.jsonl`` says which files were sealed, merged into which, and removed, with their SHA-256. A file that was
changed, put in or taken away without a link shows; so does a link that was changed or cut out. Erasing a subject's key
changes no file. The newest link's digest is noted in the audit log with each removal and erasure: that keeps its end.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Literal

import msgspec
from msgspec import Struct

from taxiway.endpoints.inferences.damage import Damaged, reading, said, tell
from taxiway.endpoints.inferences.log import Segment, load_sealed, segments
from taxiway.kernel.ids import is_name

FILE = "chain.jsonl"
NONE = "sha256:" + "0" * 64  # what the first link stands on


class Link(Struct, frozen=True, omit_defaults=True):
    """What became of a file. segments: which segments' records it holds; before: the digest of the link before."""

    act: Literal["sealed", "merged", "removed"]
    at: datetime
    file: str
    digest: str
    rows: int
    segments: list[str]
    before: str
    first_at: datetime | None = None
    last_at: datetime | None = None
    last_event_at: datetime | None = None


class ChainBroken(Exception):
    """A link does not stand on the one before it, or is none."""


def digest_of(data: bytes) -> str:
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


def read_chain(folder: Path) -> tuple[list[Link], str]:
    """The links of an endpoint's log, and the digest of the newest. Raises ChainBroken.

    A last line without its end is one that a killed server did not finish; it counts for nothing.
    """
    try:
        data = (folder / FILE).read_bytes()
    except FileNotFoundError:
        return [], NONE
    found, before = [], NONE
    for number, line in enumerate(data.split(b"\n")[:-1], start=1):
        try:
            link = msgspec.json.decode(line, type=Link)
        except msgspec.DecodeError as e:
            raise ChainBroken(f"link {number} cannot be read") from e
        if link.before != before:
            raise ChainBroken(f"link {number} does not stand on the one before it")
        found.append(link)
        before = digest_of(line)
    return found, before


def is_as_linked(folder: Path, file: str) -> bool:
    """Whether a file has the bytes that it was linked with. Raises ChainBroken."""
    links, _ = read_chain(folder)
    digests = [link.digest for link in links if link.file == file]
    return bool(digests) and file_digest(folder / file) == digests[-1]


def file_digest(path: Path) -> str:
    with path.open("rb") as file:
        return f"sha256:{hashlib.file_digest(file, 'sha256').hexdigest()}"


def append(folder: Path, links: list[Link]) -> None:
    """Adds links, each standing on the one before it; on the disk when it returns. Raises ChainBroken."""
    if not links:
        return
    _, before = read_chain(folder)
    path = folder / FILE
    lines = []
    for link in links:
        line = msgspec.json.encode(msgspec.structs.replace(link, before=before))
        before = digest_of(line)
        lines.append(line + b"\n")
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        whole = path.read_bytes().rfind(b"\n") + 1
        os.ftruncate(descriptor, whole)
        os.pwrite(descriptor, b"".join(lines), whole)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def extend(home: Path, endpoint: str, at: datetime, look: Callable[[], None] = lambda: None) -> list[Link]:
    """Links the files that have none yet: those just sealed or merged.

    look: called before each, and may break off by raising. Raises ChainBroken.
    """
    folder = home / "inferences" / endpoint
    links, _ = read_chain(folder)
    known = {link.file for link in links}
    fresh = []
    for each in segments(home, endpoint):
        if each.kind in ("sealed", "merged") and each.path.name not in known:
            look()
            try:
                fresh.append(link_to(each, at, "merged" if each.kind == "merged" else "sealed"))
            except Damaged as e:
                tell(e)  # and `check` names it for as long as it is there
    append(folder, fresh)
    return fresh


def link_to(segment: Segment, at: datetime, act: Literal["sealed", "merged", "removed"]) -> Link:
    """A link to a file as it is now; what it stands on comes when it is added. Raises Damaged."""
    import pyarrow.compute as pc

    with reading(segment.path):
        table = load_sealed(segment.path, ["at", "event_at"])
        span = pc.min_max(table["at"]).as_py()
    return Link(
        act,
        at,
        segment.path.name,
        file_digest(segment.path),
        len(table),
        [id_ for id_, _ in segment.members],
        NONE,
        span["min"],
        span["max"],
        pc.max(table["event_at"]).as_py(),
    )


def check(home: Path, endpoint: str) -> list[str]:
    """What is wrong with an endpoint's log; nothing where every sealed file is as it was when it was linked."""
    folder = home / "inferences" / endpoint
    if not is_name(endpoint) or not folder.is_dir():
        return []
    try:
        links, _ = read_chain(folder)
    except ChainBroken as e:
        return [f"the chain is broken: {e}"]
    found = []
    merged = {id_ for link in links if link.act == "merged" for id_ in link.segments}
    removed = {link.file for link in links if link.act == "removed"}
    there = {path.name for path in folder.glob("*.parquet")}
    last = {link.file: link for link in links if link.act != "removed"}
    for file, link in last.items():
        is_held = link.act == "sealed" and set(link.segments) <= merged
        is_joined = link.act == "merged" and any(
            set(link.segments) < set(each.segments) for each in links if each.act == "merged"
        )
        if file in there:
            found += [problem] if (problem := changed(folder / file, link.digest)) else []
        elif file not in removed and not is_held and not is_joined:
            found.append(f"{file} is gone, and nothing says that it was removed")
    found += [f"{file} was put there by somebody else" for file in sorted(there - {*last})]
    return found


def changed(path: Path, digest: str) -> str:
    """What is wrong with a file that was linked with a digest; empty where nothing is."""
    try:
        return "" if file_digest(path) == digest else f"{path.name} was changed after it was sealed"
    except OSError as e:
        return f"{path.name} cannot be read: {said(e)}"
