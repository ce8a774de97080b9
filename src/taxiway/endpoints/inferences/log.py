"""The inference log: every answered row has its record, written before the answer goes out.

The gateway appends JSON lines to ``HOME/inferences/ENDPOINT/open-ID.jsonl`` with one write per request, so a
killed gateway loses no record of an answer it gave. fsync runs at most five times a second beside requests;
a power cut may take the last 0.2 s of records (and those of an fsync under way), and nothing older. Full or
old segments become ``closed-ID.jsonl``; the server seals those into ``sealed-ID.parquet``. Readers see all
three as one table.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TypeVar

import msgspec
from msgspec import Raw, Struct

from taxiway.kernel.ids import ID, is_name, made_at, new_id

if TYPE_CHECKING:
    import pyarrow as pa

SEGMENT_BYTES = 32 << 20
SEGMENT_AGE_S = 600.0
# A record is written at most this long after its prediction id was made; `find` skips segments begun later.
LONGEST_REQUEST = timedelta(minutes=10)

T = TypeVar("T")

Kind = Literal["open", "closed", "sealed"]
EventOrArrival = Literal["event_at", "at"]


class Line(Struct, frozen=True, gc=False):
    """One row's record as it is written: inputs and outputs stay the JSON text that travelled."""

    prediction_id: str  # of the request; a row's own id is PREDICTION_ID/ROW
    row: int
    at: datetime
    event_at: datetime  # when it happened in the world: `at`, unless the caller said otherwise
    endpoint: str
    revision: int
    model: str  # mortgage@3
    bundle_digest: str
    inputs: Raw
    outputs: Raw  # the JSON text null where there is no answer
    latency_ms: float
    status: Literal["answered", "failed"]
    error: str | None = None


class Inference(Struct, frozen=True):
    """One row's record as it is read."""

    prediction_id: str
    row: int
    at: datetime
    event_at: datetime
    endpoint: str
    revision: int
    model: str
    bundle_digest: str
    inputs: dict[str, Any]
    outputs: dict[str, Any] | None
    latency_ms: float
    status: Literal["answered", "failed"]
    error: str | None = None


class Segment(NamedTuple):
    """A file of the log."""

    kind: Kind
    id: str
    path: Path


class OpenSegment:
    """The file that an endpoint's records go to now."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.id = new_id()
        self.path = folder / f"open-{self.id}.jsonl"
        self.descriptor = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o600)
        self.size = 0
        self.began = time.monotonic()
        self.is_dirty = False

    def append(self, data: bytes) -> None:
        """All of the data or nothing of it. Raises OSError, such as on a full disk."""
        try:
            written = os.write(self.descriptor, data)
            if written < len(data):
                written += os.write(self.descriptor, data[written:])
        except OSError:
            os.ftruncate(self.descriptor, self.size)
            raise
        if written < len(data):
            os.ftruncate(self.descriptor, self.size)
            raise OSError(28, "No space left on device")
        self.size += written
        self.is_dirty = True


class InferenceLog:
    """Appends records, one open segment per endpoint. Only `sync` may run in another thread."""

    def __init__(self, home: Path, segment_bytes: int = SEGMENT_BYTES, segment_age_s: float = SEGMENT_AGE_S) -> None:
        self.folder = home / "inferences"
        self.segment_bytes = segment_bytes
        self.segment_age_s = segment_age_s
        self.encoder = msgspec.json.Encoder()
        self.open: dict[str, OpenSegment] = {}
        self.retired: list[OpenSegment] = []
        self.failed_syncs = 0
        close_left_open(home)

    def append(self, endpoint: str, lines: list[Line]) -> None:
        """Writes the records of one request at once. Raises OSError; then nothing of them is in the log."""
        segment = self.open.get(endpoint)
        if segment is None:
            segment = self.open[endpoint] = OpenSegment(self.folder / endpoint)
        segment.append(self.encoder.encode_lines(lines))
        if segment.size >= self.segment_bytes:
            self.close(endpoint)

    def rotate(self) -> None:
        """Closes the segments that are old enough, so that they can be sealed."""
        for endpoint, segment in list(self.open.items()):
            if time.monotonic() - segment.began >= self.segment_age_s:
                self.close(endpoint)

    def close(self, endpoint: str) -> None:
        """Ends an endpoint's open segment; the next record begins another."""
        segment = self.open.pop(endpoint)
        segment.path.rename(segment.path.with_name(f"closed-{segment.id}.jsonl"))
        self.retired.append(segment)

    def unsynced(self) -> tuple[list[OpenSegment], list[OpenSegment]]:
        """What `sync` should bring to the disk now: segments with new records, and those among them that are closed."""
        retired, self.retired = self.retired, []
        written = [s for s in (*self.open.values(), *retired) if s.is_dirty]
        for segment in written:
            segment.is_dirty = False
        return written, retired

    def sync(self, written: list[OpenSegment], retired: list[OpenSegment]) -> None:
        """Waits until the disk has it all. Another thread may do so while this one appends."""
        for segment in written:
            try:
                os.fdatasync(segment.descriptor)
            except OSError:
                # The kernel drops what it could not write: a second try would report a false success.
                self.failed_syncs += 1
        for segment in retired:
            os.close(segment.descriptor)

    def finish(self) -> None:
        """Closes and syncs everything."""
        for endpoint in list(self.open):
            self.close(endpoint)
        self.sync(*self.unsynced())


