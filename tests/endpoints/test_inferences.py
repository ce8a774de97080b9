from __future__ import annotations

import os
import resource
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from msgspec import Raw

from taxiway.endpoints.inferences.ageing.sealing import seal, seal_closed
from taxiway.endpoints.inferences.log import find, read, read_lines, segments, unfold
from taxiway.endpoints.inferences.record import Inference, Line
from taxiway.endpoints.inferences.writing import InferenceLog
from taxiway.kernel.ids import new_id

START = datetime(2026, 5, 1, tzinfo=UTC)


def line(prediction_id: str, row: int = 0, *, minute: int = 0, event_day: int = 0) -> Line:
    return Line(
        prediction_id,
        row,
        START + timedelta(minutes=minute),
        START + timedelta(days=event_day),
        "mortgage",
        2,
        "mortgage@3",
        "sha256:" + "0" * 64,
        Raw(b'{"income":%d,"city":"Ulm"}' % (row + minute)),
        Raw(b'{"prediction":1,"score":0.25}'),
        1.5,
        "answered",
    )


@pytest.fixture
def log(tmp_path: Path) -> Iterator[InferenceLog]:
    log = InferenceLog(tmp_path)
    yield log
    log.finish()


@contextmanager
def files_of_at_most(size: int) -> Iterator[None]:
    """The kernel's own refusal to write more, as on a full disk: the last write is cut short, then fails."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)


def test_a_record_is_found_in_every_form_of_its_segment(tmp_path: Path, log: InferenceLog) -> None:
    wanted = new_id()
    log.append("mortgage", [line(wanted, row) for row in range(3)])
    log.append("mortgage", [line(new_id())])

    while_open = find(tmp_path, wanted)
    log.close("mortgage")
    while_closed = find(tmp_path, wanted)
    seal_closed(tmp_path)
    when_sealed = find(tmp_path, wanted)

    assert [one.row for one in while_open] == [0, 1, 2]
    assert isinstance(while_open[0], Inference)
    assert while_open[1].inputs == {"income": 1, "city": "Ulm"}
    assert while_open[1].outputs == {"prediction": 1, "score": 0.25}
    assert while_open == while_closed == when_sealed


def test_one_row_of_a_batch_has_an_id_of_its_own(tmp_path: Path, log: InferenceLog) -> None:
    wanted = new_id()
    log.append("mortgage", [line(wanted, row) for row in range(3)])

    assert [one.row for one in find(tmp_path, f"{wanted}/2")] == [2]
    assert find(tmp_path, f"{wanted}/7") == []
    assert find(tmp_path, new_id()) == []
    assert find(tmp_path, "../../etc/passwd") == []


def test_open_closed_and_sealed_segments_read_as_one_table(tmp_path: Path, log: InferenceLog) -> None:
    for minute in range(3):
        log.append("mortgage", [line(new_id(), minute=minute)])
        if minute < 2:
            log.close("mortgage")
        if minute == 0:
            seal_closed(tmp_path)

    table = read(tmp_path, "mortgage")

    assert [s.kind for s in segments(tmp_path, "mortgage")] == ["sealed", "closed", "open"]
    assert [at.minute for at in table["at"].to_pylist()] == [0, 1, 2]
    assert unfold(table["inputs"]).to_pydict() == {"income": [0, 1, 2], "city": ["Ulm"] * 3}


def test_a_window_takes_its_start_and_leaves_its_end(tmp_path: Path, log: InferenceLog) -> None:
    log.append("mortgage", [line(new_id(), minute=9 - day, event_day=day) for day in range(4)])

    by_event = read(tmp_path, "mortgage", START + timedelta(days=1), START + timedelta(days=3), by="event_at")
    by_arrival = read(tmp_path, "mortgage", until=START + timedelta(minutes=7))

    assert sorted(at.day for at in by_event["event_at"].to_pylist()) == [2, 3]
    assert [at.minute for at in by_arrival["at"].to_pylist()] == [6]


def test_half_a_line_of_a_killed_writer_is_dropped_and_counted(tmp_path: Path, log: InferenceLog) -> None:
    log.append("mortgage", [line(new_id()), line(new_id())])
    segment = log.open["mortgage"].path
    with segment.open("ab") as file:
        file.write(b'{"prediction_id":"01a2')

    os.close(log.open["mortgage"].descriptor)  # a process that is killed holds nothing any more
    InferenceLog(tmp_path)  # what a gateway does after one was killed
    (sealed,) = seal_closed(tmp_path)

    assert pq.read_metadata(sealed).num_rows == 2
    assert pq.read_schema(sealed).metadata[b"damaged_lines"] == b"1"
    assert read(tmp_path, "mortgage").num_rows == 2
    log.open.clear()


def test_sealing_again_changes_nothing(tmp_path: Path, log: InferenceLog) -> None:
    log.append("mortgage", [line(new_id())])
    log.close("mortgage")
    (closed,) = [s.path for s in segments(tmp_path, "mortgage")]
    text = closed.read_bytes()
    sealed = seal(closed)
    content = sealed.read_bytes()

    closed.write_bytes(text)  # as if the process had died before it removed the file
    assert read(tmp_path, "mortgage").num_rows == 1
    assert seal(closed) == sealed

    assert sealed.read_bytes() == content
    assert not closed.exists()
    assert seal(closed) == sealed


def test_a_request_that_does_not_fit_on_the_disk_leaves_no_trace(tmp_path: Path, log: InferenceLog) -> None:
    first = new_id()
    log.append("mortgage", [line(first)])
    size = log.open["mortgage"].size

    with files_of_at_most(size + 100), pytest.raises(OSError, match="File too large"):
        log.append("mortgage", [line(new_id())])
    log.append("mortgage", [line(new_id())])

    lines, damaged = read_lines(log.open["mortgage"].path)
    assert (len(lines), damaged) == (2, 0)
    assert lines[0].prediction_id == first


def test_segments_are_closed_by_size_and_by_age(tmp_path: Path) -> None:
    small = InferenceLog(tmp_path, segment_bytes=500, segment_age_s=3600)
    for _ in range(4):
        small.append("mortgage", [line(new_id())])
    small.rotate()
    by_size = [s.kind for s in segments(tmp_path, "mortgage")]
    small.segment_age_s = 0
    small.append("mortgage", [line(new_id())])
    small.rotate()
    small.sync(*small.unsynced())

    assert by_size == ["closed", "closed"]
    assert [s.kind for s in segments(tmp_path, "mortgage")] == ["closed"] * 3
    assert small.retired == []


def test_numbers_that_json_cannot_say_come_back_as_numbers() -> None:
    texts = pa.chunked_array([['{"x":"NaN","y":"NaN"}', '{"x":1.5}', None]])

    table = unfold(texts)

    assert str(table["x"].to_pylist()) == "[nan, 1.5, None]"
    assert table["y"].to_pylist() == ["NaN", None, None]
