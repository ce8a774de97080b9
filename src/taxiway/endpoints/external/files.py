"""Files of records as the SDK reads them: JSON lines and Parquet, a part at a time, never more than memory holds."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from itertools import chain
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from taxiway.datasets.unfolding import Broken, pages_of
from taxiway.endpoints.external.captured.reading import form_of, shared_id
from taxiway.endpoints.external.contract import CaptureForm, FedRecord
from taxiway.endpoints.inferences.logs.client import needed
from taxiway.kernel.errors import BadField, TooLarge

BATCH = 1_000
LONGEST_LINE = 16 << 20  # as much as one request may hold
MOST_ROWS = 10_000_000
MOST_VALUES = 20_000_000  # of a column in a row group, those within lists among them
MOST_BYTES = 64 << 20  # of one page unpacked, and of a batch's repeated values
MOST_COLUMNS = 5_000  # those within structs counted one by one
DEEPEST = 20
MOST_WAITING = 200_000  # requests whose answers did not come yet


class Found(NamedTuple):
    """What one line or row holds, and where it stands."""

    place: str
    values: Mapping[str, Any]


def read(path: Path) -> Iterator[Found]:
    """What a file holds, a part at a time. Raises BadField, TooLarge, OSError."""
    return from_parquet(path) if path.suffix == ".parquet" else from_lines(path)


def from_lines(path: Path) -> Iterator[Found]:
    with path.open("rb") as file:
        number = 0
        while line := file.readline(LONGEST_LINE + 1):
            number += 1
            if len(line) > LONGEST_LINE:
                raise TooLarge(what=f"{path}, line {number}, in bytes", limit=LONGEST_LINE, found=len(line))
            if line.strip():
                try:
                    found = msgspec.json.decode(line, type=dict[str, Any])
                except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as e:
                    value = line[:40].decode(errors="replace")
                    raise BadField(field=f"{path}, line {number}", value=value, expected=f"a JSON object ({e})") from e
                yield Found(f"{path}, line {number}", found)


def from_parquet(path: Path) -> Iterator[Found]:
    """Rows of a table; `inputs` and `outputs` are structs, or JSON in texts; null is left out."""
    parquet = needed("pyarrow.parquet")
    try:
        file = parquet.ParquetFile(path)
        rows = refuse_bomb(file, path)
        number = 0
        for batch in file.iter_batches(batch_size=rows):
            for values in batch.to_pylist():
                yield Found(f"{path}, row {number}", from_row(values, f"{path}, row {number}"))
                number += 1
    except Broken as e:
        raise BadField(field=str(path), value="its pages", expected=f"a Parquet file ({e})") from e
    except (ValueError, OverflowError, OSError) as e:
        if isinstance(e, OSError) and e.errno:  # Arrow says of damaged bytes too that they cannot be read
            raise
        raise BadField(field=str(path), value="its bytes", expected=f"a Parquet file ({e})") from e


def refuse_bomb(file: Any, path: Path) -> int:
    """How many rows at once stay small in memory. Raises TooLarge, BadField, Broken: few bytes may unfold into many."""
    known, metadata = set(FedRecord.__struct_fields__), file.metadata
    for name in file.schema_arrow.names:
        if name not in known:
            raise BadField(field=f"{path}, a column", value=name[:80], expected=f"one of {', '.join(sorted(known))}")
    within(f"The number of columns of {path}", metadata.num_columns, MOST_COLUMNS)
    within(f"The number of rows of {path}", metadata.num_rows, MOST_ROWS)
    heaviest = 1
    for group in range(metadata.num_row_groups):
        for at in range(metadata.num_columns):
            chunk = metadata.row_group(group).column(at)
            name = chunk.path_in_schema
            within(f"How deep {name[:80]} of {path} is nested", name.count(".") + 1, DEEPEST)
            pages = pages_of(path, chunk)
            within(f"The values of {name[:80]} in a row group of {path}", pages.values, MOST_VALUES)
            within(f"The bytes of {name[:80]} in a row group of {path}, unpacked,", pages.size, MOST_BYTES * 4)
            within(f"The repeated values of {name[:80]} of {path} in bytes", pages.dictionary, MOST_BYTES)
            heaviest = max(heaviest, pages.dictionary)
    return max(1, min(BATCH, MOST_BYTES // heaviest))


def within(what: str, found: int, limit: int) -> None:
    if found > limit:
        raise TooLarge(what=what, limit=limit, found=found)


def from_row(values: Mapping[str, Any], place: str) -> Mapping[str, Any]:
    """Raises BadField."""
    found = {name: value for name, value in values.items() if value is not None}
    for name in ("inputs", "outputs"):
        if isinstance(found.get(name), str):
            try:
                found[name] = msgspec.json.decode(found[name])
            except (msgspec.DecodeError, RecursionError) as e:
                raise BadField(field=f"{place}, {name}", value=found[name][:40], expected=f"JSON ({e})") from e
    for name in ("at", "event_at"):
        if isinstance(found.get(name), datetime) and found[name].tzinfo is None:
            expected = "times with their zone, such as UTC"
            raise BadField(field=f"{place}, {name}", value=str(found[name]), expected=expected)
        if isinstance(found.get(name), datetime):
            found[name] = found[name].astimezone(UTC)
    return found


def detected(found: Iterator[Found]) -> tuple[CaptureForm | None, Iterator[Found]]:
    """Whose form the first line has, and everything with that line among it."""
    first = next(found, None)
    return (None, iter(())) if first is None else (form_of(first.values), chain([first], found))


def paired(found: Iterable[Found]) -> Iterator[list[Found]]:
    """Events of requests beside those of their answers, whichever came first; at last those that stayed alone.

    Raises TooLarge.
    """
    waiting: dict[str, Found] = {}
    for each in found:
        id_ = shared_id(each.values)
        if other := waiting.pop(id_, None):
            yield [other, each]
        else:
            waiting[id_] = each
            within("The number of events whose other half was not found yet", len(waiting), MOST_WAITING)
    yield from ([each] for each in waiting.values())
