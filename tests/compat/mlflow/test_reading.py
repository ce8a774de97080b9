"""Requests as clients write them: what is taken, and what the refusal of the rest says."""

from __future__ import annotations

import contextlib
import json
import math
from typing import Any, Literal

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import Struct

from taxiway.compat.mlflow.call import Given, Int64
from taxiway.compat.mlflow.reading import Reader
from taxiway.compat.mlflow.refusals import BodyUnreadable, ParameterInvalid, ParameterMissing
from taxiway.kernel.numbers import Number


class Part(Struct, frozen=True):
    key: Given
    value: Number = 0.0


class Ask(Struct, frozen=True):
    name: Given
    text: str = ""
    step: Int64 = 0
    size: Int64 | None = None
    value: Number = 0.0
    is_on: bool = False
    view: Literal["ALL", "SOME"] = "ALL"
    maybe: Literal["ALL", "SOME"] | None = None
    parts: list[Part] = []
    names: list[str] = []


READER = Reader(Ask)


def read(**values: Any) -> Ask:
    return READER.read_json(json.dumps({"name": "n", **values}).encode())


def test_numbers_may_come_as_texts_and_null_is_absent() -> None:
    found = read(step="5", size="-7", value="0.5", text=None, other={"deep": [1]}, parts=[{"key": "k", "value": "NaN"}])

    assert (found.step, found.size, found.value, found.text) == (5, -7, 0.5, "")
    assert found.parts == [Part("k", "NaN")]


def test_whole_numbers_keep_every_digit() -> None:
    assert read(step=2**53 + 1).step == 2**53 + 1
    assert read(step=str(2**63 - 1)).step == 2**63 - 1
    assert read(step=-(2**63)).step == -(2**63)
    assert read(step=3.0).step == 3


WRONG: list[tuple[str, Any, str]] = [
    ("step", "foo", '"foo"'),
    ("step", 2**63, "9223372036854775808"),
    ("step", -(2**63) - 1, "-9223372036854775809"),
    ("step", 1.5, "1.5"),
    ("step", True, "true"),
    ("step", "1_000", '"1_000"'),
    ("step", "\uff19", '"\uff19"'),
    ("step", "9" * 5000, '"999'),
    ("value", "x", '"x"'),
    ("value", "inf", '"inf"'),
    ("value", "1e999", '"1e999"'),
    ("value", 10**400, "1000"),
    ("value", True, "true"),
    ("value", [1], "[1]"),
    ("name", 31, "31"),
    ("text", 9.0, "9.0"),
    ("is_on", 1, "1"),
    ("view", "NONE", '"NONE"'),
    ("view", ["ALL"], '["ALL"]'),
    ("maybe", "NONE", '"NONE"'),
    ("maybe", {}, "{}"),
    ("parts", "5", '"5"'),
    ("names", {}, "{}"),
]


@pytest.mark.parametrize(("field", "value", "shown"), WRONG)
def test_a_wrong_value_is_refused_by_name(field: str, value: Any, shown: str) -> None:
    with pytest.raises(ParameterInvalid) as refusal:
        read(**{field: value})

    assert str(refusal.value).startswith(f"Invalid value {shown}")
    assert f"for parameter '{field}' supplied" in str(refusal.value)


@pytest.mark.parametrize("values", [{}, {"name": None}, {"name": ""}, {"names": ["a"]}])
def test_what_must_be_there_is_missed_by_name(values: dict[str, Any]) -> None:
    with pytest.raises(ParameterMissing, match="Missing value for required parameter 'name'"):
        READER.read_json(json.dumps(values).encode())


def test_what_is_wrong_deep_inside_is_named_in_full() -> None:
    with pytest.raises(ParameterInvalid, match=r"parameter 'parts\[1\]\.value' supplied"):
        read(parts=[{"key": "a", "value": 1}, {"key": "b", "value": "x"}])
    with pytest.raises(ParameterMissing, match=r"parameter 'parts\[0\]\.key'"):
        read(parts=[{"value": 1}])


@pytest.mark.parametrize(
    "body", [b"{", b"[1", b'{"name": NaN}', b'"\\ud800"', b"\xff", b"[" * 100_000, b'{"a":' * 9000]
)
def test_what_is_no_json_is_refused_with_the_first_field_that_it_lacks(body: bytes) -> None:
    with pytest.raises(ParameterMissing, match=r"required parameter 'name'.*no JSON"):
        READER.read_json(body)


@pytest.mark.parametrize("body", [b"[]", b"5", b'"name"', b"null", b'{"name":"a\\u0000"}'])
def test_what_is_no_object_is_refused(body: bytes) -> None:
    with pytest.raises(BodyUnreadable):
        READER.read_json(body)


def test_a_query_repeats_the_name_of_a_list() -> None:
    found = READER.read_query({"name": ["a", "b"], "names": ["x"], "step": ["4"], "is_on": ["True"]})

    assert found == Ask(name="b", names=["x"], step=4, is_on=True)


def test_what_the_address_says_wins() -> None:
    assert READER.read_json(b'{"name":"body"}', {"name": "path"}).name == "path"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=60)
@given(st.dictionaries(st.sampled_from([*Ask.__struct_fields__, "other"]), JSON))
def test_whatever_comes_is_read_or_refused(values: dict[str, Any]) -> None:
    with contextlib.suppress(ParameterInvalid, ParameterMissing, BodyUnreadable):
        found = READER.read_json(json.dumps(values).encode())

        assert found.name == values["name"]
        msgspec.convert(msgspec.to_builtins(found), Ask)


@given(st.floats(allow_nan=False, allow_infinity=False), st.integers(-(2**63), 2**63 - 1))
def test_numbers_are_read_alike_as_numbers_and_as_texts(value: float, step: int) -> None:
    as_numbers, as_texts = read(value=value, step=step), read(value=repr(value), step=str(step))

    assert as_numbers == as_texts
    assert isinstance(as_numbers.value, float)
    assert math.isclose(as_numbers.value, value, rel_tol=0)
