"""The language in which runs are searched and ordered. Pure: it knows words, not tables.

    metrics.accuracy > 0.9 and params.model = "logistic" and tags.team = 'risk' and status = "finished"

Terms are joined with ``and``. A name that is more than letters, digits, ``_ . / -`` stands in backticks:
``metrics.`val loss` < 1``. Texts stand in quotes; a backslash takes the next character as it is.
"""

from __future__ import annotations

import math
import re
from typing import Literal, NamedTuple, NoReturn

from msgspec import Struct

from taxiway.kernel.errors import BadField

Kind = Literal["metrics", "params", "tags", "run"]
Comparison = Literal["=", "!=", "<", "<=", ">", ">=", "contains"]
Value = str | float | bool

TEXT_FIELDS = ("id", "name", "status", "experiment", "project", "created_by")
NUMBER_FIELDS = ("duration_s", "cpu_s")
TIME_FIELDS = ("started_at", "ended_at")
ORDERED = (*TIME_FIELDS, *NUMBER_FIELDS, "name")
MOST_TERMS = 20

FIELDS = ", ".join(("metrics.NAME", "params.NAME", "tags.NAME", *TEXT_FIELDS, *NUMBER_FIELDS))
TOKEN = re.compile(
    r"""\s*(?:
        (?P<text>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')
      | (?P<number>[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?(?![\w.]))
      | (?P<sign><=|>=|!=|=|<|>)
      | (?P<field>(?:metrics|params|tags)\.(?:`(?:[^`\\]|\\.)+`|[\w./-]+))
      | (?P<word>\w+)
    )""",
    re.VERBOSE | re.DOTALL,
)
PLAIN = re.compile(r"[\w./-]+")


class Field(Struct, frozen=True):
    """What a term or an order is about: a metric, parameter or tag by name, or a fact of the run itself."""

    kind: Kind
    name: str


class Term(Struct, frozen=True):
    """One condition."""

    field: Field
    sign: Comparison
    value: Value


class Order(Struct, frozen=True):
    """By what to order. Runs without a value, or with NaN, come last either way."""

    field: Field
    is_falling: bool = False


class Token(NamedTuple):
    kind: str
    text: str
    at: int


def parse_filter(text: str) -> list[Term]:
    """The terms of a filter, all of which must hold; an empty text has none. Raises BadField.

    >>> parse_filter('metrics.accuracy >= 0.9')
    [Term(field=Field(kind='metrics', name='accuracy'), sign='>=', value=0.9)]
    """
    tokens = tokens_of(text)
    terms: list[Term] = []
    while tokens:
        if terms and not is_word(tokens.pop(0), "and"):
            refuse(text, f"terms joined with `and`, after {render(terms)}")
        if len(tokens) < 3:
            refuse(text, 'terms such as metrics.accuracy > 0.9 or params.model = "logistic"')
        terms.append(term_of(text, *tokens[:3]))
        del tokens[:3]
    if len(terms) > MOST_TERMS:
        refuse(text, f"at most {MOST_TERMS} terms")
    return terms


def parse_order(text: str) -> Order:
    """What to order by: a field, and ``asc`` (when nothing is said) or ``desc``. Raises BadField.

    >>> parse_order("metrics.loss desc")
    Order(field=Field(kind='metrics', name='loss'), is_falling=True)
    """
    tokens = tokens_of(text, name="order")
    expected = f"a metric, a parameter or one of {', '.join(ORDERED)}, and then asc or desc"
    if not 1 <= len(tokens) <= 2 or (len(tokens) == 2 and tokens[1].text not in ("asc", "desc")):
        refuse(text, expected, name="order")
    field = field_of(tokens[0])
    if field is None or field.kind == "tags" or (field.kind == "run" and field.name not in ORDERED):
        refuse(text, expected, name="order")
    return Order(field, is_falling=len(tokens) == 2 and tokens[1].text == "desc")


