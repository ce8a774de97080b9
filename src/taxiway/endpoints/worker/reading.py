"""A row as it travelled, read; what JSON can spell and no field can hold is refused by row and field."""

from __future__ import annotations

import re
from typing import Any

import msgspec

from taxiway.models.predicting.signature import LONGEST_SHOWN, InputMismatch

rows_decoder = msgspec.json.Decoder(dict[str, Any])
raw_decoder = msgspec.json.Decoder(dict[str, msgspec.Raw])
NUMBER = re.compile(rb"-?\d+(\.\d+)?([eE][+-]?\d+)?")


def read(row: bytes, number: int = 0) -> dict[str, Any]:
    """A row's fields. Raises DecodeError, and InputMismatch for a number that is too large for 64 bits, as 1e999."""
    try:
        return rows_decoder.decode(row)
    except msgspec.DecodeError:
        for name, value in raw_decoder.decode(row).items():
            text = bytes(value)
            if NUMBER.fullmatch(text) and not is_read(text):
                shown = text[:LONGEST_SHOWN].decode()
                raise InputMismatch(row=number, field=name, value=shown, expected="a finite number") from None
        raise


def is_read(text: bytes) -> bool:
    try:
        msgspec.json.decode(text)
    except msgspec.DecodeError:
        return False
    return True
