"""The inference log: every answered row has its record, written before the answer goes out.

The gateway appends JSON lines to ``HOME/inferences/ENDPOINT/open-ID.jsonl``; see `writing` for what a power cut may
take. Full or old segments become ``closed-ID.jsonl``; the server seals those into ``sealed-ID.parquet`` and joins many
small ones of a day to ``merged-ID.parquet``. Readers see all of them as one table, each row once. A file that cannot
be read is left out and told, see `damage`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TypeVar

import msgspec

from taxiway.endpoints.inferences.damage import Damaged, reading, said, tell
from taxiway.endpoints.inferences.record import Inference, Line, read_line, schema, to_inference, to_table
from taxiway.kernel.ids import ID, is_name, made_at

if TYPE_CHECKING:
    import pyarrow as pa

# A record is written at most this long after its prediction id was made; `find` skips segments begun later.
LONGEST_REQUEST = timedelta(minutes=10)
MEMBERS = b"members"  # what a merged file says of the segments it holds: their ids and rows, in its order

T = TypeVar("T")

Kind = Literal["open", "closed", "sealed", "merged"]
EventOrArrival = Literal["event_at", "at"]
SUFFIXES: dict[str, Kind] = {"open": "open", "closed": "closed", "sealed": "sealed", "merged": "merged"}


class Segment(NamedTuple):
    """A file of the log. id: of a merged one that of its earliest member, since readers look for records by it."""

    kind: Kind
    id: str
    path: Path

    @property
    def members(self) -> tuple[tuple[str, int | None], ...]:
        """The segments that the file holds, in its order, with their rows. Raises FileNotFoundError."""
        return members(self.path) if self.kind == "merged" else ((self.id, None),)


@lru_cache(maxsize=4096)
def members(merged: Path) -> tuple[tuple[str, int], ...]:
    """What a merged file holds; its name is never given to another content. Raises FileNotFoundError, Damaged."""
    import pyarrow.parquet as pq

    with reading(merged):
        said = (pq.read_schema(merged).metadata or {})[MEMBERS]
        found = msgspec.json.decode(said, type=list[tuple[str, int]])
        if not found or not all(ID.fullmatch(id_) for id_, _ in found):
            raise ValueError("it does not say what it holds")
    return tuple((id_, rows) for id_, rows in found)


def segments(home: Path, endpoint: str) -> list[Segment]:
    """The files of an endpoint's log, oldest first, each segment once.

    A closed one whose sealed twin is there is left out, and so are those that a merged file holds.
    """
    while True:
        try:
            return listed(home / "inferences" / endpoint) if is_name(endpoint) else []
        except FileNotFoundError:  # a merged file that was merged once more in between
            continue


def listed(folder: Path) -> list[Segment]:
    try:
        paths = list(folder.iterdir())
    except (FileNotFoundError, NotADirectoryError):
        return []
    except PermissionError as e:
        tell(Damaged(folder, said(e)))
        return []
    single: dict[str, Segment] = {}
    merged: list[Segment] = []
    for path in paths:
        kind, _, rest = path.name.partition("-")
        id_, _, suffix = rest.partition(".")
        if not ID.fullmatch(id_) or suffix not in ("jsonl", "parquet") or kind not in SUFFIXES:
            continue
        found = Segment(SUFFIXES[kind], id_, path)
        if kind == "merged":
            try:
                merged.append(found._replace(id=min(member for member, _ in found.members)))
            except Damaged as e:
                tell(e)
        elif kind == "sealed" or id_ not in single:
            single[id_] = found
    kept = whole(merged)
    held = {id_ for each in kept for id_, _ in each.members}
    found_all = [*(each for id_, each in single.items() if id_ not in held), *kept]
    return sorted(found_all, key=lambda each: each.members[0][0])


def whole(merged: list[Segment]) -> list[Segment]:
    """Merged files without those that a larger one of them holds: its maker died before it removed them."""
    by_size = sorted(merged, key=lambda each: len(each.members), reverse=True)
    kept: list[Segment] = []
    held: set[str] = set()
    for each in by_size:
        ids = {id_ for id_, _ in each.members}
        if not ids & held:
            kept.append(each)
            held |= ids
    return kept


def read_lines(path: Path, look: Callable[[], None] = lambda: None) -> tuple[list[Line], int]:
    """The records of an open or closed segment, and how many lines are damaged. look: called at each, may raise."""
    lines: list[Line] = []
    damaged = 0
    for text in path.read_bytes().split(b"\n"):
        look()
        if not text:
            continue
        try:
            lines += read_line(text)
        except (msgspec.DecodeError, ValueError):
            damaged += 1
    return lines, damaged


def read(
    home: Path,
    endpoint: str,
    since: datetime | None = None,
    until: datetime | None = None,
    by: EventOrArrival = "at",
) -> pa.Table:
    """The records of an endpoint with since <= `by` < until, in order of arrival, those of shadows included.

    Columns as in Inference; `inputs` and `outputs` hold JSON texts, which `unfold` turns into columns.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    table = pa.concat_tables([schema().empty_table(), *walk(home, endpoint, load_whole)])
    for bound, keeps in ((since, pc.greater_equal), (until, pc.less)):
        if bound is not None:
            table = table.filter(keeps(table[by], pa.scalar(bound, pa.timestamp("us", "UTC"))))
    return table.sort_by([("at", "ascending"), ("prediction_id", "ascending"), ("row", "ascending")])


def load_whole(path: Path) -> pa.Table:
    """All columns of a segment's file."""
    return load_sealed(path) if path.suffix == ".parquet" else to_table(read_lines(path)[0])