def close_left_open(home: Path) -> None:
    """Turns the open segments of a gateway that is gone into closed ones. Only a home's one gateway may."""
    for path in (home / "inferences").glob("*/open-*.jsonl"):
        path.rename(path.with_name(path.name.replace("open-", "closed-", 1)))


def segments(home: Path, endpoint: str) -> list[Segment]:
    """The files of an endpoint's log, oldest first, without closed segments whose sealed twin is there."""
    folder = home / "inferences" / endpoint
    if not is_name(endpoint) or not folder.is_dir():
        return []
    found: dict[str, Segment] = {}
    for path in folder.iterdir():
        kind, _, rest = path.name.partition("-")
        id_, _, suffix = rest.partition(".")
        if not ID.fullmatch(id_) or suffix not in ("jsonl", "parquet"):
            continue
        if kind == "sealed":
            found[id_] = Segment("sealed", id_, path)
        elif kind in ("open", "closed") and id_ not in found:
            found[id_] = Segment("open" if kind == "open" else "closed", id_, path)
    return [found[id_] for id_ in sorted(found)]


def read_lines(path: Path) -> tuple[list[Line], int]:
    """The records of an open or closed segment, and how many lines are damaged."""
    decoder = msgspec.json.Decoder(Line)
    lines: list[Line] = []
    damaged = 0
    for text in path.read_bytes().split(b"\n"):
        if not text:
            continue
        try:
            lines.append(decoder.decode(text))
        except (msgspec.DecodeError, UnicodeDecodeError):
            damaged += 1
    return lines, damaged


def seal(segment: Path) -> Path:
    """Turns a closed segment into Parquet beside it and removes it; doing so again changes nothing.

    Damaged lines are dropped and counted in the file's metadata under `damaged_lines`.
    """
    import pyarrow.parquet as pq

    sealed = segment.with_name(segment.name.replace("closed-", "sealed-", 1)).with_suffix(".parquet")
    if not sealed.exists():
        lines, damaged = read_lines(segment)
        table = to_table(lines).replace_schema_metadata({"damaged_lines": str(damaged)})
        waiting = sealed.with_suffix(".waiting")
        with waiting.open("wb") as file:
            os.fchmod(file.fileno(), 0o600)
            pq.write_table(table, file, compression="zstd", row_group_size=16_384)
            file.flush()
            os.fsync(file.fileno())
        waiting.rename(sealed)
        descriptor = os.open(sealed.parent, os.O_RDONLY)
        os.fsync(descriptor)
        os.close(descriptor)
    segment.unlink(missing_ok=True)
    return sealed


def seal_closed(home: Path) -> list[Path]:
    """Seals every closed segment of a home; the server calls this from time to time."""
    closed = sorted((home / "inferences").glob("*/closed-*.jsonl"))
    return [seal(path) for path in closed]


