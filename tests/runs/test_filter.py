"""The language of filters and orders."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from taxiway.kernel.errors import BadField
from taxiway.runs.filter import (
    NUMBER_FIELDS,
    ORDERED,
    TEXT_FIELDS,
    Field,
    Order,
    Term,
    parse_filter,
    parse_order,
    render,
    render_order,
)

names = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=20)
numbers = st.floats(allow_nan=False, allow_infinity=False)
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
exact = st.sampled_from(["=", "!="])
ordered = st.sampled_from(["=", "!=", "<", "<=", ">", ">="])
worded = st.sampled_from(["=", "!=", "contains"])

terms = st.one_of(
    st.builds(Term, st.builds(Field, st.just("metrics"), names), ordered, numbers),
    st.builds(Term, st.builds(Field, st.just("params"), names), ordered, numbers),
    st.builds(Term, st.builds(Field, st.just("params"), names), worded, texts),
    st.builds(Term, st.builds(Field, st.just("params"), names), exact, st.booleans()),
    st.builds(Term, st.builds(Field, st.just("tags"), names), worded, texts),
    st.builds(Term, st.builds(Field, st.just("run"), st.sampled_from(TEXT_FIELDS)), worded, texts),
    st.builds(Term, st.builds(Field, st.just("run"), st.sampled_from(NUMBER_FIELDS)), ordered, numbers),
)
fields = st.one_of(
    st.builds(Field, st.sampled_from(["metrics", "params"]), names),
    st.builds(Field, st.just("run"), st.sampled_from(ORDERED)),
)


@given(st.lists(terms, max_size=6))
def test_what_is_written_is_read_back_alike(some: list[Term]) -> None:
    assert parse_filter(render(some)) == some


@given(st.builds(Order, fields, st.booleans()))
def test_an_order_is_read_back_alike(order: Order) -> None:
    assert parse_order(render_order(order)) == order


@given(st.text(max_size=60))
def test_any_text_is_refused_or_means_what_it_says(text: str) -> None:
    with contextlib.suppress(BadField):
        assert parse_filter(render(parse_filter(text))) == parse_filter(text)


def test_the_example_of_the_documents_is_read() -> None:
    text = """metrics.accuracy > 0.9 and params.model = "logistic" AND tags.x = 'y' and status = "finished" """

    assert parse_filter(text) == [
        Term(Field("metrics", "accuracy"), ">", 0.9),
        Term(Field("params", "model"), "=", "logistic"),
        Term(Field("tags", "x"), "=", "y"),
        Term(Field("run", "status"), "=", "finished"),
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("metrics.accuracy", "terms such as"),
        ("metrics.accuracy > 'high'", "a number"),
        ("metrics.accuracy > nan", "a number, a text in quotes"),
        ("metrics.accuracy > 1e999", "a number, a text in quotes"),
        ("accuracy > 0.9", "metrics.NAME"),
        ("status > 'finished'", "one of = != contains"),
        ("tags.x = 3", "a text in quotes"),
        ("params.model < 'x'", "one of = != contains"),
        ("params.shuffle < true", "= or !="),
        ("status = 'a' or status = 'b'", "joined with `and`"),
        ("status = 'a' and", "terms such as"),
        ("status = 'a", "something else at character 10"),
        ("started_at = '2026'", "metrics.NAME"),
        ("metrics.a == 1", "in place of ="),
        ("1=1; drop table runs", "something else at character 4"),
        (" and ".join(["status = 'a'"] * 21), "at most 20 terms"),
    ],
)
def test_what_cannot_be_read_is_refused_with_what_could(text: str, expected: str) -> None:
    with pytest.raises(BadField) as refusal:
        parse_filter(text)

    assert expected in refusal.value.expected


@pytest.mark.parametrize("text", ["", "metrics.a down", "tags.x", "status", "metrics.a desc desc", "metrics.a, name"])
def test_an_order_that_cannot_be_read_is_refused(text: str) -> None:
    with pytest.raises(BadField, match="order"):
        parse_order(text)
