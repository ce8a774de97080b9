"""The chain over a log's files, and what may be removed of them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from taxiway.endpoints.inferences.ageing.chain import FILE, ChainBroken, check, extend, read_chain
from taxiway.endpoints.inferences.ageing.retention import expired, remove
from taxiway.endpoints.inferences.ageing.sealing import seal_and_merge
from taxiway.endpoints.inferences.log import find, read
from taxiway.endpoints.inferences.policy import LogPolicy
from taxiway.endpoints.inferences.writing import InferenceLog
from taxiway.kernel.ids import new_id
from tests.endpoints.inferences.lines import MORTGAGE, START, line

DAY = timedelta(days=1)


def filled(home: Path, *days: int) -> list[str]:
    """A sealed segment with one record of each of these days, counted from the start; their prediction ids."""
    log, ids = InferenceLog(home), []
    for day in days:
        ids.append(new_id())
        log.append(MORTGAGE, [line(ids[-1], minute=day * 24 * 60)])
        log.close(MORTGAGE)
    log.finish()
    assert seal_and_merge(home, START) == []
    return ids


def folder_of(home: Path) -> Path:
    return home / "inferences" / MORTGAGE


def flip(folder: Path) -> None:
    path = next(folder.glob("sealed-*"))
    data = bytearray(path.read_bytes())
    data[40] ^= 1
    path.write_bytes(data)


def take_away(folder: Path) -> None:
    next(folder.glob("sealed-*")).unlink()


def put_in(folder: Path) -> None:
    path = next(folder.glob("sealed-*"))
    path.with_name(f"sealed-{new_id()}.parquet").write_bytes(path.read_bytes())


def cut_a_link(folder: Path) -> None:
    lines = (folder / FILE).read_bytes().splitlines(keepends=True)
    (folder / FILE).write_bytes(b"".join(lines[1:]))


def change_a_link(folder: Path) -> None:
    (folder / FILE).write_bytes((folder / FILE).read_bytes().replace(b'"rows":1', b'"rows":2', 1))


@pytest.mark.parametrize(
    ("tamper", "problem"),
    [
        (flip, "was changed after it was sealed"),
        (take_away, "is gone, and nothing says that it was removed"),
        (put_in, "was put there by somebody else"),
        (cut_a_link, "link 1 does not stand on the one before it"),
        (change_a_link, "link 2 does not stand on the one before it"),
    ],
)
def test_what_is_done_to_a_log_by_hand_shows(tmp_path: Path, tamper: Callable[[Path], None], problem: str) -> None:
    filled(tmp_path, 0, 1)
    assert check(tmp_path, MORTGAGE) == []

    tamper(folder_of(tmp_path))

    (found,) = check(tmp_path, MORTGAGE)
    assert problem in found


def test_a_changed_file_is_not_merged_into_one_that_looks_right(tmp_path: Path) -> None:
    filled(tmp_path, 0, 0, 0)
    flip(folder_of(tmp_path))
    filled(tmp_path, 0, 0)

    assert [problem.split(" ", 1)[1] for problem in check(tmp_path, MORTGAGE)] == ["was changed after it was sealed"]
    assert list(folder_of(tmp_path).glob("merged-*")) == []


def test_half_a_link_of_a_killed_server_is_written_over(tmp_path: Path) -> None:
    filled(tmp_path, 0)
    path = folder_of(tmp_path) / FILE
    path.write_bytes(path.read_bytes() + b'{"act":"sea')

    filled(tmp_path, 1)

    assert len(read_chain(folder_of(tmp_path))[0]) == 2
    assert check(tmp_path, MORTGAGE) == []


def test_files_older_than_the_policy_keeps_them_go_and_the_chain_says_so(tmp_path: Path) -> None:
    old, young = filled(tmp_path, 0, 5)

    found = expired(tmp_path, MORTGAGE, LogPolicy(keep_days=3), START + 6 * DAY, None)
    assert found is not None
    remove(tmp_path, MORTGAGE, found, START + 6 * DAY)

    assert (found.rows, found.before) == (1, START + 3 * DAY)
    assert (find(tmp_path, old), len(find(tmp_path, young))) == ([], 1)
    assert read(tmp_path, MORTGAGE).num_rows == 1
    assert check(tmp_path, MORTGAGE) == []
    assert expired(tmp_path, MORTGAGE, LogPolicy(keep_days=3), START + 6 * DAY, None) is None


@pytest.mark.parametrize(
    ("policy", "needed_since"),
    [
        (LogPolicy(), None),
        (LogPolicy(keep_days=3, hold="case 12 of 2026"), None),
        (LogPolicy(keep_days=3), START),
        (LogPolicy(keep_days=30), None),
    ],
)
def test_what_is_held_needed_or_young_stays(tmp_path: Path, policy: LogPolicy, needed_since: datetime | None) -> None:
    filled(tmp_path, 0)

    assert expired(tmp_path, MORTGAGE, policy, START + 6 * DAY, needed_since) is None


def test_a_removal_that_was_killed_is_finished_by_the_next(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    filled(tmp_path, 0)
    found = expired(tmp_path, MORTGAGE, LogPolicy(keep_days=3), START + 6 * DAY, None)
    assert found is not None
    with monkeypatch.context() as patched:
        patched.setattr(Path, "unlink", lambda *_, **__: None)  # killed after the link, before the file
        remove(tmp_path, MORTGAGE, found, START + 6 * DAY)

    again = expired(tmp_path, MORTGAGE, LogPolicy(keep_days=3), START + 6 * DAY, None)

    assert again is not None
    remove(tmp_path, MORTGAGE, again, START + 6 * DAY)
    assert list(folder_of(tmp_path).glob("sealed-*")) == []
    assert check(tmp_path, MORTGAGE) == []


def test_a_broken_chain_is_not_gone_on_with(tmp_path: Path) -> None:
    filled(tmp_path, 0, 1)
    cut_a_link(folder_of(tmp_path))

    with pytest.raises(ChainBroken):
        extend(tmp_path, MORTGAGE, START)
