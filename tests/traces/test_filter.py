"""Filters and orders of traces: what is read, and what is refused with the place where it went wrong."""

import pytest

from taxiway.kernel.errors import BadField
from taxiway.traces.filter import Order, Term, parse_filter, parse_order


@pytest.mark.parametrize(
    ("text", "term"),
    [
        ("status = 'ERROR'", Term("trace", "state", "=", "error")),
        ("attributes.status != 'OK'", Term("trace", "state", "!=", "ok")),
        ("trace.timestamp_ms >= 12", Term("trace", "started_ms", ">=", 12.0)),
        ("tags.`team name` LIKE 'a%'", Term("tag", "team name", "like", "a%")),
        ("request_metadata.user IS NOT NULL", Term("fact", "user", "is not null")),
        ("run_id IN ('a', 'b')", Term("trace", "run", "in", ("a", "b"))),
        ("request_id NOT IN ('a')", Term("trace", "id", "not in", ("a",))),
        ("span.attributes.model.name RLIKE 'x.*'", Term("span", "attributes.model.name", "rlike", "x.*")),
        ("feedback.score > 0.5", Term("feedback", "score", ">", 0.5)),
        ("expectation.answer = 'yes'", Term("expectation", "answer", "=", "yes")),
        ("text ILIKE '%now%'", Term("trace", "text", "ilike", "%now%")),
    ],
)
def test_a_term_is_read(text: str, term: Term) -> None:
    assert parse_filter(text) == [term]


def test_terms_are_joined_by_and_alone() -> None:
    assert len(parse_filter("status = 'OK' AND tags.a = 'b' and timestamp < 3 AND ")) == 3
    with pytest.raises(BadField, match="OR and parentheses"):
        parse_filter("status = 'OK' OR status = 'ERROR'")


@pytest.mark.parametrize(
    "text",
    [
        "nothing = 'x'", "status > 'OK'", "timestamp = 'now'", "tags.a = 3", "span.size = 'x'", "span.content = 'x'",
        "metrics.a > 1", "status IN 'OK'", "tags.a IS 'b'", "status", "= 'x'", "status = 'x' status = 'y'",
        "tags.a IN ('b')",
    ],
)  # fmt: skip
def test_what_no_trace_has_is_refused(text: str) -> None:
    with pytest.raises(BadField):
        parse_filter(text)


def test_an_order_names_each_field_once() -> None:
    assert parse_order(["timestamp_ms DESC", "attributes.name"]) == (
        Order("started_ms", is_falling=True),
        Order("name"),
    )
    for given in (["timestamp desc", "timestamp_ms"], ["tags.a"], ["status sideways"], ["text"], [""]):
        with pytest.raises(BadField):
            parse_order(given)
