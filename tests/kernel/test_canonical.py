"""One value has one canonical form."""

from __future__ import annotations

import json
import math
import struct

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from taxiway.kernel.canonical import NotCanonical, _text, canonical_json

NUMBERS = st.integers(-(2**53) + 1, 2**53 - 1) | st.floats(allow_nan=False, allow_infinity=False)
JSON = st.recursive(
    st.none() | st.booleans() | NUMBERS | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@given(st.dictionaries(st.text(), JSON))
def test_the_order_of_keys_makes_no_difference(value: dict[str, object]) -> None:
    backwards = dict(reversed(value.items()))

    assert canonical_json(backwards) == canonical_json(value)


@given(JSON)
def test_canonical_json_reads_back_as_the_same_value_and_is_its_own_canonical_form(value: object) -> None:
    once = canonical_json(value)

    assert json.loads(once, parse_int=float) == value
    assert canonical_json(msgspec.json.decode(once)) == once


@given(JSON | st.dictionaries(st.text(st.characters(min_codepoint=0xE000, exclude_categories=["Cs"])), NUMBERS))
def test_the_quick_way_writes_what_the_long_one_does(value: object) -> None:
    assert canonical_json(value) == _text(value).encode()


@pytest.mark.parametrize(
    ("bits", "text"),
    [  # RFC 8785, appendix B
        ("0000000000000000", "0"),
        ("8000000000000000", "0"),
        ("0000000000000001", "5e-324"),
        ("7fefffffffffffff", "1.7976931348623157e+308"),
        ("4340000000000000", "9007199254740992"),
        ("4430000000000000", "295147905179352830000"),
        ("44b52d02c7e14af5", "9.999999999999997e+22"),
        ("44b52d02c7e14af6", "1e+23"),
        ("444b1ae4d6e2ef4e", "999999999999999700000"),
        ("444b1ae4d6e2ef50", "1e+21"),
        ("3eb0c6f7a0b5ed8c", "9.999999999999997e-7"),
        ("3eb0c6f7a0b5ed8d", "0.000001"),
        ("41b3de4355555553", "333333333.3333332"),
        ("becbf647612f3696", "-0.0000033333333333333333"),
        ("43143ff3c1cb0959", "1424953923781206.2"),
    ],
)
def test_numbers_are_written_as_the_standard_writes_them(bits: str, text: str) -> None:
    (value,) = struct.unpack(">d", bytes.fromhex(bits))

    assert canonical_json(value).decode() == text


@pytest.mark.parametrize("value", [math.nan, -math.inf, 2**53 + 1, 2**63, 10**400])
def test_a_number_without_a_canonical_form_is_refused(value: float) -> None:
    with pytest.raises(NotCanonical):
        canonical_json({"value": [None, value]})
