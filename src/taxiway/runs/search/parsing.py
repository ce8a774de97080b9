"""Reading filters and orders: one language for pages, command line, SDK and MLflow's client, whose own is a part of it.

    metrics.accuracy > 0.9 and (params.model in ("logistic", "forest") or tags.team like 'risk%')
    and not status = "failed" and started_at > "7 days ago" and "calm heron"

A name that is more than letters, digits, ``_ . / -`` stands in backticks or quotes: ``metrics.`val loss` < 1``.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal, NoReturn

from taxiway.runs.search.descent import Descent
from taxiway.runs.search.filter import (
    DATASET_FIELDS,
    NUMBER_FIELDS,
    ORDERED,
    TIME_FIELDS,
    Ago,
    And,
    Field,
    Node,
    Not,
    Or,
    Order,
    Scalar,
    Sign,
    Term,
    Value,
    When,
    Words,
    flat,
    render_field,
)
from taxiway.runs.search.language import KNOWN, PLAIN, Language
from taxiway.runs.search.moments import DURATIONS, MOMENTS, in_milliseconds, read_duration, read_when
from taxiway.runs.search.patterns import PatternBroken, compiled
from taxiway.runs.search.tokens import Token, Tokens, one_of, unquoted

MOST_TERMS = 100
MOST_LISTED = 5_000
MOST_ORDERS = 10

FIELDS = (*("metrics.NAME", "params.NAME", "tags.NAME", "note"), *KNOWN, *(f"dataset.{n}" for n in DATASET_FIELDS))
EXACT: tuple[Sign, ...] = ("=", "!=")
ORDERING: tuple[Sign, ...] = ("=", "!=", "<", "<=", ">", ">=")
WORDY: tuple[Sign, ...] = ("=", "!=", "contains", "like", "ilike", "~", "in", "not in")
LISTED: tuple[Sign, ...] = ("in", "not in")
EMPTY: tuple[Sign, ...] = ("is null", "is not null")
ALSO: dict[str, Sign] = {"rlike": "~"}
SIGN_WORDS = ("contains", "like", "ilike", "rlike", "in", "is")
EVERY: tuple[Sign, ...] = (*ORDERING, *WORDY[2:], *EMPTY)


def parse_filter(text: str, language: Language = PLAIN) -> Node | None:
    """What a filter asks for; None where the text is empty. Raises BadField with the position and what would do.

    >>> parse_filter('metrics.accuracy >= 0.9')
    Term(field=Field(kind='metrics', name='accuracy'), sign='>=', value=0.9)
    """
    return Parser(Tokens(text, "filter"), language).whole()


def parse_order(text: str | Sequence[str], language: Language = PLAIN) -> tuple[Order, ...]:
    """By what to order: fields, each with ``asc`` (when nothing is said) or ``desc``, and commas between.

    Raises BadField. A strict language has parameters ordered by code point and never as numbers.

    >>> parse_order("metrics.loss desc")
    (Order(field=Field(kind='metrics', name='loss'), is_falling=True, is_text=False),)
    """
    found: list[Order] = []
    for part in [text] if isinstance(text, str) else text:
        tokens = Tokens(part, "order")
        while tokens.now.kind != "end" or (language.is_strict and not tokens.is_begun):
            at = tokens.now
            order = order_of(tokens, language)
            if any(order.field == known.field for known in found):
                tokens.refuse(at, f"each field once; {render_field(order.field)} was there already,")
            found.append(order)
            if len(found) > MOST_ORDERS:
                tokens.refuse(None, f"at most {MOST_ORDERS} fields")
            if tokens.now.kind != "end" and (language.is_strict or not tokens.skip(",")):
                tokens.refuse(
                    tokens.now, "ASC, DESC or the end" if language.is_strict else "asc, desc, a comma or the end"
                )
    return tuple(found)


def order_of(tokens: Tokens, language: Language) -> Order:
    at = tokens.take()
    expected = f"metrics.NAME, params.NAME, tags.NAME or {one_of(ORDERED)}"
    field = language.field(at)
    if field is None or field.kind == "dataset" or (field.kind == "run" and field.name not in ORDERED):
        tokens.refuse(at, expected)
    is_falling = tokens.now.says("desc")
    tokens.skip("asc", "desc")
    return Order(field, is_falling, is_text=language.is_strict and field.kind == "params")


class Parser(Descent[Node]):
    """Reads a filter of runs."""

    most_terms = MOST_TERMS
    lets_and_dangle = True  # as in MLflow, so old scripts have it

    def __init__(self, tokens: Tokens, language: Language) -> None:
        super().__init__(tokens)
        self.language = language

    def whole(self) -> Node | None:
        is_blank = self.tokens.now.kind == "end" and bool(self.tokens.source)
        return self.either() if is_blank and self.language.is_strict else super().whole()

    def joined(self, word: Literal["and", "or"], parts: Sequence[Node]) -> Node:
        return flat(And if word == "and" else Or, parts)

    def turned(self, part: Node) -> Node:
        return Not(part)

    def term(self) -> Node:
        at = self.tokens.take()
        is_named = self.tokens.now.kind == "sign" or self.tokens.now.says(*SIGN_WORDS)
        if at.kind == "text" and not is_named:
            return self.words(at)
        if at.says("text") and self.tokens.skip("~"):
            return self.words(self.tokens.take())
        field = self.language.field(at)
        if field is None:
            self.tokens.refuse(
                at, f"a condition, a text in quotes to look for, not or (; conditions begin with {one_of(FIELDS)}"
            )
        sign = self.tokens.take_sign(signs_of(field, self.language), also=ALSO)
        return Term(field, sign, self.value(field, sign))

    def words(self, token: Token) -> Words:
        if token.kind != "text" or not any(c.isalnum() for c in unquoted(token.text)):
            self.tokens.refuse(token, "a text in quotes with words to look for")
        return Words(unquoted(token.text))

    def value(self, field: Field, sign: Sign) -> Value:
        if sign in EMPTY:
            return None
        if sign in LISTED:
            return self.listed(field)
        at = self.tokens.take()
        value = value_of(at, field, sign)
        if self.language.is_strict:
            value = strictly(at, field, sign, value)
        if value is None:
            self.tokens.refuse(at, expected_of(field, sign, self.language))
        if sign == "~":
            try:
                compiled(str(value))
            except PatternBroken as e:
                self.tokens.refuse(at, f"a regular expression in RE2's syntax ({e})")
        return value

    def listed(self, field: Field) -> tuple[str | float, ...]:
        def take(before: Sequence[str | float]) -> str | float:
            at = self.tokens.take()
            value = value_of(at, field, "=")
            is_alike = not before or isinstance(value, str) == isinstance(before[0], str)
            if not isinstance(value, (str, float)) or isinstance(value, bool) or not is_alike:
                self.refuse_listed(at, field)
            return value

        # Python, which reads it for MLflow, lets a comma dangle.
        return self.tokens.take_list(take, most=MOST_LISTED, is_python=self.language.is_strict)

    def refuse_listed(self, at: Token, field: Field) -> NoReturn:
        of_params = "texts in quotes, or numbers, but not both"
        kinds = {"metrics": "numbers", "params": of_params}
        self.tokens.refuse(at, f"a list of {kinds.get(field.kind, 'texts in quotes')}")


def is_time(field: Field) -> bool:
    return field.kind == "run" and field.name in TIME_FIELDS


def is_number(field: Field) -> bool:
    return field.kind == "metrics" or (field.kind == "run" and field.name in NUMBER_FIELDS)


def signs_of(field: Field, language: Language) -> tuple[Sign, ...]:
    """How a field may be compared."""
    signs = every_sign_of(field)
    if language.is_strict and field.kind not in ("params", "tags"):
        return tuple(sign for sign in signs if sign not in EMPTY)
    return signs


def every_sign_of(field: Field) -> tuple[Sign, ...]:
    if field.kind == "metrics":
        return (*ORDERING, *LISTED, *EMPTY)
    if field.kind == "params":
        return EVERY
    if is_time(field) or is_number(field):
        return (*ORDERING, *EMPTY)
    return (*WORDY, *EMPTY)


def value_of(token: Token, field: Field, sign: Sign) -> Scalar | None:
    """A value that the field can be compared with in that way; None where the token is none."""
    if is_time(field):
        return moment_of(token)
    if is_number(field):
        is_metric = field.kind == "metrics" or token.kind == "number"
        return number_of(token) if is_metric else read_duration(spelled(token))
    if token.kind == "text":
        return unquoted(token.text) if sign not in ("<", "<=", ">", ">=") else None
    if field.kind != "params" or sign not in ORDERING:
        return None
    if token.says("true", "false"):
        return token.says("true") if sign in EXACT else None
    return number_of(token)


def strictly(token: Token, field: Field, sign: Sign, value: Scalar | None) -> Scalar | None:
    """The value, where MLflow's server would not say that it is none."""
    if field.kind == "params" and sign in EXACT:
        return value if isinstance(value, str) else None
    if token.kind == "number" and token.text.startswith("+"):
        return None
    if token.kind == "number" and field.kind == "metrics":
        return float(token.text)  # 1e999 too
    return value


def number_of(token: Token) -> float | None:
    value = float(token.text) if token.kind == "number" else math.nan
    return value if math.isfinite(value) else None


def moment_of(token: Token) -> When | Ago | None:
    if token.kind == "text":
        return read_when(spelled(token))
    value = number_of(token)
    return None if value is None or abs(value) > 9e15 else in_milliseconds(value)


def spelled(token: Token) -> str:
    return unquoted(token.text) if token.kind == "text" else token.text


def expected_of(field: Field, sign: Sign, language: Language) -> str:
    if is_time(field):
        return MOMENTS
    if field.kind == "run" and field.name in NUMBER_FIELDS:
        return DURATIONS
    if field.kind == "metrics":
        return f"a number for {render_field(field)}"
    if field.kind != "params" or sign not in ORDERING or (language.is_strict and sign in EXACT):
        return f"a text in quotes for {render_field(field)}"
    return "a number" if sign not in EXACT else "a number, a text in quotes, true or false"
