"""A file of a log that cannot be read stands in the way of no other: it is left out, told, and never thrown away."""

from __future__ import annotations

import errno
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from taxiway.endpoints.inferences.ageing.chain import check
from taxiway.endpoints.inferences.ageing.sealing import put, seal_and_merge, seal_closed
from taxiway.endpoints.inferences.damage import Damaged, left_out, reading
from taxiway.endpoints.inferences.labelling import rows_made
from taxiway.endpoints.inferences.log import find, read, segments
from taxiway.endpoints.inferences.writing import InferenceLog
from taxiway.kernel.ids import new_id
from tests.endpoints.inferences.lines import MORTGAGE, START, line

HOURS_AGO = datetime.now(UTC) - timedelta(hours=3)


def id_of(at: datetime) -> str:
    return new_id(int(at.timestamp() * 1000))


def closed(home: Path, count: int, endpoint: str = MORTGAGE) -> list[str]:
    """So many closed segments of a record each, begun ten minutes after another some hours ago, with their ids."""
    folder = home / "inferences" / endpoint
    folder.mkdir(parents=True, exist_ok=True)
    ids = []
    for number in range(count):
        at = HOURS_AGO + timedelta(minutes=10 * number)
        ids.append(id_of(at))
        text = msgspec.json.Encoder().encode_lines([line(ids[-1])])
        (folder / f"closed-{id_of(at)}.jsonl").write_bytes(text)
    return ids


def ids_in(home: Path) -> list[str]:
    return sorted(read(home, MORTGAGE)["prediction_id"].to_pylist())


def test_records_are_found_by_their_ids_long_before_their_files_were_merged(tmp_path: Path) -> None:
    ids = closed(tmp_path, 5)

    assert seal_and_merge(tmp_path, START) == []

    assert [each.kind for each in segments(tmp_path, MORTGAGE)] == ["merged"]
    assert [find(tmp_path, id_)[0].prediction_id for id_ in ids] == ids
    wanted = {(id_, 0) for id_ in ids}
    assert rows_made(tmp_path, MORTGAGE, wanted) == wanted


def cut_off(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-40])


def flip(path: Path) -> None:
    """One bit of the values of `inputs`, which no footer would show."""
    data = bytearray(path.read_bytes())
    chunk = pq.read_metadata(path).row_group(0).column(4)
    data[chunk.data_page_offset + chunk.total_compressed_size - 3] ^= 16
    path.write_bytes(bytes(data))


def write_other(path: Path) -> None:
    pq.write_table(pa.table({"at": ["yesterday"]}), path)


@pytest.mark.parametrize("harm", [cut_off, flip, write_other])
def test_a_damaged_file_hides_no_other_and_is_told(tmp_path: Path, harm: object) -> None:
    ids = closed(tmp_path, 3)
    seal_and_merge(tmp_path, START)
    hurt = segments(tmp_path, MORTGAGE)[1].path
    harm(hurt)  # type: ignore[operator]
    others = closed(tmp_path, 2, "other")

    assert seal_and_merge(tmp_path, START) == []

    assert ids_in(tmp_path) == sorted([ids[0], ids[2]])
    assert [len(find(tmp_path, id_)) for id_ in (*ids, *others)] == [1, 0, 1, 1, 1]
    assert rows_made(tmp_path, MORTGAGE, {(id_, 0) for id_ in ids}) >= {(ids[0], 0), (ids[2], 0)}
    assert any(hurt.name in each for each in left_out(tmp_path, MORTGAGE))
    assert any(hurt.name in each for each in check(tmp_path, MORTGAGE))
    assert check(tmp_path, "other") == []


@pytest.mark.parametrize("name", ["merged", "sealed"])
def test_a_file_from_elsewhere_is_neither_read_nor_removed(tmp_path: Path, name: str) -> None:
    ids = closed(tmp_path, 2)
    seal_closed(tmp_path)
    foreign = tmp_path / "inferences" / MORTGAGE / f"{name}-{new_id()}.parquet"
    foreign.write_bytes(b"PAR1 and nothing else")

    assert seal_and_merge(tmp_path, START) == []

    assert ids_in(tmp_path) == sorted(ids)
    assert foreign.exists()
    assert check(tmp_path, MORTGAGE) == [f"{foreign.name} was put there by somebody else"]


def test_a_damaged_merged_file_is_kept_since_nothing_else_holds_its_records(tmp_path: Path) -> None:
    closed(tmp_path, 5)
    seal_and_merge(tmp_path, START)
    [merged] = (tmp_path / "inferences" / MORTGAGE).glob("merged-*")
    other = merged.with_name(f"merged-{new_id()}.parquet")
    other.write_bytes(merged.read_bytes()[:-200])
    merged.unlink()
    later = closed(tmp_path, 4)

    assert seal_and_merge(tmp_path, START) == []

    assert other.exists()
    assert ids_in(tmp_path) == sorted(later)


def test_a_full_disk_leaves_no_half_of_a_file_and_the_others_are_sealed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = closed(tmp_path, 1)
    closed(tmp_path, 1, "other")
    real = os.fsync

    def fsync(descriptor: int) -> None:
        if MORTGAGE in str(Path(f"/proc/self/fd/{descriptor}").readlink()):
            raise OSError(errno.ENOSPC, "No space left on device")
        real(descriptor)

    monkeypatch.setattr("os.fsync", fsync)
    [problem] = seal_and_merge(tmp_path, START)
    monkeypatch.undo()

    assert "No space left" in str(problem)
    assert [each.suffix for each in (tmp_path / "inferences" / MORTGAGE).iterdir()] == [".jsonl"]
    assert [each.kind for each in segments(tmp_path, "other")] == ["sealed"]
    assert seal_and_merge(tmp_path, START) == []
    assert ids_in(tmp_path) == ids


def test_what_passes_leaves_nothing_out(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="Too many"), reading(tmp_path):
        raise OSError(errno.EMFILE, "Too many open files")
    with pytest.raises(Damaged, match="Permission denied"), reading(tmp_path):
        raise PermissionError(errno.EACCES, "Permission denied")


def test_a_twin_that_was_not_finished_is_made_again(tmp_path: Path) -> None:
    ids = closed(tmp_path, 1)
    [segment] = segments(tmp_path, MORTGAGE)
    put(segment.path.with_name(f"sealed-{segment.id}.parquet"), [], {})
    cut_off(segment.path.with_name(f"sealed-{segment.id}.parquet"))

    assert seal_and_merge(tmp_path, START) == []

    assert ids_in(tmp_path) == ids


def test_a_clock_that_is_set_back_begins_another_segment_so_that_records_are_found(tmp_path: Path) -> None:
    log = InferenceLog(tmp_path)
    ahead = log.append(MORTGAGE, [line(new_id())])
    earlier = [id_of(datetime.now(UTC) - timedelta(minutes=minutes)) for minutes in (8, 60)]

    same = log.append(MORTGAGE, [line(earlier[0])])
    other = log.append(MORTGAGE, [line(earlier[1])])

    assert (same is ahead, other is ahead) == (True, False)
    log.finish()
