"""The law of contracts, held against a slow and plain one."""

from __future__ import annotations

import math
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import msgspec
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from taxiway.datasets.rules import check
from taxiway.datasets.terms import ColumnTerms, Contract, ContractFinding

NUMBERS = st.none() | st.integers(-4, 4)
REALS = st.none() | st.sampled_from([-2.5, -1.0, 0.0, -0.0, 0.1, 1.0, 3.0, math.nan, math.inf])
WORDS = st.none() | st.sampled_from(["", "a", "b", "ab"])
BOUNDS = st.none() | st.integers(-3, 3) | st.sampled_from([-1.5, 0.1, 2.5])


@st.composite
def number_terms(draw: st.DrawFn) -> ColumnTerms:
    least, most = draw(BOUNDS), draw(BOUNDS)
    if least is not None and most is not None and least > most:
        least, most = most, least
    allowed = draw(st.none() | st.lists(st.integers(-3, 3) | st.just(0.1), min_size=1, max_size=4))
    return ColumnTerms(
        type=draw(st.sampled_from([None, "integer", "number", "string"])),
        nullable=draw(st.booleans()),
        unique=draw(st.booleans()),
        min=least,
        max=most,
        allowed=list(allowed) if allowed else None,
    )


def is_missing(value: Any) -> bool:
    return value is None or (isinstance(value, float) and math.isnan(value))


def naive(values: list[Any], terms: ColumnTerms, stored: str) -> dict[str, list[int]]:
    """The broken rows by kind of finding, one comparison at a time."""
    found: dict[str, list[int]] = {}
    if terms.type == "string":
        return {"type": []}
    present = [(row, v) for row, v in enumerate(values) if not is_missing(v)]
    if terms.type == "integer" and stored == "number":
        found["type"] = [row for row, v in present if math.isinf(v) or v != int(v)]
    if not terms.nullable:
        found["missing value"] = [row for row, v in enumerate(values) if is_missing(v)]
    if terms.min is not None:
        found["below"] = [row for row, v in present if v < terms.min]
    if terms.max is not None:
        found["above"] = [row for row, v in present if v > terms.max]
    if terms.allowed is not None:
        found["not allowed"] = [row for row, v in present if v not in terms.allowed]
    if terms.unique:
        times = Counter(v for _, v in present)
        found["not unique"] = [row for row, v in present if times[v] > 1]
    return {kind: rows for kind, rows in found.items() if rows}


def said(findings: list[ContractFinding]) -> dict[str, list[int]]:
    return {finding.kind: finding.rows for finding in findings}


@settings(max_examples=200)
@given(
    st.lists(NUMBERS, min_size=1, max_size=8), number_terms(), st.sampled_from([pa.int64(), pa.int8(), pa.float32()])
)
def test_whole_numbers_are_judged_as_one_by_one(values: list[Any], terms: ColumnTerms, kind: Any) -> None:
    result = check(pa.table({"x": pa.array(values, kind)}), Contract(columns={"x": terms}))

    stored = "number" if kind == pa.float32() else "integer"
    expected = naive(values, terms, stored)
    assert said(result.findings) == expected
    assert result.passed == (not expected)


@settings(max_examples=200)
@given(st.lists(REALS, min_size=1, max_size=8), number_terms())
def test_real_numbers_are_judged_as_one_by_one(values: list[Any], terms: ColumnTerms) -> None:
    result = check(pa.table({"x": pa.array(values, pa.float64())}), Contract(columns={"x": terms}))

    assert said(result.findings) == naive(values, terms, "number")
    assert all(f.count == len(f.rows) == len(f.values) or f.kind == "type" for f in result.findings)


@settings(max_examples=100)
@given(st.lists(st.tuples(NUMBERS, WORDS, REALS), min_size=1, max_size=12))
def test_a_key_of_several_columns_is_judged_as_one_by_one(rows: list[tuple[Any, ...]]) -> None:
    a, b, c = zip(*rows, strict=True)
    table = pa.table({"a": pa.array(a, pa.int64()), "b": pa.array(b, pa.string()), "c": pa.array(c, pa.float64())})

    result = check(table, Contract(unique=[["a", "b", "c"]]))

    times = Counter(row for row in rows if not any(map(is_missing, row)))
    expected = [i for i, row in enumerate(rows) if times[row] > 1]
    assert [f.rows for f in result.findings] == ([expected] if expected else [])


