"""MLflow's filters and orders, for the searches that it has besides that of runs. Pure.

name LIKE 'fraud%' AND tags.team = "risk" AND creation_time > 1700000000000
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Literal, TypeVar

import msgspec
from msgspec import Struct

from taxiway.runs.search.tokens import Token, Tokens, one_of, unquoted

Row = TypeVar("Row")
Kind = Literal["text", "number"]
Value = str | float | tuple[str, ...] | None

NUMBER_SIGNS = ("=", "!=", ">", ">=", "<", "<=")
TEXT_SIGNS = ("=", "!=", "like", "ilike")
LISTED = ("in", "not in")
EMPTY = ("is null", "is not null")
TAGS: dict[str, Kind] = {"tags": "text"}
SPELLINGS = {"tag": "tags", "attribute": "attributes", "attr": "attributes"}
MOST_CLAUSES = 100
MOST_LISTED = 5_000


class Key(Struct, frozen=True):
    """What a clause or an order is about. entity: `attributes`, or one of the vocabulary's."""

    entity: str
    name: str


class Clause(Struct, frozen=True):
    """One condition; all of them must hold."""

    key: Key
    sign: str
    value: Value


class Order(Struct, frozen=True):
    key: Key
    is_falling: bool = False


class Vocabulary(Struct, frozen=True):
    """What a search may speak of.

    attributes: by name. aliases: other names of attributes. entities: what else there is, each with the kind of its
    values (any name is one of its keys). spellings: other names of entities. listed: the attributes that take IN.
    ordered: what one may order by; empty is every attribute.
    """

    attributes: Mapping[str, Kind]
    aliases: Mapping[str, str] = {}
    entities: Mapping[str, Kind] = msgspec.field(default_factory=lambda: TAGS)
    spellings: Mapping[str, str] = msgspec.field(default_factory=lambda: SPELLINGS)
    listed: tuple[str, ...] = ()
    ordered: tuple[str, ...] = ()

    def kind(self, key: Key) -> Kind:
        return self.attributes[key.name] if key.entity == "attributes" else self.entities[key.entity]

    def signs(self, key: Key) -> tuple[str, ...]:
        signs = TEXT_SIGNS if self.kind(key) == "text" else NUMBER_SIGNS
        if key.entity == "attributes":
            return (*signs, *LISTED) if key.name in self.listed else signs
        return (*signs, *EMPTY)

    def key(self, tokens: Tokens, token: Token) -> Key:
        """The key that a token names. Raises BadField."""
        entity, name = "attributes", ""
        if token.kind == "field":
            entity, _, name = token.text.partition(".")
            entity = self.spellings.get(entity.lower(), entity.lower())
            name = unquoted(name) if name[0] in "`\"'" else name
        elif token.kind in ("word", "name", "text"):
            name = token.text if token.kind == "word" else unquoted(token.text)
        if entity == "attributes":
            name = self.aliases.get(name, name)
        if not (entity in self.entities or (entity == "attributes" and name in self.attributes)):
            known = [*self.attributes, *(f"{entity}.NAME" for entity in self.entities)]
            tokens.refuse(token, one_of(known))
        return Key(entity, name)


def parse(text: str, vocabulary: Vocabulary) -> list[Clause]:
    """The clauses of a filter; an empty text has none. Raises BadField."""
    tokens = Tokens(text, "filter")
    found: list[Clause] = []
    while tokens.now.kind != "end":
        if found and not tokens.skip("and"):
            tokens.refuse(tokens.now, "AND, or the end")
        if tokens.now.kind == "end":  # MLflow lets a dangling AND pass
            break
        found.append(clause(tokens, vocabulary))
        if len(found) > MOST_CLAUSES:
            tokens.refuse(None, f"at most {MOST_CLAUSES} clauses")
    return found


