"""What the databases find, against the same question answered in plain Python."""

from __future__ import annotations

import math
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from unittest.mock import patch

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, delete, insert

from taxiway.kernel.errors import BadField
from taxiway.runs.points.series import add_params, key_numbers, put_tags
from taxiway.runs.search import query, words
from taxiway.runs.search.filter import ORDERED, Field, Node, Order, Term, When, Words
from taxiway.runs.search.parsing import parse_order
from taxiway.runs.search.query import Mark, Search, find_numbers, read_mark, write_mark
from taxiway.runs.tables import experiments, latest, params, runs, tags
from taxiway.runs.tables import words as words_table
from taxiway.storage.database import EPOCH, Database, metadata
from tests.runs.asking import terms, trees
from tests.runs.judged import Told, holds, in_order

NOW = datetime(2026, 11, 23, tzinfo=UTC)
START = (NOW - timedelta(days=1) - EPOCH) // timedelta(microseconds=1)

few_names = st.sampled_from(["a", "b", "x y"])
few_words = st.sampled_from(
    ["", "a", "B", "b1", "ab", "x%", "_", "xy 2", "É", "finished", "RUNNING", "0.5", "other", "a" * 70]
)
few_numbers = st.sampled_from([0.0, 0.5, 1.0, 2.0])
facts = st.sampled_from(["id", "name", "status", "experiment", "project", "created_by", "user"])
spans = st.builds(lambda at, width: When(START + at, width, ""), st.integers(0, 4), st.integers(1, 3))
whens = st.builds(
    Term,
    st.builds(Field, st.just("run"), st.sampled_from(["started_at", "ended_at"])),
    st.sampled_from(["=", "!=", "<", "<=", ">", ">="]),
    spans,
)
searched = st.sampled_from(["a", "b", "x", "É", "ot xy"]).map(Words)
filters = trees(st.one_of(terms(few_names, few_names, few_words, few_numbers, facts), searched, whens))
values = st.one_of(few_words.filter(bool), st.booleans(), few_numbers, st.integers(0, 2))
metrics = st.sampled_from([0.0, 0.5, 1.0, math.nan, math.inf, -math.inf])


@st.composite
def told(draw: st.DrawFn) -> Told:
    started_at = START + draw(st.integers(0, 3))
    status = draw(st.sampled_from(["running", "finished", "failed", "stopped"]))
    return Told(
        id="",
        name=draw(few_words.filter(bool)),
        status=status,
        experiment=draw(st.sampled_from(["a", "other"])),
        started_at=started_at,
        ended_at=None if status == "running" else started_at + draw(st.sampled_from([0, 500_000, 1_000_000])),
        cpu_s=draw(st.one_of(st.none(), few_numbers)),
        params=draw(st.dictionaries(few_names, values, max_size=3)),
        metrics=draw(st.dictionaries(few_names, metrics, max_size=3)),
        tags=draw(st.dictionaries(few_names, few_words, max_size=3)),
    )


orders = st.lists(
    st.builds(
        Order,
        st.one_of(
            st.builds(Field, st.sampled_from(["metrics", "params", "tags"]), few_names),
            st.builds(Field, st.just("run"), st.sampled_from(sorted({*ORDERED} - {"user", "artifact_uri"}))),
        ),
        st.booleans(),
    ),
    max_size=3,
    unique_by=lambda order: order.field,
).map(tuple)


searches = st.builds(
    lambda limit, numbers, projects, experiment: Search(
        limit=limit, experiments=numbers, projects=projects, experiment=experiment, now=NOW
    ),
    st.integers(1, 4),
    st.sampled_from([None, None, (), (1,), (1, 2), (2, 7)]),
    st.sampled_from([None, None, ["fraud"], ["fraud", "loans"], ["loans", "x"]]),
    st.sampled_from(["", "", "other"]),
)


