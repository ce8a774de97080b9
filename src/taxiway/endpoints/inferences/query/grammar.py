"""What a question to an inference log asks for, read from text: it knows the log's words, and no table.

    latency_ms > 50 and (inputs.district = "north" or not outputs.prediction = 1) and caller in ("ana", "olu")

The words and signs are those of a search of runs. ``prediction`` and ``score`` are short for those of the outputs.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib.metadata import entry_points
from typing import Literal, TypeAlias

from msgspec import Struct

from taxiway.kernel.errors import BadField
from taxiway.runs.search.descent import Descent
from taxiway.runs.search.filter import Ago, When
from taxiway.runs.search.moments import MOMENTS, UNITS_S, read_duration, read_when
from taxiway.runs.search.patterns import PatternBroken, compiled
from taxiway.runs.search.tokens import Token, Tokens, one_of, unquoted

Place = Literal["record", "inputs", "outputs"]
Sign = Literal[
    "=", "!=", "<", "<=", ">", ">=", "contains", "like", "ilike", "~", "in", "not in", "is null", "is not null"
]
Scalar: TypeAlias = str | float | bool | When | Ago
Value: TypeAlias = Scalar | tuple[str | float, ...] | None

TEXTS = (
    "prediction_id",
    "model",
    "bundle_digest",
    "status",
    "error",
    "caller",
    "trace_id",
    "protocol",
    "endpoint",
)
NUMBERS = ("latency_ms", "revision", "row")
TIMES = ("at", "event_at")
FLAGS = ("shadow",)
SHORT = ("prediction", "score")
OWN_PROTOCOL = "taxiway"
PLACES: dict[str, Place] = {"inputs": "inputs", "input": "inputs", "outputs": "outputs", "output": "outputs"}
FIELDS = (*NUMBERS, *TEXTS, *TIMES, *FLAGS, *SHORT, "inputs.NAME", "outputs.NAME")
ORDERING: tuple[Sign, ...] = ("=", "!=", "<", "<=", ">", ">=")
WORDY: tuple[Sign, ...] = ("=", "!=", "contains", "like", "ilike", "~", "in", "not in")
EMPTY: tuple[Sign, ...] = ("is null", "is not null")
EVERY: tuple[Sign, ...] = (*ORDERING, *WORDY[2:], *EMPTY)
MOST_TERMS = 50
MOST_LISTED = 1_000
MOST_PATTERN = 1_000


class Field(Struct, frozen=True):
    """What a term is about: a column of the record, or a field of the inputs or outputs by name."""

    place: Place
    name: str


class Term(Struct, frozen=True):
    """One condition. A record that lacks the field does not meet it, but for ``is null``."""

    field: Field
    sign: Sign
    value: Value = None


class Not(Struct, frozen=True):
    part: Node


class And(Struct, frozen=True):
    parts: tuple[Node, ...]


class Or(Struct, frozen=True):
    parts: tuple[Node, ...]


Node: TypeAlias = Term | Not | And | Or


def parse_where(text: str) -> Node | None:
    """What a text asks for; None where it is empty. Raises BadField with the position and what would do.

    >>> parse_where("latency_ms > 50")
    Term(field=Field(place='record', name='latency_ms'), sign='>', value=50.0)
    """
    return Parser(Tokens(text, "where")).whole()


def fields_of(node: Node | None) -> set[Field]:
    """Every field that is asked about."""
    match node:
        case None:
            return set()
        case Term(field):
            return {field}
        case Not(part):
            return fields_of(part)
        case And(parts) | Or(parts):
            return {field for part in parts for field in fields_of(part)}


class Parser(Descent[Node]):
    """Reads a condition on records."""

    most_terms = MOST_TERMS

    def joined(self, word: Literal["and", "or"], parts: Sequence[Node]) -> Node:
        return And(tuple(parts)) if word == "and" else Or(tuple(parts))

    def turned(self, part: Node) -> Node:
        return Not(part)

    def term(self) -> Node:
        field = self.field()
        sign = self.tokens.take_sign(signs_of(field))
        return Term(field, sign, self.value(field, sign))

    def field(self) -> Field:
        at = self.tokens.take()
        found = field_of(at)
        if found is None:
            self.tokens.refuse(at, f"a condition, `not` or `(`; conditions begin with {one_of(FIELDS)}")
        return found

    def value(self, field: Field, sign: Sign) -> Value:
        if sign in EMPTY:
            return None
        if sign in ("in", "not in"):
            return self.listed(field)
        at = self.tokens.take()
        found = value_of(at, field)
        is_text = sign in ("contains", "like", "ilike", "~")
        if found is None or (is_text and not isinstance(found, str)):
            self.tokens.refuse(at, "a text in quotes" if is_text else expected_of(field))
        if sign in ("=", "!="):
            self.check_known(at, field, found)
        if isinstance(found, str) and len(found) > MOST_PATTERN and is_text:
            self.tokens.refuse(at, f"at most {MOST_PATTERN:,} characters")
        if sign == "~":
            try:
                compiled(str(found))
            except PatternBroken as e:
                self.tokens.refuse(at, f"a regular expression in RE2's syntax ({e})")
        return found

    def listed(self, field: Field) -> tuple[str | float, ...]:
        def take(before: Sequence[str | float]) -> str | float:
            at = self.tokens.take()
            value = value_of(at, field)
            if not isinstance(value, str | float) or isinstance(value, bool):
                self.tokens.refuse(at, expected_of(field))
            self.check_known(at, field, value)
            return value

        return self.tokens.take_list(take, most=MOST_LISTED)

    def check_known(self, at: Token, field: Field, value: Scalar) -> None:
        """Refuses a protocol that no record can have, which would find nothing."""
        if field == Field("record", "protocol") and value not in (known := protocols()):
            self.tokens.refuse(at, f"one of the protocols {', '.join(map(repr, known))}")


def protocols() -> list[str]:
    """The protocols that a record may be in: our own, and those of the dialects that are installed."""
    return [OWN_PROTOCOL, *sorted(each.name for each in entry_points(group="taxiway.dialects"))]


def field_of(at: Token) -> Field | None:
    """What a token names; None where it names nothing of a record."""
    if at.kind == "field":
        said, _, name = at.text.partition(".")
        plain = unquoted(name) if name[0] in "`\"'" else name
        place = PLACES.get(said.lower())
        return Field(place, plain) if place else None
    word = at.text.lower() if at.kind == "word" else ""
    if word in SHORT:
        return Field("outputs", word)
    return Field("record", word) if word in (*NUMBERS, *TEXTS, *TIMES, *FLAGS) else None


def signs_of(field: Field) -> tuple[Sign, ...]:
    """What a field may be asked."""
    if field.place != "record":
        return EVERY
    if field.name in TEXTS:
        return (*WORDY, *EMPTY)
    if field.name in FLAGS:
        return ("=", "!=")
    return (*ORDERING, "in", "not in") if field.name in NUMBERS else ORDERING


def value_of(at: Token, field: Field) -> Scalar | None:
    """A token as a value that the field may have; None where it is none."""
    text = unquoted(at.text) if at.kind == "text" else None
    flag = at.text.lower() == "true" if at.says("true", "false") else None
    number = float(at.text) if at.kind == "number" else None
    if field.place != "record":
        return flag if flag is not None else number if number is not None else text
    if field.name in TIMES:
        return None if text is None else read_when(text)
    if field.name in FLAGS:
        return flag
    if at.kind == "span" and field.name == "latency_ms":
        seconds = read_duration(at.text)
        return None if seconds is None else seconds / UNITS_S["ms"]
    return text if field.name in TEXTS else number


def expected_of(field: Field) -> str:
    if field.place != "record":
        return "a number, a text in quotes, true or false"
    if field.name in TIMES:
        return MOMENTS
    if field.name in FLAGS:
        return "true or false"
    return "a text in quotes" if field.name in TEXTS else "a number"


def read_bound(text: str, name: str) -> When | Ago | None:
    """A moment such as ``1h`` (before now), ``2 days ago`` or a date; None for an empty text. Raises BadField."""
    if not text.strip():
        return None
    seconds = read_duration(text)
    found = Ago(seconds, text) if seconds is not None and seconds < 1e10 else read_when(text)
    if found is None:
        raise BadField(field=name, value=repr(text[:100]), expected='a span such as "1h" or "30 min", or a date')
    return found
