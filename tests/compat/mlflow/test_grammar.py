"""Filters, orders and pages as MLflow has them."""

from __future__ import annotations

import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from taxiway.compat.mlflow.grammar import Clause, Key, Vocabulary, arrange, holds, is_like, parse, parse_order
from taxiway.compat.mlflow.paging import page, page_size, read_offset, write_token
from taxiway.compat.mlflow.refusals import ParameterInvalid, ParameterMissing
from taxiway.kernel.errors import BadField

WORDS = Vocabulary(
    attributes={"name": "text", "creation_time": "number"}, aliases={"created": "creation_time"}, listed=("name",)
)


def test_clauses_are_joined_with_and_and_entities_have_other_spellings() -> None:
    found = parse("""name LIKE 'a%' AND tag."odd key" != "b" and attr.created >= 5 AND tags.`x` IS NULL AND""", WORDS)

    assert found == [
        Clause(Key("attributes", "name"), "like", "a%"),
        Clause(Key("tags", "odd key"), "!=", "b"),
        Clause(Key("attributes", "creation_time"), ">=", 5.0),
        Clause(Key("tags", "x"), "is null", None),
    ]


@pytest.mark.parametrize(
    "text",
    [
        "name = 'a' OR name = 'b'",
        "(name = 'a')",
        "name = 'a';",
        "name = a",
        "name > 'a'",
        "name IS NULL",
        "creation_time = '5'",
        "creation_time IN ('5')",
        "tags.x IN ('a')",
        "metrics.x = 1",
        "age = 5",
        "name =",
        "name",
        "'a' = name",
        "name IN ()",
        "name IN ('a'",
        "AND",
    ],
)
def test_what_the_grammar_has_not_is_refused_with_what_it_has(text: str) -> None:
    with pytest.raises(BadField, match="give "):
        parse(text, WORDS)


@pytest.mark.parametrize("text", ["name descending", "name desc asc", "age", "name, name", ""])
def test_an_order_is_a_key_and_a_direction(text: str) -> None:
    with pytest.raises(BadField):
        parse_order([text], WORDS)


def test_a_key_twice_in_an_order_is_refused() -> None:
    with pytest.raises(BadField, match="each key once"):
        parse_order(["name", "name desc"], WORDS)


def test_missing_values_are_last_either_way_and_equal_ones_keep_their_order() -> None:
    rows = [("a", 1), ("b", None), ("c", 2), ("d", 1)]

    def look(row: tuple[str, int | None], key: Key) -> object:
        return row[1]

    rising = arrange(rows, parse_order(["creation_time"], WORDS), look)
    falling = arrange(rows, parse_order(["creation_time DESC"], WORDS), look)

    assert "".join(name for name, _ in rising) == "adcb"
    assert "".join(name for name, _ in falling) == "cadb"


@given(st.text("ab%_\n", max_size=8), st.text("abAB\n%_", max_size=8))
def test_like_is_what_sql_means_by_it(pattern: str, text: str) -> None:
    parts = {"%": ".*", "_": "."}
    meant = re.compile("".join(parts.get(c, re.escape(c)) for c in pattern), re.DOTALL)

    assert is_like(text, pattern) == (meant.fullmatch(text) is not None)


def test_no_pattern_takes_long() -> None:
    started = time.process_time()

    assert not is_like("a" * 5000, "%a" * 100 + "b")
    assert time.process_time() - started < 1


@pytest.mark.parametrize(
    ("sign", "value", "found", "is_so"),
    [
        ("=", "a", "a", True),
        ("=", "a", None, False),
        ("!=", "a", None, False),
        ("!=", "a", "b", True),
        ("is null", None, None, True),
        ("is not null", None, None, False),
        ("is not null", None, "", True),
        ("ilike", "A%", "abc", True),
        ("like", "A%", "abc", False),
        ("in", ("a", "b"), "b", True),
        ("not in", ("a", "b"), "c", True),
        ("not in", ("a", "b"), None, False),
        (">=", 5.0, 5, True),
    ],
)
def test_a_clause_about_what_is_not_there_holds_only_where_it_asks_for_that(
    sign: str, value: object, found: object, is_so: bool
) -> None:
    clause = Clause(Key("tags", "x"), sign, value)  # type: ignore[arg-type]  # one value of each kind

    assert holds(clause, found) is is_so


def test_the_token_is_absent_on_a_last_page_that_is_exactly_full() -> None:
    rows = list(range(6))

    first, token = page(rows, size=3, token="")
    second, last = page(rows, size=3, token=token)

    assert ([*first, *second], last) == (rows, "")


@pytest.mark.parametrize(
    "token", ["x", "5", write_token("-1"), write_token("x"), "é", write_token("9" * 30), "A" * 9999]
)
def test_a_token_of_ones_own_making_is_refused(token: str) -> None:
    with pytest.raises(ParameterInvalid, match="page_token"):
        read_offset(token)


@pytest.mark.parametrize("size", [0, -1, 10**9, 2**62])
def test_page_sizes_have_bounds(size: int) -> None:
    with pytest.raises(ParameterInvalid, match=f"Invalid value {size} for parameter 'max_results'"):
        page_size(size, usual=100, most=1000)


def test_a_size_must_be_said_where_none_is_usual() -> None:
    with pytest.raises(ParameterMissing, match="max_results"):
        page_size(None, usual=None, most=1000)