def clause(tokens: Tokens, vocabulary: Vocabulary) -> Clause:
    key = vocabulary.key(tokens, tokens.take())
    sign = tokens.take_sign(vocabulary.signs(key), spelled=str.upper)
    if sign in EMPTY:
        return Clause(key, sign, None)
    if sign in LISTED:
        return Clause(key, sign, tokens.take_list(lambda _: text_of(tokens), most=MOST_LISTED))
    at = tokens.take()
    if vocabulary.kind(key) == "number":
        if at.kind != "number":
            tokens.refuse(at, f"a number for {key.name}")
        return Clause(key, sign, float(at.text))
    if at.kind != "text":
        tokens.refuse(at, f"a text in quotes for {key.name}")
    return Clause(key, sign, unquoted(at.text))


def text_of(tokens: Tokens) -> str:
    at = tokens.take()
    if at.kind != "text":
        tokens.refuse(at, "a text in quotes")
    return unquoted(at.text)


def parse_order(given: Iterable[str], vocabulary: Vocabulary) -> list[Order]:
    """What to order by; a key twice is refused. Raises BadField."""
    found: list[Order] = []
    for text in given:
        tokens = Tokens(text, "order_by")
        at = tokens.take()
        key = vocabulary.key(tokens, at)
        allowed = vocabulary.ordered or tuple(vocabulary.attributes)
        if key.entity == "attributes" and key.name not in allowed:
            tokens.refuse(at, one_of(allowed))
        is_falling = tokens.now.says("desc")
        tokens.skip("asc", "desc")
        if tokens.now.kind != "end":
            tokens.refuse(tokens.now, "ASC, DESC or the end")
        if any(order.key == key for order in found):
            tokens.refuse(at, f"each key once; {key.name} was there already,")
        found.append(Order(key, is_falling))
    return found


def holds(clause: Clause, found: Any) -> bool:
    """Whether a clause holds for the value that something has; None is having none, of which only IS NULL is true."""
    value, sign = clause.value, clause.sign
    if sign in EMPTY or found is None:
        return (sign == "is null") == (found is None) and sign in EMPTY
    match sign:
        case "like" | "ilike":
            text, wanted = str(found), str(value)
            return is_like(text, wanted) if sign == "like" else is_like(text.lower(), wanted.lower())
        case "in" | "not in":
            assert isinstance(value, tuple)
            return (str(found) in value) == (sign == "in")
        case _:
            return bool(COMPARE[sign](found, value))


COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "=": lambda a, b: a == b,
    "!=": lambda a, b: a != b,
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
}


def is_like(text: str, pattern: str) -> bool:
    """SQL's LIKE, case-sensitive: `%` is any text and `_` any character.

    Piece by piece from the left, so that no pattern takes long: between two `%` the first place is as good as any.
    """
    first, *rest = (re.compile(piece_of(piece), re.DOTALL) for piece in pattern.split("%"))
    if not rest:
        return first.fullmatch(text) is not None
    found = first.match(text)
    for piece in rest[:-1]:
        found = piece.search(text, found.end()) if found else None
    end = len(text) - len(pattern.rpartition("%")[2])
    return found is not None and end >= found.end() and rest[-1].match(text, end) is not None


def piece_of(text: str) -> str:
    return "".join("." if character == "_" else re.escape(character) for character in text)


def select(rows: Iterable[Row], clauses: Sequence[Clause], look: Callable[[Row, Key], Any]) -> list[Row]:
    """The rows for which every clause holds. look: the value that a row has for a key, None for none."""
    return [row for row in rows if all(holds(clause, look(row, clause.key)) for clause in clauses)]


def arrange(rows: Sequence[Row], orders: Sequence[Order], look: Callable[[Row, Key], Any]) -> list[Row]:
    """The rows in order; those of equal value keep theirs, and a missing value is last either way."""
    found = list(rows)
    for order in reversed(orders):
        found = arranged(found, order, look)
    return found


def arranged(rows: list[Row], order: Order, look: Callable[[Row, Key], Any]) -> list[Row]:
    having = [(look(row, order.key), row) for row in rows]
    there = [pair for pair in having if pair[0] is not None]
    there.sort(key=lambda pair: pair[0], reverse=order.is_falling)  # equals keep their order either way
    return [row for _, row in there] + [row for value, row in having if value is None]