def load_sealed(path: Path, columns: list[str] | None = None, filters: list[tuple[str, str, Any]] | None = None) -> Any:
    """A table of a sealed file; every page is checked to be as it was written."""
    import pyarrow.parquet as pq

    return pq.read_table(path, schema=schema(), columns=columns, filters=filters, page_checksum_verification=True)


def walk(
    home: Path, endpoint: str, load: Callable[[Path], pa.Table], *, is_newest_first: bool = False
) -> Iterator[pa.Table]:
    """What `load` makes of each segment's file, each record in just one of the tables.

    load: gives all rows of a file, in its order, in whichever columns. Files are sealed, merged and removed while we
    read: where one is gone, what it held is looked for again, and only what was not read yet is given. One that cannot
    be read is left out.
    """
    seen: set[str] = set()
    for segment in in_order(home, endpoint, is_newest_first):
        yield from unread(segment, load, seen, is_newest_first=is_newest_first)


def in_order(home: Path, endpoint: str, is_newest_first: bool) -> list[Segment]:
    found = segments(home, endpoint)
    return found[::-1] if is_newest_first else found


def unread(
    segment: Segment, load: Callable[[Path], pa.Table], seen: set[str], *, is_newest_first: bool
) -> Iterator[pa.Table]:
    """The tables of those members of a segment that were not seen yet, wherever they are by now."""
    try:
        held = segment.members
        if all(id_ in seen for id_, _ in held):
            return
        with reading(segment.path):
            table = load(segment.path)
    except Damaged as e:
        tell(e)
        return
    except FileNotFoundError:
        wanted = {segment.id} if segment.kind != "merged" else set(held_once(segment.path))
        folder = segment.path.parent
        for moved in in_order(folder.parent.parent, folder.name, is_newest_first):
            # What is gone and in no other file was removed, since it was older than it may become.
            if moved.path != segment.path and wanted & {id_ for id_, _ in moved.members} - seen:
                yield from unread(moved, load, seen, is_newest_first=is_newest_first)
        return
    fresh = [(id_, first, rows) for id_, first, rows in spans(held) if id_ not in seen]
    seen.update(id_ for id_, _ in held)
    if len(fresh) == len(held):
        yield table
    else:
        yield from (table.slice(first, rows) for _, first, rows in (fresh[::-1] if is_newest_first else fresh))


def held_once(merged: Path) -> list[str]:
    """The members of a merged file that is gone, as far as they are remembered; none of a damaged one."""
    try:
        return [id_ for id_, _ in members(merged)]
    except (FileNotFoundError, Damaged):
        return []


def spans(held: tuple[tuple[str, int | None], ...]) -> list[tuple[str, int, int | None]]:
    """Each member of a file with its first row and how many there are."""
    first, found = 0, []
    for id_, rows in held:
        found.append((id_, first, rows))
        first += rows or 0
    return found


def wherever(segment: Segment, load: Callable[[Path], T], missing: T) -> T:
    """What `load` makes of a segment's file, or of the one that holds it by now; `missing` where it was removed, or
    cannot be read.

    Of a merged file that is everything, so this is for who may meet a record twice.
    """
    try:
        with reading(segment.path):
            return load(segment.path)
    except Damaged as e:
        tell(e)
        return missing
    except FileNotFoundError:
        folder = segment.path.parent
        ids = {segment.id, *held_once(segment.path)}
        for moved in segments(folder.parent.parent, folder.name):
            if moved.path != segment.path and ids & {id_ for id_, _ in moved.members}:
                return wherever(moved, load, missing)
        return missing


def find(home: Path, prediction_id: str) -> list[Inference]:
    """The records of a request, or of one row where the id ends in /ROW; empty where there are none.

    Those of shadows, which answered nobody, are left out.
    """
    request, _, row = prediction_id.partition("/")
    folder = home / "inferences"
    if not ID.fullmatch(request) or not folder.is_dir():
        return []
    latest = made_at(request) + LONGEST_REQUEST
    for endpoint in sorted(path.name for path in folder.iterdir()):
        for segment in reversed([s for s in segments(home, endpoint) if made_at(s.id) <= latest]):
            found = wherever(segment, lambda path: of_request(path, request), list[Inference]())
            if found:
                return [one for one in found if row in ("", str(one.row))]
    return []


def of_request(path: Path, prediction_id: str) -> list[Inference]:
    """The records of a request in one segment's file, without those of shadows."""
    if path.suffix == ".parquet":
        table = load_sealed(path, filters=[("prediction_id", "=", prediction_id)])
        found = [to_inference(record) for record in table.to_pylist()]
    else:
        wanted = prediction_id.encode()
        with path.open("rb") as file:
            texts = [text for text in file if wanted in text and text.endswith(b"\n")]
        whole = [msgspec.json.encode(line) for text in texts for line in read_line(text)]
        found = [msgspec.json.decode(text, type=Inference) for text in whole]
    # The id may also stand in another request's inputs, hence the second look.
    return [one for one in found if one.prediction_id == prediction_id and not one.shadow]


def unfold(texts: pa.ChunkedArray) -> pa.Table:
    """The objects in a column of JSON texts, one column per field; a field that a row lacks is null there.

    The strings NaN, Infinity and -Infinity are numbers where the rest of the column is numbers.
    """
    import pyarrow as pa

    rows = [{} if text is None else msgspec.json.decode(text) for text in texts.to_pylist()]
    names = dict.fromkeys(name for row in rows for name in row)
    columns = {}
    for name in names:
        values = [row.get(name) for row in rows]
        if any(isinstance(v, int | float) and not isinstance(v, bool) for v in values):
            values = [float(v) if v in ("NaN", "Infinity", "-Infinity") else v for v in values]
        columns[name] = pa.array(values)
    return pa.table(columns)
