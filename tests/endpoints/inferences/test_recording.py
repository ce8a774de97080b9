"""Records by policy: when the disk has them, what of the inputs is in them, and what happens where they cannot be."""

from __future__ import annotations

import asyncio
import errno
import os
import struct
import threading
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from taxiway.endpoints.blocks import MANY, Block, BlockRows, Field, Told, ToldRows
from taxiway.endpoints.inferences.ageing.sealing import seal_closed
from taxiway.endpoints.inferences.log import find, read_lines
from taxiway.endpoints.inferences.policy import LogPolicy, durability_of, problem_of
from taxiway.endpoints.inferences.recording import Happened, Recorder, lines_of
from taxiway.endpoints.inferences.subjects import Subjects, revealed
from taxiway.endpoints.inferences.writing import InferenceLog
from taxiway.endpoints.refusals import AnswerNotRecorded
from taxiway.kernel.ids import new_id
from tests.endpoints.inferences.lines import MORTGAGE, START, Revision
from tests.support.loops import awaited

ROW = b'{"name":"Ada","customer":"c-1","age":36,"income":50.0}'
OUT = b'{"prediction":1}'


def recorder(home: Path, policy: LogPolicy) -> Recorder:
    made = Recorder(home, InferenceLog(home))
    made.apply({MORTGAGE: policy})
    return made


async def record(made: Recorder, *rows: bytes, **more: object) -> str:
    """Has rows recorded as a request of their own; its id, once the answer might go out."""
    id_ = new_id()
    given = rows or (ROW,)
    pending = made.record(Revision(), given, [OUT] * len(given), Happened(id_, START, 1.0, **more))  # type: ignore[arg-type]
    if pending is not None:
        await pending
    return id_


def test_a_buffered_record_is_written_before_the_answer_and_waits_for_no_disk(tmp_path: Path) -> None:
    made = recorder(tmp_path, LogPolicy("buffered"))

    id_ = awaited(record(made, caller="ana", trace_id="a" * 32, protocol="v2"))

    (found,) = find(tmp_path, id_)
    assert (found.caller, found.trace_id, found.protocol) == ("ana", "a" * 32, "v2")
    assert made.log.counted(MORTGAGE).syncs == 0


@pytest.mark.parametrize("is_answered", [True, False])
def test_many_rows_of_a_request_share_a_line_and_are_read_as_any(tmp_path: Path, is_answered: bool) -> None:
    made = recorder(tmp_path, LogPolicy("buffered"))
    rows = [b'{"age":%d,"name":"A\\"da"}' % age for age in range(MANY)]
    times = [START + timedelta(minutes=row) for row in range(MANY)]
    result = [b'{"prediction":%d}' % row for row in range(MANY)] if is_answered else "it raised"
    happened = Happened(new_id(), START, 1.25, times, caller="ana", trace_id="a" * 32, protocol="v2")

    made.record(Revision(), rows, result, happened)

    (file,) = (tmp_path / "inferences" / MORTGAGE).glob("open-*.jsonl")
    assert len(file.read_bytes().splitlines()) == 1
    expected = lines_of(Revision(), rows, result, happened, None)
    assert read_lines(file) == (expected, 0)
    assert made.log.counted(MORTGAGE).rows == MANY
    (found,) = find(tmp_path, f"{happened.prediction_id}/7")
    assert (found.row, found.inputs, found.event_at) == (7, {"age": 7, "name": 'A"da'}, times[7])
    assert found.outputs == ({"prediction": 7} if is_answered else None)
    made.log.finish()
    seal_closed(tmp_path)
    assert len(find(tmp_path, happened.prediction_id)) == MANY


@pytest.mark.parametrize("drop", [(), ("debt",)])
def test_a_matrix_and_answers_by_field_are_read_as_rows(tmp_path: Path, drop: tuple[str, ...]) -> None:
    made = recorder(tmp_path, LogPolicy("buffered", drop=drop))
    rows = BlockRows(Block("FP32", MANY, ("age", "debt"), struct.pack(f"<{2 * MANY}f", *range(2 * MANY))))
    told = ToldRows(Told(MANY, (Field("prediction", "INT64", struct.pack(f"<{MANY}q", *range(MANY))),)))
    happened = Happened(new_id(), START, 1.25)

    made.record(Revision(), rows, told, happened)

    (file,) = (tmp_path / "inferences" / MORTGAGE).glob("open-*.jsonl")
    if not drop:
        assert read_lines(file) == (lines_of(Revision(), [*rows], [*told], happened, None), 0)
    (found,) = find(tmp_path, f"{happened.prediction_id}/7")
    assert (found.inputs, found.outputs) == ({"age": 14} if drop else {"age": 14, "debt": 15}, {"prediction": 7})
    assert b"debt" not in file.read_bytes() or not drop


