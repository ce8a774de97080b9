"""Questions to a log: what the words mean, what is refused, and that an answer never takes more than it may."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from taxiway.endpoints.inferences.ageing.sealing import seal_and_merge
from taxiway.endpoints.inferences.policy import LogPolicy
from taxiway.endpoints.inferences.query.asking import Question, Reading
from taxiway.endpoints.inferences.query.grammar import parse_where
from taxiway.endpoints.inferences.record import Line
from taxiway.endpoints.inferences.recording import Happened, Recorder
from taxiway.endpoints.inferences.subjects import Subjects
from taxiway.endpoints.inferences.writing import InferenceLog
from taxiway.kernel.errors import BadField
from taxiway.kernel.ids import new_id
from tests.endpoints.inferences.lines import MORTGAGE, START, Revision, line
from tests.support.loops import awaited

NOW = START + timedelta(hours=1)
MINUTE = timedelta(minutes=1)


def made(minute: int) -> Line:
    """Ten records, a minute apart: the later, the slower and the richer."""
    said = line(
        new_id(),
        minute=minute,
        income=minute * 10,
        district=["north", "south"][minute % 2],
        married=minute > 4,
        **{"a b/c~d": minute},
    )
    score = b'"NaN"' if minute == 9 else b"0.%d" % minute
    return replace(
        said,
        latency_ms=minute * 10.0,
        caller="ana" if minute < 5 else "",
        shadow=minute == 8,
        protocol="openinference" if minute == 7 else "",
        outputs=msgspec.Raw(b'{"prediction":%d,"score":%s}' % (minute % 2, score)),
    )


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A log of ten records: some sealed, some closed, some open."""
    home = tmp_path_factory.mktemp("home")
    log = InferenceLog(home)
    for minute in range(10):
        log.append(MORTGAGE, [made(minute)])
        if minute in (2, 4, 6):
            log.close(MORTGAGE)
        if minute == 4:
            seal_and_merge(home, START)
    return home


def minutes(home: Path, text: str, **more: object) -> list[int]:
    """The minutes whose records meet a question, in the order they come."""
    question = Question(MORTGAGE, NOW, parse_where(text), **more)  # type: ignore[arg-type]
    return [at.minute for table in Reading(home, question).tables() for at in table["at"].to_pylist()]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", [9, 8, 7, 6, 5, 4, 3, 2, 1, 0]),
        ("latency_ms > 70", [9, 8]),
        ("latency_ms >= 70ms and not shadow = true", [9, 7]),
        ("inputs.income = 30 or inputs.income = 50", [5, 3]),
        ('inputs.district = "north" and (inputs.income < 30 or inputs.income > 70)', [8, 2, 0]),
        ("inputs.married = true and inputs.income <= 60", [6, 5]),
        ("inputs.married != true", [4, 3, 2, 1, 0]),
        ("inputs.`a b/c~d` in (1, 2)", [2, 1]),
        ('inputs.district not in ("north", "west")', [9, 7, 5, 3, 1]),
        ("inputs.nothing = 1", []),
        ("not inputs.nothing = 1", [9, 8, 7, 6, 5, 4, 3, 2, 1, 0]),
        ("inputs.nothing is null and row = 0 and latency_ms < 10", [0]),
        ("prediction = 1 and score > 0.4", [7, 5]),
        ("score > 0.4 and score < 0.6", [5]),
        ('caller = "ana" and inputs.district ~ "^so"', [3, 1]),
        ("caller is null and latency_ms < 60", [5]),
        ('protocol = "openinference"', [7]),
        ('protocol = "taxiway" and latency_ms > 80', [9]),
        ('at < "2026-05-01 00:02"', [1, 0]),
        ('at > "56 min ago"', [9, 8, 7, 6, 5]),
        ('at = "2026-05-01" and latency_ms < 10', [0]),
        ('model contains "MORT" and latency_ms < 10', [0]),
        ('status in ("failed")', []),
    ],
)
def test_a_question_finds_just_what_it_says(home: Path, text: str, found: list[int]) -> None:
    assert minutes(home, text) == found


def test_the_last_day_there_is_can_be_asked_about(home: Path) -> None:
    assert minutes(home, 'at > "9999-12-31"') == []


def test_bounds_and_a_limit_take_the_newest(home: Path) -> None:
    assert minutes(home, "", since=START + 3 * MINUTE, until=START + 6 * MINUTE) == [5, 4, 3]
    assert minutes(home, "latency_ms < 80", limit=3) == [7, 6, 5]


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ('caller ~ "("', "RE2"),
        ("latency_ms > fast", "a number"),
        ("latency_ms like 'x'", "one of"),
        ("password = 1", "conditions begin with"),
        ("latency_ms > 1; DROP TABLE segment", "character 15"),
        ('caller = "x" or', "conditions begin with"),
        ('at > "whenever"', "a date"),
        ("shadow = 1", "true or false"),
        ('protocol = "sagemaker"', "'taxiway', 'instances', 'invocations', 'openinference'"),
        ('protocol in ("taxiway", "sagemaker")', "one of the protocols"),
        ("(" * 30 + "row = 1", "at most 20"),
        (" and ".join(["row = 1"] * 60), "at most 50"),
    ],
)
def test_what_cannot_be_asked_is_refused_where_it_stands(text: str, named: str) -> None:
    with pytest.raises(BadField, match=named.replace("(", r"\(")):
        parse_where(text)


@settings(max_examples=25, deadline=None)
@given(st.text(max_size=40), st.text(min_size=1, max_size=20))
def test_whatever_people_write_is_a_value_and_never_a_command(home: Path, value: str, name: str) -> None:
    def quoted(text: str, mark: str) -> str:
        return mark + text.replace("\\", "\\\\").replace(mark, "\\" + mark) + mark

    text = f"inputs.{quoted(name, '`')} = {quoted(value, chr(34))}"

    assert minutes(home, text) == []


def test_where_time_runs_out_the_newest_were_looked_at_and_that_is_said(home: Path) -> None:
    reading = Reading(home, Question(MORTGAGE, NOW, deadline_s=0.0))

    assert list(reading.tables()) == []
    assert reading.is_cut


def test_personal_fields_are_asked_about_by_those_alone_who_may_see_them(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path, InferenceLog(tmp_path))
    recorder.apply({MORTGAGE: LogPolicy("buffered", personal=("name",), subject="id")})
    rows = (b'{"name":"Ada","id":1,"age":36}', b'{"name":"Bob","id":2,"age":40}')
    pending = recorder.record(Revision(), rows, [b"{}", b"{}"], Happened(new_id(), START, 1.0))
    assert pending is not None
    awaited(done(pending))

    def ages(*, is_opened: bool, text: str = 'inputs.name = "Ada"') -> list[int]:
        question = Question(MORTGAGE, NOW, parse_where(text), is_opened=is_opened)
        texts = [text for table in Reading(tmp_path, question).tables() for text in table["inputs"].to_pylist()]
        return [msgspec.json.decode(text)["age"] for text in texts]

    assert (ages(is_opened=True), ages(is_opened=False)) == ([36], [])
    Subjects(tmp_path).erase(MORTGAGE, "1")
    assert ages(is_opened=True) == []
    assert ages(is_opened=True, text="inputs.age < 50") == [36, 40]


async def done(pending: object) -> None:
    await pending  # type: ignore[misc]
