"""Files of the spool: what is whole in them comes back, whatever was cut off."""

from __future__ import annotations

import errno
import resource
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from taxiway.kernel.ids import new_id
from taxiway.runs.sending.records import Head, Points, decode, encode, items_of
from taxiway.runs.sending.spool import Frame, Mark, SpoolDamaged, SpoolFile
from taxiway.runs.sending.stream import Place, Stream


def head(number: int = 0) -> Head:
    return Head(run="0" * 32, server="http://one", writer=new_id(), stream="s", number=number, pid=1)


def written(folder: Path, payloads: list[bytes]) -> Path:
    """A file with these records whose process has gone."""
    file = SpoolFile.create(folder, head())
    for payload in payloads:
        file.append(payload)
    file.close()
    return file.path


def read(path: Path) -> list[bytes]:
    file = SpoolFile.take(path)
    assert file is not None
    payloads = [frame.payload for frame in file.frames(10_000)]
    file.close()
    return payloads


@given(st.lists(st.binary(min_size=1, max_size=300_000), max_size=4), st.data())
def test_wherever_a_file_is_torn_the_records_before_come_back(
    tmp_path_factory: pytest.TempPathFactory, payloads: list[bytes], data: st.DataObject
) -> None:
    path = written(tmp_path_factory.mktemp("spool"), payloads)
    begins = path.stat().st_size - sum(len(payload) + 8 for payload in payloads)
    cut = data.draw(st.integers(begins, path.stat().st_size))

    with path.open("r+b") as file:
        file.truncate(cut)

    ends = [begins + sum(len(p) + 8 for p in payloads[: i + 1]) for i in range(len(payloads))]
    assert read(path) == [payload for payload, end in zip(payloads, ends, strict=True) if end <= cut]


def test_what_follows_a_damaged_record_is_not_taken_for_one(tmp_path: Path) -> None:
    path = written(tmp_path, [b"first", b"second", b"third"])
    whole = path.read_bytes()
    path.write_bytes(whole.replace(b"second", b"sEcond"))

    file = SpoolFile.take(path)

    assert file is not None
    assert [frame.payload for frame in file.frames(10)] == [b"first"]
    assert file.is_damaged
    file.close()


@pytest.mark.parametrize("damage", [b"", b"no spool at all" * 10, b"TWSPOOL1" + b"\0" * 200])
def test_a_file_that_is_none_of_ours_is_said_to_be_damaged(tmp_path: Path, damage: bytes) -> None:
    path = tmp_path / "x.0000.spool"
    path.write_bytes(damage)

    with pytest.raises(SpoolDamaged):
        SpoolFile.take(path)


def test_whoever_goes_on_begins_at_the_mark(tmp_path: Path) -> None:
    file = SpoolFile.create(tmp_path, head())
    file.append(b"one")
    file.append(b"two")
    first = next(file.frames(1))
    file.advance(Mark(first.end, 7, sending=first.end + 11))
    file.close()

    later = SpoolFile.take(file.path)

    assert later is not None
    assert later.mark == Mark(first.end, 7, first.end + 11)
    assert list(later.frames(10)) == [Frame(first.end + 11, b"two")]
    assert later.head == file.head
    later.close()


def test_nobody_takes_the_file_of_a_process_that_lives(tmp_path: Path) -> None:
    file = SpoolFile.create(tmp_path, head())

    assert SpoolFile.take(file.path) is None
    file.close()
    again = SpoolFile.take(file.path)
    assert again is not None
    again.close()


@pytest.fixture
def small_disk() -> Iterator[None]:
    """No file grows beyond 300 bytes, which fails as writing to a full disk does."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (300, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.usefixtures("small_disk")
def test_a_record_that_found_no_room_leaves_the_file_as_it_was(tmp_path: Path) -> None:
    file = SpoolFile.create(tmp_path, head())
    file.append(b"fits")

    with pytest.raises(OSError, match=r"File too large|no space") as refusal:
        file.append(b"x" * 400)

    assert refusal.value.errno in (errno.EFBIG, errno.ENOSPC)
    file.append(b"too")
    assert [frame.payload for frame in file.frames(10)] == [b"fits", b"too"]
    file.close()


def points(n: int) -> bytes:
    return encode(Points(1, [("loss", n, 0.5)]))


def drained(stream: Stream) -> list[int]:
    """The steps of all that waits, in the order in which it would be delivered."""
    steps = []
    while (source := stream.oldest()) is not None:
        for frame in list(source.frames(3)):
            record = decode(frame.payload)
            assert isinstance(record, Points)
            steps += [step for _, step, _ in record.rows]
            source.advance(Mark(frame.end, source.mark.items + items_of(record)))
            stream.note(1, 1)
    return steps


@pytest.mark.usefixtures("small_disk")
def test_what_finds_no_room_on_disk_waits_in_memory_and_in_order(tmp_path: Path) -> None:
    stream = Stream(Place(tmp_path, "http://one"), "0" * 32)
    for n in range(40):
        stream.put(points(n), 1)
    on_disk = len(list(stream.files[0].walk()))

    assert 0 < on_disk < 40
    assert (stream.waiting, stream.memory.items, stream.dropped) == (40, 40 - on_disk, 0)
    assert stream.trouble
    assert drained(stream) == list(range(40))
    stream.close()


def test_the_limit_holds_and_what_memory_cannot_take_is_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("taxiway.runs.sending.stream.MOST_IN_MEMORY", 10)
    stream = Stream(Place(tmp_path, "http://one", limit_bytes=1000), "0" * 32)

    for n in range(200):
        stream.put(points(n), 1)

    kept = stream.waiting
    assert stream.files[0].path.stat().st_size < 1300
    assert (stream.memory.items, stream.dropped) == (10, 200 - kept)
    assert drained(stream) == list(range(kept))
    stream.put(points(500), 1)
    assert (stream.memory.items, drained(stream)) == (0, [500])  # there is room on disk again
    stream.close()
    assert not stream.folder.exists()


def test_a_folder_that_cannot_be_written_costs_nothing_but_the_disk(tmp_path: Path) -> None:
    (tmp_path / "spool").write_text("a file in the way")

    stream = Stream(Place(tmp_path / "spool", "http://one"), "0" * 32)
    stream.put(points(1), 1)
    stream.keep_bytes(b"some bytes")

    assert (stream.waiting, stream.memory.items, len(stream.memory.held)) == (1, 1, 1)
    assert stream.trouble
    assert drained_first(stream) == [1]
    stream.close()


def drained_first(stream: Stream) -> list[int]:
    source = stream.oldest()
    assert source is not None
    record = decode(next(source.frames(1)).payload)
    assert isinstance(record, Points)
    return [step for _, step, _ in record.rows]


def test_files_are_begun_anew_and_taken_away_once_delivered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("taxiway.runs.sending.stream.FILE_BYTES", 1000)
    stream = Stream(Place(tmp_path, "http://one"), "0" * 32)
    for n in range(200):
        stream.put(points(n), 1)
    files = len(stream.files)
    writers = {file.writer for file in stream.files}

    assert files > 5
    assert len(writers) == files  # each counts for itself
    assert drained(stream) == list(range(200))
    assert len(list(stream.folder.iterdir())) == 1
    stream.close()