def test_an_acknowledged_record_is_on_the_disk_before_the_answer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = recorder(tmp_path, LogPolicy("acknowledged"))
    synced: list[int] = []
    real = os.fdatasync

    def watched(descriptor: int) -> None:
        real(descriptor)
        synced.append(os.fstat(descriptor).st_size)

    monkeypatch.setattr(os, "fdatasync", watched)

    awaited(record(made))

    assert synced == [made.log.open[MORTGAGE].size]


def test_requests_that_come_during_a_sync_share_the_next_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = recorder(tmp_path, LogPolicy("acknowledged"))
    is_open, real = threading.Event(), os.fdatasync
    monkeypatch.setattr(os, "fdatasync", lambda fd: (is_open.wait(5), real(fd)))

    async def many() -> None:
        asked = [asyncio.create_task(record(made)) for _ in range(50)]
        await asyncio.sleep(0.05)
        is_open.set()
        await asyncio.gather(*asked)

    awaited(many())

    assert made.log.counted(MORTGAGE).requests == 50
    assert made.log.counted(MORTGAGE).syncs <= 2


def failing(*_: object) -> None:
    raise OSError(errno.EIO, "Input/output error")


def test_where_a_sync_fails_nobody_is_answered_and_the_file_is_used_no_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = recorder(tmp_path, LogPolicy("acknowledged"))
    with monkeypatch.context() as patched:
        patched.setattr(os, "fdatasync", failing)
        with pytest.raises(AnswerNotRecorded, match="Input/output error"):
            awaited(record(made))
    assert made.log.open == {}

    awaited(record(made))

    counts = made.log.counted(MORTGAGE)
    assert (counts.refused, counts.failed_syncs, counts.problem) == (1, 1, "")


def full(made: Recorder, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_room(*_: object) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "write", no_room)


def test_a_full_disk_refuses_unless_the_policy_goes_on_and_both_are_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = recorder(tmp_path, LogPolicy("buffered"))
    awaited(record(made))
    full(made, monkeypatch)
    with pytest.raises(AnswerNotRecorded, match="No space left"):
        awaited(record(made))

    made.apply({MORTGAGE: LogPolicy("buffered", when_full="go-on")})
    awaited(record(made))

    counts = made.log.counted(MORTGAGE)
    assert (counts.requests, counts.refused, counts.unrecorded) == (1, 1, 1)
    assert counts.problem == "No space left on device"


@pytest.mark.parametrize(
    ("policy", "inputs"),
    [
        (LogPolicy("buffered", inputs="none"), {}),
        (LogPolicy("buffered", drop=("name", "customer")), {"age": 36, "income": 50.0}),
    ],
)
def test_what_is_not_kept_was_never_in_a_file(tmp_path: Path, policy: LogPolicy, inputs: dict[str, object]) -> None:
    made = recorder(tmp_path, policy)

    id_ = awaited(record(made))

    assert find(tmp_path, id_)[0].inputs == inputs
    assert b"Ada" not in made.log.open[MORTGAGE].path.read_bytes()


def test_an_error_that_quotes_what_is_not_kept_is_kept_by_its_kind(tmp_path: Path) -> None:
    made = recorder(tmp_path, LogPolicy("buffered", personal=("name",), subject="customer"))
    told, id_ = "ValueError: could not convert string to float: 'Ada'", new_id()

    async def fail() -> None:
        pending = made.record(Revision(), [ROW], told, Happened(id_, START, 1.0))
        assert pending is not None, "its keys are made first"
        await pending

    awaited(fail())

    assert [each.error for each in find(tmp_path, id_)] == ["ValueError"]
    assert not [path for path in (tmp_path / "inferences").rglob("*.jsonl") if b"Ada" in path.read_bytes()]


