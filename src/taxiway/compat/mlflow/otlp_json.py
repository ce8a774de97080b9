"""OTLP's JSON as protobuf's parser reads it: ids in base64, and what that parser lets pass refused by its field."""

from __future__ import annotations

import base64
import json
import math
import re
from typing import Any

import msgspec

from taxiway.compat.mlflow.refusals import CallRefused

DIGITS = {"traceId": 32, "spanId": 16, "parentSpanId": 16}
OPTIONAL = ("parentSpanId",)
OWNER = re.compile(r"\.?(spans|links)\[\d+\]$")  # what has ids: the same words elsewhere are nobody's
HEXADECIMAL = re.compile(r"[0-9a-fA-F]*")
BASE64 = re.compile(r"[A-Za-z0-9+/_-]*={0,2}")
FAILED = re.compile(r"Failed to parse (\w+) field")
LONGEST_SHOWN = 40


def decoded(data: bytes) -> dict[str, Any]:
    """The object in JSON. Raises MsgspecError, ValueError."""
    try:
        return msgspec.json.decode(data, type=dict[str, Any])
    except msgspec.DecodeError as e:
        if "out of range" not in str(e):
            raise
        return msgspec.convert(json.loads(data), dict[str, Any])  # has infinities there, whose field can be named


def checked(given: Any, at: str = "") -> Any:
    """A request, or a part of one, as `ParseDict` takes it. at: where it stands. Raises CallRefused."""
    match given:
        case dict():
            return {key: field(key, value, at) for key, value in given.items()}
        case list():
            return [checked(one, f"{at}[{place}]") for place, one in enumerate(given)]
        case _:
            return given


def field(key: str, value: Any, owner: str) -> Any:
    at = f"{owner}.{key}" if owner else key
    if key in DIGITS and OWNER.search(owner):
        return id_in_base64(key, value, at)
    if key == "bytesValue" and not is_base64(value):
        raise unfit(at, value, "bytes in base64")
    if key == "doubleValue" and isinstance(value, float) and not math.isfinite(value):
        raise unfit(at, value, 'a number that 64 bits hold, or "NaN", "Infinity" or "-Infinity"')
    return checked(value, at)


def id_in_base64(key: str, value: Any, at: str) -> str:
    digits = DIGITS[key]
    if value in ("", None) and key in OPTIONAL:
        return ""
    if not (isinstance(value, str) and len(value) == digits and HEXADECIMAL.fullmatch(value)):
        raise unfit(at, value, f"{digits} hexadecimal digits")
    return base64.b64encode(bytes.fromhex(value)).decode()


def is_base64(value: Any) -> bool:
    """Whether these are bytes as protobuf's JSON writes them, in either alphabet, padded or not."""
    if not (isinstance(value, str) and BASE64.fullmatch(value)):
        return False
    bare = value.rstrip("=")
    return len(bare) % 4 != 1 and (bare == value or len(value) % 4 == 0)


def where(problem: str) -> str:
    """The field that protobuf's parser stumbled over, from what it says; nothing where it names none.

    >>> where("Failed to parse spans field: Failed to parse name field: expected string or bytes-like object")
    'spans.name'
    """
    return ".".join(FAILED.findall(problem))


def unfit(at: str, value: Any, expected: str) -> CallRefused:
    return unreadable(f"{at} must be {expected}, not {repr(value)[:LONGEST_SHOWN]}")


def unreadable(problem: str) -> CallRefused:
    return CallRefused(error_code="INVALID_PARAMETER_VALUE", message=f"Invalid OpenTelemetry format: {problem}.")
