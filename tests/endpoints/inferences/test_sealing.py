"""Small sealed files become large ones: whatever is killed, and whoever reads meanwhile, each record is there once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from taxiway.endpoints.inferences.ageing import sealing
from taxiway.endpoints.inferences.ageing.chain import check, extend
from taxiway.endpoints.inferences.ageing.sealing import Halted, alone, seal_and_merge, seal_closed
from taxiway.endpoints.inferences.ageing.sealing import merge_small as merge_linked
from taxiway.endpoints.inferences.log import find, load_whole, read, segments, walk
from taxiway.endpoints.inferences.writing import InferenceLog
from taxiway.kernel.ids import new_id
from tests.endpoints.inferences.lines import MORTGAGE, START, line


class Killed(BaseException):
    """Stands for kill -9: no handler of ours may take it."""


@pytest.fixture
def log(tmp_path: Path) -> Iterator[InferenceLog]:
    log = InferenceLog(tmp_path)
    yield log
    log.finish()


def merge_small(home: Path) -> list[Path]:
    """Merges what was sealed, as a round of the server does."""
    extend(home, MORTGAGE, START)
    return merge_linked(home, MORTGAGE)


def closed(log: InferenceLog, count: int, rows: int = 2) -> list[str]:
    """So many closed segments, with the ids of their predictions."""
    ids = []
    for _ in range(count):
        for _ in range(rows):
            ids.append(new_id())
            log.append(MORTGAGE, [line(ids[-1])])
        log.close(MORTGAGE)
    return ids


def ids_in(home: Path) -> list[str]:
    found: list[str] = read(home, MORTGAGE)["prediction_id"].to_pylist()
    return sorted(found)


def test_many_small_files_become_one(tmp_path: Path, log: InferenceLog) -> None:
    ids = closed(log, 6)
    seal_closed(tmp_path)

    (merged,) = merge_small(tmp_path)

    assert [s.kind for s in segments(tmp_path, MORTGAGE)] == ["merged"]
    assert {p.name for p in merged.parent.iterdir()} == {merged.name, "chain.jsonl"}
    assert ids_in(tmp_path) == sorted(ids)
    assert find(tmp_path, ids[3])[0].inputs == {"income": 0, "city": "Ulm"}
    assert merge_small(tmp_path) == []


def test_what_was_merged_is_merged_again_with_what_came_later(tmp_path: Path, log: InferenceLog) -> None:
    ids = closed(log, 4)
    seal_closed(tmp_path)
    merge_small(tmp_path)
    ids += closed(log, 3)
    seal_closed(tmp_path)

    merge_small(tmp_path)

    assert [s.kind for s in segments(tmp_path, MORTGAGE)] == ["merged"]
    assert len(segments(tmp_path, MORTGAGE)[0].members) == 7
    assert ids_in(tmp_path) == sorted(ids)


def test_few_files_and_large_ones_are_left_alone(
    tmp_path: Path, log: InferenceLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sealing, "LARGE_ROWS", 10)
    closed(log, 3)
    closed(log, 1, rows=6)
    closed(log, 3)
    seal_closed(tmp_path)

    assert merge_small(tmp_path) == []


@pytest.mark.parametrize("step", range(12))
def test_wherever_merging_is_killed_each_record_is_there_once(
    tmp_path: Path, log: InferenceLog, monkeypatch: pytest.MonkeyPatch, step: int
) -> None:
    ids = closed(log, 5)
    seal_closed(tmp_path)
    steps = iter(range(step))

    def dying(act: str) -> None:
        real = getattr(Path, act)

        def once(self: Path, *given: object, **more: object) -> object:
            if next(steps, None) is None:
                raise Killed
            return real(self, *given, **more)

        monkeypatch.setattr(Path, act, once)

    extend(tmp_path, MORTGAGE, START)
    for act in ("unlink", "rename"):
        dying(act)
    with suppress(Killed):
        merge_small(tmp_path)
    monkeypatch.undo()
    halfway = ids_in(tmp_path)
    assert seal_and_merge(tmp_path, START) == []

    assert halfway == sorted(ids) == ids_in(tmp_path)
    assert [s.kind for s in segments(tmp_path, MORTGAGE)] == ["merged"]
    assert len(list((tmp_path / "inferences" / MORTGAGE).glob("*.parquet"))) == 1
    assert check(tmp_path, MORTGAGE) == []


@pytest.mark.parametrize("step", range(0, 60, 4))
def test_wherever_a_stop_breaks_sealing_off_nothing_is_half_made(tmp_path: Path, log: InferenceLog, step: int) -> None:
    ids = closed(log, 5)
    steps = iter(range(step))

    def look() -> None:
        if next(steps, None) is None:
            raise Halted

    with suppress(Halted):
        seal_and_merge(tmp_path, START, look)
    halfway = ids_in(tmp_path)
    waiting = list((tmp_path / "inferences" / MORTGAGE).glob("*.waiting"))
    assert seal_and_merge(tmp_path, START) == []

    assert waiting == []
    assert halfway == sorted(ids) == ids_in(tmp_path)
    assert [s.kind for s in segments(tmp_path, MORTGAGE)] == ["merged"]
    assert check(tmp_path, MORTGAGE) == []


def test_a_closed_segment_left_behind_is_not_counted_twice(tmp_path: Path, log: InferenceLog) -> None:
    ids = closed(log, 5)
    (first, *_) = [s.path for s in segments(tmp_path, MORTGAGE)]
    text = first.read_bytes()
    seal_closed(tmp_path)
    merge_small(tmp_path)

    first.write_bytes(text)  # as if the process had died before it removed the file
    before = ids_in(tmp_path)
    seal_closed(tmp_path)

    assert before == ids_in(tmp_path) == sorted(ids)
    assert not first.exists()


@settings(max_examples=30, deadline=None)
@given(st.lists(st.sampled_from(["write", "seal", "merge", "read"]), min_size=4, max_size=24), st.booleans())
def test_a_reader_meets_each_record_once_whatever_happens_meanwhile(acts: list[str], is_newest_first: bool) -> None:
    with TemporaryDirectory(dir="/dev/shm") as folder:
        home, log = Path(folder), InferenceLog(Path(folder))
        there = closed(log, 5, rows=1)
        seal_closed(home)
        reader = walk(home, MORTGAGE, load_whole, is_newest_first=is_newest_first)
        seen: Counter[str] = Counter()
        for act in acts:
            match act:
                case "write":
                    closed(log, 2, rows=1)
                case "seal":
                    seal_closed(home)
                case "merge":
                    merge_small(home)
                case _:
                    for table in [t for t in [next(reader, None)] if t is not None]:
                        seen.update(table["prediction_id"].to_pylist())
        for table in reader:
            seen.update(table["prediction_id"].to_pylist())
        log.finish()

    assert set(there) <= set(seen)
    assert set(seen.values()) == {1}


def test_records_of_earlier_times_are_read(tmp_path: Path, log: InferenceLog) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    (wanted, *_) = closed(log, 1)
    (sealed,) = seal_closed(tmp_path)
    old = pq.read_table(sealed).drop_columns(
        ["caller", "trace_id", "protocol", "shadow", "inputs_hash", "subject_key", "personal"]
    )
    pq.write_table(old, sealed)

    (found,) = find(tmp_path, wanted)

    assert (found.caller, found.shadow, found.inputs["city"]) == ("", False, "Ulm")
    assert isinstance(read(tmp_path, MORTGAGE), pa.Table)


def test_two_never_seal_one_home_at_once(tmp_path: Path, log: InferenceLog) -> None:
    ids = closed(log, 5)
    with alone(tmp_path) as is_alone:
        [problem] = seal_and_merge(tmp_path, START)
        assert is_alone
        assert "another process seals" in str(problem)
        assert {s.kind for s in segments(tmp_path, MORTGAGE)} == {"closed"}

    assert seal_and_merge(tmp_path, START) == []
    assert ids_in(tmp_path) == sorted(ids)
