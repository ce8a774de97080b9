"""YAML read strictly: what is right comes through, what is wrong is named with line and key."""

from __future__ import annotations

import math
import re
from typing import Any, Literal

import msgspec
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Struct

from taxiway.kernel.errors import revive
from taxiway.storage.contract import YamlBroken
from taxiway.storage.yaml_text import read_tree, read_yaml


class Rule(Struct, frozen=True, forbid_unknown_fields=True):
    kind: Literal["integer", "number"] = "number"
    min: float | None = None
    max: float | None = None

    def __post_init__(self) -> None:
        if self.min is not None and self.max is not None and self.min > self.max:
            raise ValueError(f"a min of at most max ({self.max})")


class Policy(Struct, frozen=True, forbid_unknown_fields=True):
    name: str
    columns: dict[str, Rule] = {}
    keys: list[list[str]] = []
    rules: list[Rule] = []


GOOD = """\
name: loans  # a comment
columns:
  age: {kind: integer, min: 18}
  no: {max: .5}
keys:
- [age, "no"]
"""


def refusal(text: str) -> YamlBroken:
    with pytest.raises(YamlBroken) as refused:
        read_yaml(text, Policy, name="loans.yaml")
    return refused.value


def test_a_text_becomes_the_struct_it_describes() -> None:
    read = read_yaml(GOOD, Policy, name="loans.yaml")

    columns = {"age": Rule(kind="integer", min=18), "no": Rule(max=0.5)}
    assert read == Policy(name="loans", columns=columns, keys=[["age", "no"]])


@pytest.mark.parametrize(
    ("text", "line", "key", "words"),
    [
        ("name: a\ncolumns:\n  age:\n    kind: text\n", 4, "columns.age.kind", "'text' is not accepted"),
        ("name: a\ncolumns:\n  a: {min: 1}\n  b:\n    min: low\n", 5, "columns.b.min", "'low' is not accepted"),
        ("name: a\ncolumns:\n  a: {min: 1}\n  b:\n    mn: 2\n", 5, "columns.b.mn", "one of kind, min, max"),
        ("name: a\nrules:\n- min: 1\n- min: 3\n  max: 2\n", 4, "rules.1", "a min of at most max"),
        ("columns: {}\n", 1, "", "the key name is missing"),
        ("name: a\nname: b\n", 2, "name", "the key stands twice, first on line 1"),
        ("name: a\ncolour: red\n", 2, "colour", "one of name, columns, keys, rules"),
        ("name: 3\n", 1, "name", "give a text."),
        ("", 1, "", "there is nothing in it"),
        ("- a\n- b\n", 1, "", "is not accepted"),
        ("name: a\nkeys: [[a, b]\n", 3, "", "valid YAML"),
        ("name: a\n\tkeys: []\n", 2, "", "valid YAML"),
        ("name: 'a\n", 2, "", "valid YAML"),
        ("name: &x a\n", 1, "name", "anchors"),
        ("name: *x\n", 1, "name", "anchors"),
        ("name: !!python/object/apply:os.system [ls]\n", 1, "name", "is not read"),
        ("name: a\n---\nname: b\n", 2, "", "a second document"),
        ("name: a\ncolumns:\n  <<: {age: {min: 1}}\n", 3, "columns.<<", "merged"),
        ("? [a]\n: b\n", 1, "", "a key is a list"),
        ("name: a\x00\n", 1, "", "plain text"),
        ("name: " + "9" * 40 + "\n", 1, "name", "40 digits"),
        ("name: " + "[" * 60 + "]" * 60, 1, "name" + ".0" * 40, "nested"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named_with_line_and_key(text: str, line: int, key: str, words: str) -> None:
    refused = refusal(text)

    assert (refused.line, refused.key) == (line, key)
    assert words in str(refused)
    assert str(refused).startswith(f"loans.yaml, line {line}")


def test_a_huge_text_is_refused_before_it_is_read() -> None:
    assert "characters" in str(refusal("name: " + "a" * (1 << 20)))
    assert "more than 50,000 values" in str(refusal("name: [" + "1," * 60_000 + "]"))


def test_words_that_other_readers_turn_into_something_else_stay_words() -> None:
    text = "[no, on, 2024-01-31, 1_000, 0x1f, 12:30, 1e3, -.5, true, null, 'true', 010]"

    values = read_tree(text, "words").value

    assert values == ["no", "on", "2024-01-31", "1_000", "0x1f", "12:30", 1000.0, -0.5, True, None, "true", 10]


def test_numbers_that_are_none_are_read_as_such() -> None:
    none, most, least = read_tree("[.nan, .inf, -.inf]", "numbers").value

    assert math.isnan(none)
    assert (most, least) == (math.inf, -math.inf)


def test_a_refusal_travels_with_its_facts() -> None:
    refused = refusal("name: 3\n")

    wire = msgspec.json.decode(msgspec.json.encode(refused.facts()))
    assert str(revive("YamlBroken", wire)) == str(refused)


def trees(words: st.SearchStrategy[str]) -> st.SearchStrategy[Any]:
    """Values of any shape whose texts are such words."""
    numbers = st.integers(-(10**12), 10**12) | st.floats(allow_nan=False, allow_infinity=False, width=32)
    leaves = st.none() | st.booleans() | numbers | words
    return st.recursive(leaves, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(words, inner, max_size=4))


WORDS = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs", "Cn"]), max_size=12)
# PyYAML writes by YAML 1.1, where 0E0 is a word that needs no quotes; by 1.2, which is read here, it is a number.
EXPONENT = re.compile(r"[-+]?[0-9.]+[eE][-+]?[0-9]+")


@given(trees(WORDS))
def test_json_is_read_as_what_it_says(value: Any) -> None:
    text = msgspec.json.encode(value).decode()

    assert read_tree(text, "tree").value == value


@given(trees(WORDS.filter(lambda word: not EXPONENT.fullmatch(word))))
def test_what_another_library_writes_is_read_back(value: Any) -> None:
    text = yaml.safe_dump({"value": value}, allow_unicode=True, default_flow_style=False)

    assert read_tree(text, "tree").value == yaml.safe_load(text)