def read(
    home: Path,
    endpoint: str,
    since: datetime | None = None,
    until: datetime | None = None,
    by: EventOrArrival = "at",
) -> pa.Table:
    """The records of an endpoint with since <= `by` < until, in order of arrival.

    Columns as in Inference; `inputs` and `outputs` hold JSON texts, which `unfold` turns into columns.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    table = pa.concat_tables([schema().empty_table(), *tables(home, endpoint)])
    for bound, keeps in ((since, pc.greater_equal), (until, pc.less)):
        if bound is not None:
            table = table.filter(keeps(table[by], pa.scalar(bound, pa.timestamp("us", "UTC"))))
    return table.sort_by([("at", "ascending"), ("prediction_id", "ascending"), ("row", "ascending")])


def tables(home: Path, endpoint: str) -> Iterator[pa.Table]:
    """Each segment as a table."""
    import pyarrow.parquet as pq

    def load(path: Path) -> pa.Table:
        return pq.read_table(path, schema=schema()) if path.suffix == ".parquet" else to_table(read_lines(path)[0])

    for segment in segments(home, endpoint):
        yield wherever(segment, load)


def wherever(segment: Segment, load: Callable[[Path], T]) -> T:
    """What `load` makes of a segment's file, which may be closed or sealed while we come to it."""
    try:
        return load(segment.path)
    except FileNotFoundError:
        folder = segment.path.parent
        moved = [s for s in segments(folder.parent.parent, folder.name) if s.id == segment.id]
        if not moved or moved[0].path == segment.path:
            raise
        return wherever(moved[0], load)


def find(home: Path, prediction_id: str) -> list[Inference]:
    """The records of a request, or of one row where the id ends in /ROW; empty where there are none."""
    request, _, row = prediction_id.partition("/")
    folder = home / "inferences"
    if not ID.fullmatch(request) or not folder.is_dir():
        return []
    latest = made_at(request) + LONGEST_REQUEST
    for endpoint in sorted(path.name for path in folder.iterdir()):
        for segment in reversed([s for s in segments(home, endpoint) if made_at(s.id) <= latest]):
            found = wherever(segment, lambda path: of_request(path, request))
            if found:
                return [one for one in found if row in ("", str(one.row))]
    return []


def of_request(path: Path, prediction_id: str) -> list[Inference]:
    """The records of a request in one segment's file."""
    import pyarrow.parquet as pq

    if path.suffix == ".parquet":
        table = pq.read_table(path, schema=schema(), filters=[("prediction_id", "=", prediction_id)])
        return [to_inference(record) for record in table.to_pylist()]
    wanted = prediction_id.encode()
    with path.open("rb") as file:
        texts = [text for text in file if wanted in text and text.endswith(b"\n")]
    # The id may also stand in another request's inputs, hence the second look.
    found = [msgspec.json.decode(text, type=Inference) for text in texts]
    return [one for one in found if one.prediction_id == prediction_id]


def to_inference(record: dict[str, Any]) -> Inference:
    """A record out of a table's row."""
    outputs = record["outputs"]
    return Inference(
        **{
            **record,
            "inputs": msgspec.json.decode(record["inputs"]),
            "outputs": None if outputs is None else msgspec.json.decode(outputs),
        }
    )


def schema() -> pa.Schema:
    """The columns of the log."""
    import pyarrow as pa

    when = pa.timestamp("us", "UTC")
    texts = (
        "endpoint",
        "revision",
        "model",
        "bundle_digest",
        "inputs",
        "outputs",
        "latency_ms",
        "status",
        "error",
    )
    kinds = {"revision": pa.int32(), "latency_ms": pa.float64()}
    first = [("prediction_id", pa.string()), ("row", pa.int32()), ("at", when), ("event_at", when)]
    return pa.schema([*first, *((name, kinds.get(name, pa.string())) for name in texts)])


def to_table(lines: list[Line]) -> pa.Table:
    """Records as a table."""
    import pyarrow as pa

    columns: dict[str, list[Any]] = {f: [getattr(x, f) for x in lines] for f in Line.__struct_fields__}
    for name in ("inputs", "outputs"):
        texts = [bytes(raw).decode() for raw in columns[name]]
        columns[name] = [None if text == "null" else text for text in texts]
    return pa.table(columns, schema=schema())


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
