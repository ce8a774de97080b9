"""The language of filters and orders."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from taxiway.kernel.errors import BadField
from taxiway.runs.search.filter import (
    NOTE,
    ORDERED,
    And,
    Field,
    Node,
    Not,
    Or,
    Order,
    Term,
    When,
    Words,
    render,
    render_order,
)
from taxiway.runs.search.language import NAMES, Language
from taxiway.runs.search.parsing import parse_filter, parse_order
from tests.runs.asking import names, nodes

fields = st.one_of(
    st.builds(Field, st.sampled_from(["metrics", "params", "tags"]), names),
    st.builds(Field, st.just("run"), st.sampled_from(ORDERED)),
)
orders = st.lists(st.builds(Order, fields, st.booleans()), min_size=1, max_size=4, unique_by=lambda order: order.field)


@given(nodes)
def test_what_is_written_is_read_back_alike(node: Node) -> None:
    assert parse_filter(render(node)) == node


@given(orders)
def test_an_order_is_read_back_alike(some: list[Order]) -> None:
    assert parse_order(", ".join(map(render_order, some))) == tuple(some)
    assert parse_order([render_order(one) for one in some]) == tuple(some)


@given(st.text(max_size=60))
def test_any_text_is_refused_or_means_what_it_says(text: str) -> None:
    with contextlib.suppress(BadField):
        assert parse_filter(render(parse_filter(text))) == parse_filter(text)


A = Term(Field("run", "status"), "=", "a")
B = Term(Field("run", "status"), "=", "b")
C = Term(Field("metrics", "x"), ">", 1.0)


@pytest.mark.parametrize(
    ("text", "node"),
    [
        ("", None),
        ("status = 'a'", A),
        ("status='a'AND status=\"b\"", And((A, B))),
        ("status = 'a' or status = 'b' and metric.x > 1", Or((A, And((B, C))))),
        ("(status = 'a' OR status = 'b') and metrics.x > 1.0", And((Or((A, B)), C))),
        ("not (status = 'a' and not metrics.x > 1)", Not(And((A, Not(C))))),
        ("status = 'a' AND", A),  # MLflow lets it pass
        ('"calm heron"', Words("calm heron")),
        ("text ~ 'calm heron'", Words("calm heron")),
        ("parameters.`a b` = 'x'", Term(Field("params", "a b"), "=", "x")),
        ("tag.\"a b\" ILIKE '%x'", Term(Field("tags", "a b"), "ilike", "%x")),
        ("attributes.`Run Name` LIKE 'x_'", Term(Field("run", "name"), "like", "x_")),
        ("attr.run_id IN ('a', 'b')", Term(Field("run", "id"), "in", ("a", "b"))),
        ("run.user_id NOT IN ('a')", Term(Field("run", "user"), "not in", ("a",))),
        ("Created > 5", Term(Field("run", "started_at"), ">", When(5000, 1000, "5"))),
        ("datasets.context = 'train'", Term(Field("dataset", "context"), "=", "train")),
        ("params.x IS NOT NULL", Term(Field("params", "x"), "is not null")),
        ("params.lr in (0.1, 1e-3)", Term(Field("params", "lr"), "in", (0.1, 0.001))),
        ("name ~ 'a\\.b\\\\d'", Term(Field("run", "name"), "~", "a\\.b\\d")),
        ("name = 'it''s'", Term(Field("run", "name"), "=", "it's")),
        ("note contains 'why'", Term(Field("tags", NOTE), "contains", "why")),
        ("duration > 1h", Term(Field("run", "duration_s"), ">", 3600.0)),
        ("duration > '1h 30 min'", Term(Field("run", "duration_s"), ">", 5400.0)),
        ("cpu_s < 2.5", Term(Field("run", "cpu_s"), "<", 2.5)),
    ],
)
def test_a_filter_reads_as_it_sounds(text: str, node: Node | None) -> None:
    assert parse_filter(text) == node


@pytest.mark.parametrize(
    ("text", "at", "width"),
    [
        ("1970-01-02", 86_400_000_000, 86_400_000_000),
        ("1970-01-01 00:01", 60_000_000, 60_000_000),
        ("1970-01-01T01:00:01+01:00", 1_000_000, 1_000_000),
        ("1970-01-01T00:00:00.000002Z", 2, 1),
    ],
)
def test_a_date_is_a_span_as_wide_as_it_is_exact(text: str, at: int, width: int) -> None:
    assert parse_filter(f"started_at >= '{text}'") == Term(Field("run", "started_at"), ">=", When(at, width, text))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "metrics.accuracy",
            "one of =, !=, <, <=, >, >=, in, not in, is null, is not null at character 17, where it ends",
        ),
        ("metrics.accuracy > 'high'", "a number for metrics.accuracy at character 20"),
        ("metrics.accuracy > nan", "a number"),
        ("metrics.accuracy > 1e999", "a number"),
        ("accuracy > 0.9", "metrics.NAME"),
        ("status > 'finished'", "one of =, !=, contains"),
        ("tags.x = 3", "a text in quotes for tags.x"),
        ("params.model < 'x'", "a number"),
        ("params.shuffle < true", "a number"),
        ("params.x in (1, 'a')", "texts in quotes, or numbers, but not both at character 17"),
        ("(status = 'a'", "closing parenthesis at character 14, where it ends"),
        ("status = 'a' status = 'b'", "and, or, or the end at character 14"),
        ("status = 'a' or", "a condition"),
        ("(status = 'a' and)", "a condition"),
        ("status = 'a", "a closing quote at character 10"),
        ("started_at = 'soon'", "a date such as"),
        ("started_at = '2026-13-01'", "a date such as"),
        ("duration > 'long'", "a duration such as"),
        ("metrics.a == 1", "at character 12, in place of '='"),
        ("1=1; drop table runs", "at character 4, in place of '; drop table runs'"),
        ("name ~ '('", "a regular expression in RE2's syntax"),
        ("name ~ '(a{500}){500}'", "a regular expression in RE2's syntax"),
        ("'...'", "words to look for"),
        (" and ".join(["status = 'a'"] * 101), "at most 100 conditions"),
        ("(" * 21 + "status = 'a'" + ")" * 21, "at most 20 parentheses"),
        ("x" * 20_001, "at most 20,000 characters"),
    ],
)
def test_what_cannot_be_read_is_refused_with_what_could(text: str, expected: str) -> None:
    with pytest.raises(BadField) as refusal:
        parse_filter(text)

    assert expected in refusal.value.expected


@pytest.mark.parametrize(
    "text",
    ["metrics.a down", "accuracy", "metrics.a desc desc", "metrics.a, name, metrics.a desc", "dataset.name", "a;"],
)
def test_an_order_that_cannot_be_read_is_refused(text: str) -> None:
    with pytest.raises(BadField, match="order"):
        parse_order(text)


def test_a_strict_language_orders_parameters_as_texts() -> None:
    assert parse_order(["params.a DESC", "start_time"], Language(NAMES, NAMES, is_strict=True)) == (
        Order(Field("params", "a"), is_falling=True, is_text=True),
        Order(Field("run", "started_at")),
    )