MOMENT = datetime(2020, 1, 2, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("column", "terms", "rows"),
    [
        (pa.array(["a", "b", "c"]), ColumnTerms(min="b"), [0]),
        (pa.array(["a", "b", "c"]).dictionary_encode(), ColumnTerms(type="string", allowed=["a"]), [1, 2]),
        (pa.array([True, False]), ColumnTerms(type="boolean", allowed=[True]), [1]),
        (pa.array([date(2020, 1, 1), date(2020, 1, 3)]), ColumnTerms(type="date", max="2020-01-02"), [1]),
        (pa.array([date(2020, 1, 1), date(2020, 1, 3)]), ColumnTerms(allowed=["2020-01-03"]), [0]),
        (pa.array([MOMENT]), ColumnTerms(type="datetime", min="2020-01-02T13:00:00+02:00"), []),
        (pa.array([MOMENT]), ColumnTerms(min="2020-01-02T12:00:01"), [0]),
        (pa.array([MOMENT.replace(tzinfo=None)], pa.timestamp("ns")), ColumnTerms(min="2020-01-03"), [0]),
        (pa.array([timedelta(seconds=3)]), ColumnTerms(type="duration", max=2.5), [0]),
        (pa.array([Decimal("1.50"), Decimal("2.50")]), ColumnTerms(type="number", max=2), [1]),
        (pa.array([0.1, 0.2], pa.float32()), ColumnTerms(max=0.1), [1]),
        (pa.array([0.1, 0.2], pa.float32()), ColumnTerms(allowed=[0.1]), [1]),
        (pa.array([0.5, 2, 2], pa.float16()), ColumnTerms(min=1, allowed=[0.5, 2]), [0]),
        (pa.array([0.5, 2, 2], pa.float16()), ColumnTerms(unique=True), [1, 2]),
        (pa.array([0, 255], pa.uint8()), ColumnTerms(min=-5, max=1000), []),
        (pa.array([0, 255], pa.uint8()), ColumnTerms(min=256), [0, 1]),
        (pa.array([2**64 - 1], pa.uint64()), ColumnTerms(max=2**63), [0]),
        (pa.array([2**53 + 1]), ColumnTerms(max=2**53), [0]),
        (pa.array([1, 2]), ColumnTerms(max=math.inf, min=-math.inf), []),
        (pa.array([1, 2]), ColumnTerms(allowed=[1, 2.5, 10**30]), [1]),
        (pa.nulls(2), ColumnTerms(type="integer", min=3, allowed=[1], unique=True), []),
        (pa.nulls(2), ColumnTerms(nullable=False), [0, 1]),
    ],
)  # fmt: skip
def test_every_type_is_judged_in_its_own_terms(column: Any, terms: ColumnTerms, rows: list[int]) -> None:
    result = check(pa.table({"x": column}), Contract(columns={"x": terms}))

    assert [f.rows for f in result.findings] == ([rows] if rows else [])


@pytest.mark.parametrize(
    ("column", "terms", "words"),
    [
        (pa.array([1]), ColumnTerms(min="a"), "must be at least a, but a column of type integer cannot be compared"),
        (pa.array(["a"]), ColumnTerms(max=3), "type string cannot be compared"),
        (pa.array(["a"]), ColumnTerms(allowed=["a", 1]), "type string cannot be compared"),
        (pa.array([True]), ColumnTerms(min=0), "type boolean cannot be compared"),
        (pa.array([[1]]), ColumnTerms(unique=True), "such a type cannot be compared"),
        (pa.array([date(2020, 1, 1)]), ColumnTerms(min="soon"), "type date cannot be compared"),
        (pa.array([1]), ColumnTerms(type="string"), "must be of type string, and is of type integer"),
    ],
)
def test_terms_that_do_not_fit_the_column_are_a_finding(column: Any, terms: ColumnTerms, words: str) -> None:
    (finding,) = check(pa.table({"x": column}), Contract(columns={"x": terms})).findings

    assert finding.kind == "type"
    assert words in finding.rule


def test_only_the_first_rows_are_named_and_all_are_counted() -> None:
    (finding,) = check(pa.table({"x": range(1000)}), Contract(columns={"x": ColumnTerms(max=9)})).findings

    assert finding.count == 990
    assert finding.rows == list(range(10, 30))
    assert finding.sentence == ("x must be at most 9: 990 rows break this (row 10: 10, row 11: 11, row 12: 12, …).")


def test_a_key_whose_column_is_gone_and_too_few_rows_are_said() -> None:
    findings = check(pa.table({"x": [1]}), Contract(unique=[["x", "y"]], min_rows=2)).findings

    assert [f.sentence for f in findings] == [
        "x, y must be a key, but y is not there.",
        "The table must have at least 2 rows, and has 1.",
    ]


def test_a_column_that_need_not_be_there_may_be_missing() -> None:
    assert check(pa.table({"x": [1]}), Contract(columns={"y": ColumnTerms(required=False)})).passed


@pytest.mark.parametrize(
    ("terms", "words"),
    [
        ({"min": 2, "max": 1}, "not above max"),
        ({"min": "a", "max": 1}, "of one kind"),
        ({"min": math.nan}, "are numbers"),
        ({"allowed": []}, "at least one allowed value"),
    ],
)
def test_terms_that_no_value_can_fulfil_are_refused(terms: dict[str, Any], words: str) -> None:
    with pytest.raises(msgspec.ValidationError, match=words):
        msgspec.convert(terms, ColumnTerms)


@pytest.mark.parametrize("contract", [{"unique": [[]]}, {"unique": [["a", "a"]]}, {"min_rows": -1}])
def test_contracts_that_make_no_sense_are_refused(contract: dict[str, Any]) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(contract, Contract)
