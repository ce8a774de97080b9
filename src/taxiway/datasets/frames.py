"""The client's side of tables: frames and files as bytes to send, and tables as frames. Light until it is used."""

from __future__ import annotations

import hashlib
import io
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Literal, get_args

from msgspec import Struct

from taxiway.datasets.contract import ColumnsRepeated, FileFormat, FrameUnusable, TableEmpty
from taxiway.kernel.errors import BadField

if TYPE_CHECKING:
    import narwhals as nw

Backend = Literal["pandas", "polars", "pyarrow"]

MAGIC = b"PAR1"
PARQUET_ENDINGS = (".parquet", ".pq")
UNWRITABLE = (ValueError, TypeError, NotImplementedError, OverflowError)


class Source(Struct, frozen=True):
    """A table's bytes, ready to be sent. name: what a refusal calls it."""

    data: IO[bytes]
    size_bytes: int
    digest: str
    format: FileFormat
    name: str


@contextmanager
def opened(given: Any) -> Iterator[Source]:
    """The bytes of a file (a path), of bytes, or of a frame as Parquet. Raises FrameUnusable, TableEmpty and so on."""
    if isinstance(given, (str, Path)):
        path = Path(given)
        try:
            with path.open("rb") as file:
                yield source(file, path.name)
        except (FileNotFoundError, IsADirectoryError, PermissionError) as e:
            cause = f"The file {path} cannot be read ({e.strerror})"
            raise FrameUnusable(cause=cause, do="Give the path of a Parquet or CSV file.") from e
    elif isinstance(given, (bytes, bytearray, memoryview)):
        yield source(io.BytesIO(given), "the given bytes")
    else:
        yield source(io.BytesIO(to_parquet(given)), "the frame")


def source(file: io.BytesIO | io.BufferedReader, name: str) -> Source:
    """A file with its digest. It is Parquet if it begins as one or is called one, else CSV."""
    is_parquet = file.read(4) == MAGIC or Path(name).suffix.lower() in PARQUET_ENDINGS
    file.seek(0)
    digest = f"sha256:{hashlib.file_digest(file, 'sha256').hexdigest()}"
    size = file.seek(0, io.SEEK_END)
    file.seek(0)
    return Source(file, size, digest, "parquet" if is_parquet else "csv", name)


def to_parquet(native: Any) -> bytes:
    """A frame as Parquet, written by its own library. The frame's row labels are no part of the table."""
    import narwhals as nw
    from narwhals.exceptions import DuplicateError

    try:
        given = nw.from_native(native)
    except DuplicateError as e:
        repeated = [str(column) for column, count in Counter(native.columns).items() if count > 1]
        raise ColumnsRepeated(file="The frame", columns=repeated) from e
    except TypeError as e:
        cause = f"A {type(native).__name__} is no table"
        raise FrameUnusable(cause=cause, do="Give a pandas, polars or pyarrow frame, or the path of a file.") from e
    frame = given.collect() if isinstance(given, nw.LazyFrame) else given
    if not frame.columns or not len(frame):
        raise TableEmpty(file="The frame", lacks="rows" if frame.columns else "columns")
    return write(without_index(frame))


def write(frame: nw.DataFrame[Any]) -> bytes:
    target = io.BytesIO()
    library = frame.implementation.value
    try:
        frame.write_parquet(target)
    except ImportError as e:
        cause = f"Writing Parquet from {library} needs a package that is not installed ({e.name or e})"
        raise FrameUnusable(cause=cause, do="`pip install pyarrow` brings it.") from e
    except UNWRITABLE as e:
        words = (str(e).strip().splitlines() or [type(e).__name__])[0].rstrip(".")
        cause = f"The {library} frame cannot be written as Parquet: {words}"
        raise FrameUnusable(cause=cause, do="Give every column values of one type.") from e
    return target.getvalue()


def without_index(frame: nw.DataFrame[Any]) -> nw.DataFrame[Any]:
    """A pandas frame with its rows counted from 0. Raises FrameUnusable where the index has a name: it is data."""
    import narwhals as nw

    if not frame.implementation.is_pandas_like():
        return frame
    names = [name for name in frame.to_native().index.names if name is not None]
    if names:
        cause = f"The frame's index ({', '.join(map(str, names))}) would be lost: a dataset has columns only"
        raise FrameUnusable(cause=cause, do="Give `frame.reset_index()`, or `frame.reset_index(drop=True)`.")
    return nw.maybe_reset_index(frame)


def read_frame(file: Path, backend: Backend) -> Any:
    """The table in a Parquet file as a frame of the backend. Raises BadField, FrameUnusable."""
    import narwhals as nw

    if backend not in get_args(Backend):
        raise BadField(field="backend", value=repr(backend), expected=f"one of {', '.join(get_args(Backend))}")
    try:
        return nw.read_parquet(str(file), backend=backend).to_native()
    except ImportError as e:
        cause = f"Reading into {backend} needs a package that is not installed ({e.name or e})"
        raise FrameUnusable(cause=cause, do=f"`pip install {backend} pyarrow` brings it.") from e
