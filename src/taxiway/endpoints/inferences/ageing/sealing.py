"""What the server makes of closed segments: Parquet, and larger files out of many small ones.

Each step makes a whole file beside the old ones, brings it to the disk, gives it its name and only then removes what it
stands for. Whenever it is killed, readers find every record once, and the next round finishes the work. A server that
stops has it break off: `look` is called between files and pieces of them, and raises Halted.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from taxiway.endpoints.inferences.ageing.chain import ChainBroken, extend, is_as_linked
from taxiway.endpoints.inferences.damage import Damaged, reading, said, tell
from taxiway.endpoints.inferences.log import MEMBERS, Segment, held_once, load_whole, read_lines, segments
from taxiway.endpoints.inferences.record import schema, to_table
from taxiway.endpoints.inferences.writing import sync_folder
from taxiway.kernel.ids import ID, made_at, new_id

if TYPE_CHECKING:
    import pyarrow as pa

ROW_GROUP = 16_384
LARGE_ROWS = 250_000  # a file of so many rows is merged no more
LARGE_BYTES = 64 << 20
FEW = 4  # so many small files side by side are left alone


class Halted(Exception):
    """The server stops: what was half made is gone, and the next round begins it anew."""


Look = Callable[[], None]


def go_on() -> None:
    """Nothing asks to break off."""


def seal(segment: Path, look: Look = go_on) -> Path:
    """Turns a closed segment into Parquet beside it and removes it; doing so again changes nothing.

    Damaged lines are dropped and counted in the file's metadata under `damaged_lines`.
    """
    sealed = segment.with_name(segment.name.replace("closed-", "sealed-", 1)).with_suffix(".parquet")
    if not (sealed.exists() and is_readable(sealed)):
        lines, damaged = read_lines(segment, look)
        parts = (to_table(lines[first : first + ROW_GROUP]) for first in range(0, len(lines) or 1, ROW_GROUP))
        put(sealed, parts, {"damaged_lines": str(damaged)}, look)
    segment.unlink(missing_ok=True)
    return sealed


def put(path: Path, tables: Iterable[pa.Table], said: dict[str, str], look: Look = go_on) -> None:
    """Writes tables as one Parquet file, which is there whole and on the disk, or not at all. said: its metadata.

    Raises OSError, Halted.
    """
    import pyarrow.parquet as pq

    waiting = path.with_suffix(".waiting")
    own = schema().with_metadata(said)
    try:
        with waiting.open("wb") as file:
            os.fchmod(file.fileno(), 0o600)
            with pq.ParquetWriter(file, own, compression="zstd", write_page_checksum=True) as writer:
                for table in tables:
                    for first in range(0, len(table) or 1, ROW_GROUP):
                        look()
                        writer.write_table(table.slice(first, ROW_GROUP).cast(schema()))
            file.flush()
            os.fsync(file.fileno())
        waiting.rename(path)
    except (OSError, Halted):
        waiting.unlink(missing_ok=True)  # on a full disk the half of a file takes the room that requests need
        raise
    sync_folder(path.parent)


class Unsealed(Exception):
    """What a round could not do, and with whose log."""


def seal_closed(home: Path, problems: list[Unsealed] | None = None, look: Look = go_on) -> list[Path]:
    """Seals every closed segment of a home; one that cannot be is left as it is, and added to `problems`.

    Raises Halted.
    """
    found = []
    for path in sorted((home / "inferences").glob("*/closed-*.jsonl")):
        look()
        id_ = path.stem.removeprefix("closed-")
        try:
            if any(id_ in held_once(each) for each in path.parent.glob("merged-*.parquet")):
                path.unlink(missing_ok=True)  # its sealed twin was merged before it could be removed
            else:
                found.append(seal(path, look))
        except OSError as e:
            if problems is None:
                raise
            problems.append(Unsealed(f"the log of {path.parent.name}: {path.name} is not sealed: {said(e)}"))
    return found


def seal_and_merge(home: Path, at: datetime, look: Look = go_on) -> list[Unsealed]:
    """A round of the server: seals what was closed, merges what is small, and links every file; what it could not do.

    What is wrong with one file, or one endpoint's folder, keeps no other from being sealed. Raises Halted.
    """
    problems: list[Unsealed] = []
    with alone(home) as is_alone:
        if not is_alone:
            return [Unsealed("another process seals the logs of this home")]
        seal_closed(home, problems, look)
        for folder in sorted((home / "inferences").glob("*")):
            try:
                extend(home, folder.name, at, look)
                if merge_small(home, folder.name, look):
                    extend(home, folder.name, at, look)
            except ChainBroken as e:
                problems.append(Unsealed(f"the log of {folder.name}: {e}"))
            except (OSError, Damaged) as e:
                problems.append(Unsealed(f"the log of {folder.name}: its files are not merged: {said(e)}"))
    return problems


@contextmanager
def alone(home: Path) -> Iterator[bool]:
    """Whether nobody else seals the logs of a home meanwhile; the kernel lets go of it whatever way a process ends."""
    try:
        folder = os.open(home / "inferences", os.O_RDONLY | os.O_DIRECTORY)
    except FileNotFoundError:
        yield True  # nothing was recorded yet
        return
    try:
        fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        yield False
    else:
        yield True
    finally:
        os.close(folder)


def merge_small(home: Path, endpoint: str, look: Look = go_on) -> list[Path]:
    """Joins the small files of each day in an endpoint's log, those that are as they were linked.

    Only the one who seals may call it. Raises ChainBroken, Halted.
    """
    folder = home / "inferences" / endpoint
    tidy(home, folder)
    found = []
    for group in groups(segments(home, endpoint)):
        look()
        if all(is_as_linked(folder, each.path.name) for each in group):
            found.append(merge(group, look))
    return found


def groups(found: list[Segment]) -> Iterator[list[Segment]]:
    """Runs of small files of one day that follow one another, in order, none larger together than a file may be."""
    group: list[Segment] = []
    rows = size = 0
    for each in found:
        its_rows, its_size = extent(each)
        is_other_day = bool(group) and made_at(group[0].id).date() != made_at(each.id).date()
        if is_other_day or rows + its_rows > LARGE_ROWS or size + its_size > LARGE_BYTES:
            if len(group) >= FEW:
                yield group
            group, rows, size = [], 0, 0
        if its_rows <= LARGE_ROWS // 2 and its_size <= LARGE_BYTES // 2:
            group.append(each)
            rows, size = rows + its_rows, size + its_size
    if len(group) >= FEW:
        yield group


def extent(segment: Segment) -> tuple[int, int]:
    """The rows and bytes of a file; of one that is not sealed, or damaged, more than any group may have."""
    if segment.kind not in ("sealed", "merged") or not is_readable(segment.path):
        return LARGE_ROWS + 1, 0
    return count(segment.path), segment.path.stat().st_size


def count(path: Path) -> int:
    """The rows of a sealed or merged file."""
    import pyarrow.parquet as pq

    rows: int = pq.read_metadata(path).num_rows
    return rows


def is_readable(path: Path) -> bool:
    """Whether a sealed file says what it holds; where it does not, that is told."""
    try:
        with reading(path):
            count(path)
    except Damaged as e:
        tell(e)
        return False
    return True


def merge(group: list[Segment], look: Look = go_on) -> Path:
    """One file out of several, in their order; they are removed once it has its name."""
    held = [(id_, count(each.path) if rows is None else rows) for each in group for id_, rows in each.members]
    merged = group[0].path.with_name(f"merged-{new_id()}.parquet")
    put(merged, (load_whole(each.path) for each in group), {MEMBERS.decode(): msgspec.json.encode(held).decode()}, look)
    for each in group:
        each.path.unlink(missing_ok=True)
    return merged


def tidy(home: Path, folder: Path) -> None:
    """Removes what a killed server left: half-made files, and those that a merged file stands for already."""
    for path in folder.glob("*.waiting"):
        path.unlink(missing_ok=True)
    kept = segments(home, folder.name)
    held = {id_ for each in kept for id_, _ in each.members}
    names = {each.path for each in kept}
    for path in folder.glob("*.parquet"):
        kind, _, rest = path.name.partition("-")
        ids = set(held_once(path)) if kind == "merged" else {rest.partition(".")[0]}
        # A merged file that cannot be read names no ids: it may hold what no other does.
        if path not in names and ids and ids <= held and all(ID.fullmatch(id_) for id_ in ids):
            path.unlink(missing_ok=True)