def is_within(run: Told, search: Search) -> bool:
    """Whether a run is among those that a search looks at."""
    number = {"a": 1, "other": 2}[run.experiment]
    is_asked = search.experiments is None or number in search.experiments
    return is_asked and search.experiment in ("", run.experiment) and "fraud" in (search.projects or ["fraud"])


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    database = Database(database_url)
    metadata.create_all(database.engine, [runs, experiments, latest, params, tags, words_table])
    metadata.create_all(database.engine)
    yield database
    database.close()


def store(connection: Connection, made: list[Told]) -> list[Told]:
    """Puts runs where there were others; gives them with their ids."""
    for table in (runs, experiments, latest, params, tags, words_table):
        connection.execute(delete(table))
    numbers = {"a": 1, "other": 2}
    plain = {"project": "fraud", "created_by": "ana", "created_at": NOW, "location": "", "changed_at": NOW}
    known = {name: plain[name] for name in plain if name in experiments.c}
    connection.execute(insert(experiments), [{"number": n, "name": name, **known} for name, n in numbers.items()])
    kept = [one._replace(id=f"{number:032x}") for number, one in enumerate(made, 1)]
    for number, one in enumerate(kept, 1):
        add(connection, number, one, numbers[one.experiment])
    return kept


def add(connection: Connection, number: int, one: Told, experiment: int) -> None:
    row = {
        "number": number,
        "id": one.id,
        "experiment": experiment,
        "project": "fraud",
        "name": one.name,
        "status": one.status,
        "created_by": "ana",
        "started_at": moment(one.started_at),
        "heard_at": NOW,
        "ended_at": None if one.ended_at is None else moment(one.ended_at),
        "cpu_s": one.cpu_s,
        "failure": "",
        "command": [],
        "sealed": "",
    }
    connection.execute(insert(runs).values(row))
    words.add(connection, number, words.words_of(one.name))
    add_params(connection, run=number, id_=one.id, given=one.params)
    put_tags(connection, run=number, given=one.tags)
    keys = key_numbers(connection, set(one.metrics))
    more = {"step": 0, "at": 0, "points": 1, "sealed": 0}
    known = {name: value for name, value in more.items() if name in latest.c}
    for name, value in one.metrics.items():
        stored = None if math.isnan(value) else value
        connection.execute(insert(latest).values(run=number, key=keys[name], value=stored, **known))


def moment(micros: int) -> datetime:
    return EPOCH + timedelta(microseconds=micros)


def found(connection: Connection, search: Search) -> list[int]:
    """Every page of a search, one after the other."""
    numbers: list[int] = []
    mark: Mark | None = None
    while True:
        page, mark = find_numbers(connection, search, read_mark(write_mark(mark) or ""))
        numbers += page
        assert len(page) <= search.limit
        if mark is None:
            return numbers


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(
    made=st.lists(told(), max_size=8),
    questions=st.lists(st.tuples(filters, orders), min_size=1, max_size=8),
    search=searches,
    few=st.sampled_from([0, 2, 2_000]),
    steps=st.sampled_from([1, 200_000]),
)
def test_a_database_finds_what_the_words_say_in_their_order(
    database: Database,
    made: list[Told],
    questions: list[tuple[Node, tuple[Order, ...]]],
    search: Search,
    few: int,
    steps: int,
) -> None:
    """few: how many runs are gathered and sorted, rather than walked along in order. steps: for a walk tried first."""
    with (
        database.engine.begin() as connection,
        patch.object(query, "FEW", few),
        patch.object(query, "STEPS", steps),
    ):
        kept = store(connection, made)
        for where, order in questions:
            expected = in_order([one for one in kept if holds(where, one) and is_within(one, search)], order)

            asked = msgspec.structs.replace(search, where=where, order=order)
            assert found(connection, asked) == [int(one.id, 16) for one in expected]


def test_a_mark_of_another_order_is_refused(database: Database) -> None:
    search = Search(order=parse_order("name"), projects=None, limit=1, now=NOW)

    with database.read() as connection, pytest.raises(BadField, match="in the same order"):
        find_numbers(connection, search, Mark(7, 0, ["a", 1, "b"]))


@pytest.mark.parametrize("text", ["zz", "00", "c0", "93cd1e6100c0"])
def test_a_mark_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(BadField, match="`next`"):
        read_mark(text)
