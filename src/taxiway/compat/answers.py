"""Our answers as other systems' callers read them: the prediction alone, or every column of the answer."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from typing import Any

import msgspec
from msgspec import UNSET, Raw, Struct, UnsetType


class Alone(Struct):
    """An answer, of which only the prediction is read, and that in its own digits."""

    prediction: Raw | UnsetType = UNSET


alone_decoder = msgspec.json.Decoder(Alone)
object_decoder = msgspec.json.Decoder(dict[str, Any])


def alone(output: bytes) -> bytes:
    """The prediction of an answer; all of an answer that has none, such as a fallback of other fields."""
    found = alone_decoder.decode(output).prediction
    return output if isinstance(found, UnsetType) else bytes(found)


def predictions(outputs: Sequence[bytes], *, is_whole: bool) -> bytes:
    """``{"predictions": [...]}``: the prediction of each row, or the whole answer with its score."""
    each = outputs if is_whole else [alone(output) for output in outputs]
    return b'{"predictions":[' + b",".join(each) + b"]}"


def as_csv(outputs: Sequence[bytes], *, has_header: bool) -> bytes:
    """A line per row: its prediction; with a header every column of the answer."""
    decoded = [object_decoder.decode(output) for output in outputs]
    names = list(dict.fromkeys(name for row in decoded for name in row))
    if not has_header and "prediction" in names:
        names = ["prediction"]
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    if has_header:
        writer.writerow(names)
    writer.writerows([[cell(row.get(name)) for name in names] for row in decoded])
    return text.getvalue().encode()


def cell(value: Any) -> Any:
    """A value as CSV has it; a float in the digits that JSON has for it."""
    return msgspec.json.encode(value).decode() if isinstance(value, bool | float | dict | list) else value
