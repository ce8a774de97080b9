"""What the server makes of closed segments: Parquet, and larger files out of many small ones.

Each step makes a whole file beside the old ones, brings it to the disk, gives it its name and only then removes what it
stands for. Whenever it is killed, readers find every record once, and the next round finishes the work.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from taxiway.endpoints.inferences.ageing.chain import ChainBroken, extend, is_as_linked
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


def seal(segment: Path) -> Path:
    """Turns a closed segment into Parquet beside it and removes it; doing so again changes nothing.

    Damaged lines are dropped and counted in the file's metadata under `damaged_lines`.
    """
    sealed = segment.with_name(segment.name.replace("closed-", "sealed-", 1)).with_suffix(".parquet")
    if not sealed.exists():
        lines, damaged = read_lines(segment)
        put(sealed, [to_table(lines)], {"damaged_lines": str(damaged)})
    segment.unlink(missing_ok=True)
    return sealed


def put(path: Path, tables: Iterable[pa.Table], said: dict[str, str]) -> None:
    """Writes tables as one Parquet file, which is there whole and on the disk, or not at all. said: its metadata."""
    import pyarrow.parquet as pq

    waiting = path.with_suffix(".waiting")
    with waiting.open("wb") as file:
        os.fchmod(file.fileno(), 0o600)
        with pq.ParquetWriter(file, schema().with_metadata(said), compression="zstd") as writer:
            for table in tables:
                writer.write_table(table.cast(schema()), row_group_size=ROW_GROUP)
        file.flush()
        os.fsync(file.fileno())
    waiting.rename(path)
    sync_folder(path.parent)


def seal_closed(home: Path) -> list[Path]:
    """Seals every closed segment of a home; the server calls this from time to time."""
    found = []
    for path in sorted((home / "inferences").glob("*/closed-*.jsonl")):
        id_ = path.stem.removeprefix("closed-")
        if any(id_ in held_once(each) for each in path.parent.glob("merged-*.parquet")):
            path.unlink(missing_ok=True)  # its sealed twin was merged before it could be removed
        else:
            found.append(seal(path))
    return found


def seal_and_merge(home: Path, at: datetime) -> list[ChainBroken]:
    """A round of the server: seals what was closed, merges what is small, and links every file; what was broken."""
    seal_closed(home)
    broken = []
    for folder in sorted((home / "inferences").glob("*")):
        try:
            extend(home, folder.name, at)
            if merge_small(home, folder.name):
                extend(home, folder.name, at)
        except ChainBroken as e:
            broken.append(ChainBroken(f"the log of {folder.name}: {e}"))
    return broken


def merge_small(home: Path, endpoint: str) -> list[Path]:
    """Joins the small files of each day in an endpoint's log, those that are as they were linked. Raises ChainBroken.

    Only the one who seals may call it.
    """
    folder = home / "inferences" / endpoint
    tidy(home, folder)
    found = groups(segments(home, endpoint))
    return [merge(group) for group in found if all(is_as_linked(folder, each.path.name) for each in group)]


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
    """The rows and bytes of a file; of one that is not sealed more than any group may have."""
    if segment.kind not in ("sealed", "merged"):
        return LARGE_ROWS + 1, 0
    return count(segment.path), segment.path.stat().st_size


def count(path: Path) -> int:
    """The rows of a sealed or merged file."""
    import pyarrow.parquet as pq

    rows: int = pq.read_metadata(path).num_rows
    return rows


def merge(group: list[Segment]) -> Path:
    """One file out of several, in their order; they are removed once it has its name."""
    held = [(id_, count(each.path) if rows is None else rows) for each in group for id_, rows in each.members]
    merged = group[0].path.with_name(f"merged-{new_id()}.parquet")
    put(merged, (load_whole(each.path) for each in group), {MEMBERS.decode(): msgspec.json.encode(held).decode()})
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
        if path not in names and ids <= held and all(ID.fullmatch(id_) for id_ in ids):
            path.unlink(missing_ok=True)
