"""What a search of traces asks for: terms that all hold, and an order. Pure: it knows words, not tables."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Literal, TypeAlias

from msgspec import Struct

from taxiway.kernel.errors import BadField
from taxiway.runs.search.tokens import Token, Tokens, one_of, unquoted

Place = Literal["trace", "tag", "fact", "span", "feedback", "expectation"]
Sign = Literal["=", "!=", "<", "<=", ">", ">=", "like", "ilike", "rlike", "in", "not in", "is null", "is not null"]
Value: TypeAlias = str | float | tuple[str, ...] | None

PLACES: dict[str, Place] = {
    **dict.fromkeys(("attribute", "attributes", "attr", "trace"), "trace"),
    **dict.fromkeys(("tag", "tags"), "tag"),
    **dict.fromkeys(("metadata", "request_metadata"), "fact"),
    "span": "span",
    "feedback": "feedback",
    "expectation": "expectation",
}
NUMBERS = {
    **dict.fromkeys(("timestamp", "timestamp_ms"), "started_ms"),
    **dict.fromkeys(("execution_time", "execution_time_ms"), "duration_ms"),
    **dict.fromkeys(("end_time", "end_time_ms"), "ended_ms"),
}
TEXTS = {
    **dict.fromkeys(("request_id", "trace_id", "id"), "id"),
    **dict.fromkeys(("status", "state"), "state"),
    "client_request_id": "client_id",
    "name": "name",
    "run_id": "run",
    "prompt": "prompt",
    "text": "text",
}
SPAN_FIELDS = ("name", "type", "status", "content")
SPAN_ATTRIBUTES = "attributes."
COMPARED: tuple[Sign, ...] = ("=", "!=", "<", "<=", ">", ">=")
MATCHED: tuple[Sign, ...] = ("=", "!=", "in", "not in", "like", "ilike", "rlike")
PAIRED: tuple[Sign, ...] = ("=", "!=", "like", "ilike", "rlike", "is null", "is not null")
JUDGED: tuple[Sign, ...] = (*COMPARED, "like", "ilike", "rlike", "is null", "is not null")
SEARCHED: tuple[Sign, ...] = ("like", "ilike")
NAMED: tuple[Sign, ...] = ("like", "ilike", "rlike", "in", "not in", "is null", "is not null")
STATES = {"OK": "ok", "ERROR": "error", "IN_PROGRESS": "running", "STATE_UNSPECIFIED": "unknown", "UNSET": "unset"}
MOST_VALUES = 1000
ORDER = re.compile(r"\s*(?:(?:attributes?|attr|trace)\.)?[`\"]?(\w+)[`\"]?(?:\s+(asc|desc))?\s*", re.IGNORECASE)


class Term(Struct, frozen=True):
    """One condition. One about a tag, fact or remark holds only for traces that have it, but for ``is null``."""

    place: Place
    name: str
    sign: Sign
    value: Value = None


class Order(Struct, frozen=True):
    """By what to order; traces without it come last either way."""

    name: str
    is_falling: bool = False


def parse_filter(text: str) -> list[Term]:
    """The terms of a filter; none for an empty text. Raises BadField."""
    tokens = Tokens(text, "filter")
    found: list[Term] = []
    while tokens.now.kind != "end":
        found.append(term_of(tokens))
        if tokens.now.kind != "end" and not tokens.skip("and"):
            tokens.refuse(tokens.now, "AND or the end; OR and parentheses are not taken for traces")
    return found


def term_of(tokens: Tokens) -> Term:
    place, name = field_of(tokens)
    sign, at = tokens.take_sign((*COMPARED, *NAMED), spelled=str.upper), tokens.now
    allowed = signs_for(place, name)
    if sign not in allowed:
        tokens.refuse(at, f"after {name!r} {one_of([s.upper() for s in allowed])}")
    if sign in ("is null", "is not null"):
        return Term(place, name, sign)
    if sign in ("in", "not in"):
        return Term(place, name, sign, tokens.take_list(lambda _: text_of(tokens), most=MOST_VALUES))
    is_number = tokens.now.kind == "number"
    if place == "trace" and name in NUMBERS.values():
        if not is_number:
            tokens.refuse(tokens.now, f"a number for {name!r}")
        return Term(place, name, sign, float(tokens.take().text))
    if place in ("feedback", "expectation") and is_number:
        return Term(place, name, sign, float(tokens.take().text))
    return Term(place, name, sign, stated(name, text_of(tokens)))


def field_of(tokens: Tokens) -> tuple[Place, str]:
    """What a term is about. Raises BadField for what no trace has."""
    token = tokens.take()
    if token.kind not in ("field", "word", "name"):
        tokens.refuse(token, "a field such as status, tags.team or metadata.`user id`")
    entity, _, key = token.text.partition(".") if token.kind == "field" else ("trace", ".", token.text)
    place = PLACES.get(bare(entity).lower())
    if place is None:
        tokens.refuse(token, f"a field of {one_of(sorted(PLACES))}")
    name = bare(key)
    if place == "trace":
        known = NUMBERS.get(name.lower()) or TEXTS.get(name.lower())
        if known is None:
            tokens.refuse(token, one_of(sorted({*NUMBERS, *TEXTS})))
        return place, known
    is_attribute = name.startswith(SPAN_ATTRIBUTES) and name != SPAN_ATTRIBUTES
    if place == "span" and name not in SPAN_FIELDS and not is_attribute:
        tokens.refuse(token, f"{one_of(SPAN_FIELDS)} or attributes.NAME of a span")
    return place, name


def bare(text: str) -> str:
    return unquoted(text) if text[:1] in "`\"'" else text


def signs_for(place: Place, name: str) -> tuple[Sign, ...]:
    if place == "trace" and name in NUMBERS.values():
        return COMPARED
    if (place, name) in (("trace", "text"), ("span", "content")):
        return SEARCHED
    if place in ("trace", "span"):
        return MATCHED
    return JUDGED if place in ("feedback", "expectation") else PAIRED


def text_of(tokens: Tokens) -> str:
    token: Token = tokens.take()
    if token.kind != "text":
        tokens.refuse(token, "a text in quotes")
    return unquoted(token.text)


def stated(name: str, value: str) -> str:
    """A value as it is kept: states have words of our own."""
    return STATES.get(value, value) if name == "state" else value


def parse_order(given: Sequence[str]) -> tuple[Order, ...]:
    """What to order by, such as ``timestamp_ms DESC``. Raises BadField."""
    found: list[Order] = []
    for text in given:
        match = ORDER.fullmatch(text)
        name = match[1].lower() if match else ""
        known = NUMBERS.get(name) or TEXTS.get(name) or ("experiment" if name == "experiment_id" else None)
        if match is None or known is None or known in ("prompt", "text") or any(one.name == known for one in found):
            expected = f"{one_of(sorted({*NUMBERS, *TEXTS} - {'prompt', 'text'}))}, each once, with ASC or DESC"
            raise BadField(field="order_by", value=repr(text[:100]), expected=expected)
        found.append(Order(known, is_falling=(match[2] or "").lower() == "desc"))
    return tuple(found)
