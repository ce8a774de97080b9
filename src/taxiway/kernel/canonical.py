"""Canonical JSON (RFC 8785): one value, one sequence of bytes, so that a digest of it means something."""

from __future__ import annotations

import json
import re
from decimal import Decimal
from math import isfinite
from typing import Any

import msgspec

LARGEST_EXACT_INTEGER = 2**53 - 1
# What msgspec's sorted JSON may write otherwise: a float, a long integer, and keys beyond the Basic Multilingual Plane,
# which sort otherwise in UTF-16. All else is canonical as it stands, but for a null that stands for NaN.
MAY_DIFFER = re.compile(rb"(?:^|[:,\[])-?(?:\d+[.eE]|\d{16})|[\xf0-\xf4]")


class NotCanonical(ValueError):
    """A value without a canonical form: a number that is not finite, or too large an integer."""


def canonical_json(value: object) -> bytes:
    """The canonical JSON of a struct or of plain JSON values, as UTF-8 without a trailing newline.

    Keys are sorted by their UTF-16 code units, there is no white space, strings escape only what they
    must, and numbers are written as ECMAScript writes them (``1.0`` is ``1``, ``1e-07`` is ``1e-7``).
    Raises NotCanonical for NaN, infinities and integers that a double cannot hold.

    >>> canonical_json({"b": [1.0, None], "a": "é"})
    b'{"a":"\\xc3\\xa9","b":[1,null]}'
    """
    quick = msgspec.json.encode(value, order="sorted")
    if MAY_DIFFER.search(quick) is None and not (b"null" in quick and _has_float(msgspec.to_builtins(value))):
        return quick
    return _text(msgspec.to_builtins(value)).encode()


def _has_float(value: Any) -> bool:
    match value:
        case dict():
            return any(map(_has_float, value.values()))
        case list() | tuple():
            return any(map(_has_float, value))
    return isinstance(value, float)


def _text(value: Any) -> str:
    match value:
        case None | bool() | str():
            return json.dumps(value, ensure_ascii=False)
        case int():
            return _integer(value)
        case float():
            return _number(value)
        case dict():
            keys = sorted(value, key=lambda key: key.encode("utf-16-be"))
            return "{" + ",".join(f"{_text(key)}:{_text(value[key])}" for key in keys) + "}"
        case _:
            return "[" + ",".join(_text(item) for item in value) + "]"


def _integer(value: int) -> str:
    # Beyond 2**53 an integer may only be a double's canonical spelling that was read back.
    if abs(value) > LARGEST_EXACT_INTEGER and (abs(value) >= 10**21 or _number(float(value)) != str(value)):
        raise NotCanonical(f"{value} is larger than 2**53 - 1")
    return str(value)


def _number(value: float) -> str:
    """A double as ECMAScript's Number::toString writes it: the shortest digits that read back the same."""
    if not isfinite(value):
        raise NotCanonical(f"{value} is not finite")
    if value == 0:
        return "0"
    sign, digits, exponent = Decimal(repr(value)).normalize().as_tuple()
    assert isinstance(exponent, int)
    text = "".join(map(str, digits))
    point = len(text) + exponent  # where the decimal point stands, counted from the first digit
    if len(text) <= point <= 21:
        body = text + "0" * (point - len(text))
    elif 0 < point <= 21:
        body = f"{text[:point]}.{text[point:]}"
    elif -6 < point <= 0:
        body = "0." + "0" * -point + text
    else:
        fraction = f".{text[1:]}" if len(text) > 1 else ""
        body = f"{text[0]}{fraction}e{point - 1:+d}"
    return f"-{body}" if sign else body