def test_hashes_tell_equal_from_other_and_no_more(tmp_path: Path) -> None:
    made = recorder(tmp_path, LogPolicy("buffered", hash=("age",)))
    whole = recorder(tmp_path, LogPolicy("buffered", inputs="hash"))

    ids = [awaited(record(made, row)) for row in (b'{"age":36}', b'{"age":36.0}', b'{"age":37}')]
    id_ = awaited(record(whole))

    one, same, other = (find(tmp_path, each)[0].inputs["age"] for each in ids)
    assert one == same != other
    assert one.startswith("hmac-sha256:")
    assert find(tmp_path, id_)[0].inputs_hash.startswith("hmac-sha256:")
    assert (tmp_path / "keys" / "inferences" / "hash.key").stat().st_mode & 0o777 == 0o600


PERSONAL = LogPolicy("buffered", personal=("name",), subject="customer")


def sealed(made: Recorder, home: Path) -> None:
    made.log.finish()
    seal_closed(home)


def as_is(made: Recorder, home: Path) -> None:
    pass


@pytest.mark.parametrize("when", [as_is, sealed])
def test_personal_fields_are_read_until_their_subject_is_erased(
    tmp_path: Path, when: Callable[[Recorder, Path], None]
) -> None:
    made = recorder(tmp_path, PERSONAL)
    id_ = awaited(record(made, ROW, ROW.replace(b"c-1", b"c-2"), b'{"name":"Eve","age":1}'))
    texts = b"".join(path.read_bytes() for path in (tmp_path / "inferences" / MORTGAGE).iterdir())
    when(made, tmp_path)
    before = revealed(tmp_path, find(tmp_path, id_))

    assert Subjects(tmp_path).erase(MORTGAGE, "c-1")
    after = revealed(tmp_path, find(tmp_path, id_))

    assert not any(secret in texts for secret in (b"Ada", b"Eve", b"c-1", b"c-2"))
    assert [each.inputs.get("name") for each in before] == ["Ada", "Ada", None]
    assert [each.inputs.get("name") for each in after] == [None, "Ada", None]
    assert after[0].inputs == {"age": 36, "income": 50.0}
    assert not Subjects(tmp_path).erase(MORTGAGE, "c-1")


def test_an_erased_key_is_neither_used_again_nor_left_in_its_file(tmp_path: Path) -> None:
    made = recorder(tmp_path, PERSONAL)
    awaited(record(made))
    key = made.subjects.known(MORTGAGE, "c-1")
    assert key is not None
    Subjects(tmp_path).erase(MORTGAGE, "c-1")

    made.tick()
    again = awaited(record(made))

    (found,) = revealed(tmp_path, find(tmp_path, again))
    assert found.subject_key != key.id
    assert found.inputs["name"] == "Ada"
    assert key.id.encode() not in made.subjects.path.read_bytes()


def test_encrypted_fields_fit_no_other_row(tmp_path: Path) -> None:
    made = recorder(tmp_path, PERSONAL)
    made.log.finish()
    id_ = awaited(record(made, ROW, ROW))
    segment = made.log.open[MORTGAGE].path
    first, second = segment.read_bytes().splitlines()
    moved = first.replace(b'"row":0', b'"row":1')
    segment.write_bytes(first + b"\n" + moved + b"\n")

    found = revealed(tmp_path, find(tmp_path, id_))

    assert second != moved
    assert [each.inputs.get("name") for each in found] == ["Ada", None]


def test_a_policy_that_contradicts_itself_is_refused() -> None:
    assert problem_of(LogPolicy(personal=("name",), subject="id", drop=("name",))) is not None
    assert problem_of(LogPolicy(inputs="hash", subject="id")) is not None
    assert problem_of(PERSONAL) is None


def test_high_risk_or_the_path_asks_for_the_disk() -> None:
    plain = LogPolicy()

    assert durability_of(plain, is_high_risk=False) == "buffered"
    assert durability_of(plain, is_high_risk=True) == "acknowledged"
    assert durability_of(LogPolicy("buffered"), is_high_risk=True) == "buffered"
    assert durability_of(LogPolicy("buffered"), is_high_risk=True, path_asks="acknowledged") == "acknowledged"
    assert durability_of(plain, is_high_risk=True, path_asks="buffered") == "buffered"