def render(terms: list[Term]) -> str:
    """The filter as text; `parse_filter` gives the same terms again."""
    return " and ".join(f"{render_field(t.field)} {t.sign} {render_value(t.value)}" for t in terms)


def render_order(order: Order) -> str:
    return render_field(order.field) + (" desc" if order.is_falling else "")


def render_field(field: Field) -> str:
    if field.kind == "run":
        return field.name
    if PLAIN.fullmatch(field.name):
        return f"{field.kind}.{field.name}"
    escaped = re.sub(r"([`\\])", r"\\\1", field.name)
    return f"{field.kind}.`{escaped}`"


def render_value(value: Value) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        escaped = re.sub(r'(["\\])', r"\\\1", value)
        return f'"{escaped}"'
    return repr(value)


def tokens_of(text: str, name: str = "filter") -> list[Token]:
    found: list[Token] = []
    at = 0
    while text[at:].strip():
        match = TOKEN.match(text, at)
        if match is None or match.lastgroup is None:
            rest = text[at:].lstrip()
            refuse(text, f"something else at character {len(text) - len(rest) + 1}, {rest[:20]!r}", name=name)
        found.append(Token(match.lastgroup, match[match.lastgroup], at))
        at = match.end()
    return found


def term_of(text: str, first: Token, second: Token, third: Token) -> Term:
    field = field_of(first)
    if field is None or (field.kind == "run" and field.name in TIME_FIELDS):
        refuse(text, f"one of {FIELDS} in place of {first.text}")
    if second.kind != "sign" and not is_word(second, "contains"):
        refuse(text, f"one of = != < <= > >= contains in place of {second.text}")
    sign: Comparison = second.text.lower()  # type: ignore[assignment]  # the pattern lets no other through
    value = value_of(third)
    if value is None:
        refuse(text, f"a number, a text in quotes, true or false in place of {third.text}")
    check(text, field, sign, value)
    return Term(field, sign, value)


def check(text: str, field: Field, sign: Comparison, value: Value) -> None:
    """Refuses a comparison that could never hold because its sides are of different kinds."""
    shown = render_field(field)
    if field.kind == "metrics" or (field.kind == "run" and field.name in NUMBER_FIELDS):
        if not isinstance(value, float) or sign == "contains":
            refuse(text, f"a number and one of = != < <= > >= for {shown}")
    elif isinstance(value, str):
        if sign not in ("=", "!=", "contains"):
            refuse(text, f"one of = != contains for {shown} and a text")
    elif field.kind != "params" or sign == "contains":
        refuse(text, f"a text in quotes for {shown}")
    elif isinstance(value, bool) and sign not in ("=", "!="):
        refuse(text, f"= or != for {shown} and true or false")


def field_of(token: Token) -> Field | None:
    if token.kind == "word":
        is_known = token.text in (*TEXT_FIELDS, *NUMBER_FIELDS, *TIME_FIELDS)
        return Field("run", token.text) if is_known else None
    if token.kind != "field":
        return None
    kind, _, name = token.text.partition(".")
    if name.startswith("`"):
        name = re.sub(r"\\(.)", r"\1", name[1:-1], flags=re.DOTALL)
    return Field(kind, name)  # type: ignore[arg-type]  # the pattern lets no other kind through


def value_of(token: Token) -> Value | None:
    if token.kind == "text":
        return re.sub(r"\\(.)", r"\1", token.text[1:-1], flags=re.DOTALL)
    if token.kind == "number":
        value = float(token.text)
        return value if math.isfinite(value) else None
    if token.text.lower() in ("true", "false"):
        return token.text.lower() == "true"
    return None


def is_word(token: Token, word: str) -> bool:
    return token.kind == "word" and token.text.lower() == word


def refuse(text: str, expected: str, *, name: str = "filter") -> NoReturn:
    raise BadField(field=name, value=repr(text if len(text) <= 200 else text[:199] + "…"), expected=expected)
