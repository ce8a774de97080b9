"""What a worker says, taken with care: code of a model's author may have written it.

Its answers are pasted into those of every protocol and into the log, a line per record. So each must be what it should
be: as many as there were rows, and each a JSON object on one line.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import Any, get_type_hints

import msgspec
from msgspec import Struct

from taxiway.endpoints.blocks import LETTERS, TextRows, Told, ToldRows, list_decoder
from taxiway.endpoints.refusals import ModelRaised
from taxiway.endpoints.worker import wire
from taxiway.kernel.errors import TaxiwayError, revive

PLAIN = frozenset(["BodyRefused", "InputMismatch", "ModelRaised"])  # errors that are told as a worker tells them
SHOWN = 300  # characters of another one
answer_decoder = msgspec.json.Decoder(dict[str, Any])


class Object(Struct):
    """Any JSON object, of which nothing is kept."""


objects_decoder = msgspec.json.Decoder(list[Object])


class Unheard(ValueError):
    """A worker said what none of ours says."""


def check_outputs(outputs: Sequence[bytes], rows: int) -> None:
    """Raises Unheard for answers that are not one JSON object per row, each on one line."""
    if len(outputs) != rows:
        raise Unheard(f"{len(outputs)} answers for {rows} rows")
    try:
        for output in outputs:
            answer_decoder.decode(output)
            if b"\n" in output or b"\r" in output:
                raise Unheard("an answer of several lines")
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as e:
        raise Unheard(f"an answer that is no JSON object ({e})") from e


def answers_of(done: wire.Done, rows: int) -> Sequence[bytes]:
    """The answers to so many rows. Raises Unheard."""
    if done.told is not None:
        check_told(done.told, rows)
        return ToldRows(done.told)
    if not done.text:
        check_outputs(done.outputs, rows)
        return done.outputs
    try:
        objects_decoder.decode(done.text)
        found = TextRows(done.text, list_decoder.decode(done.text))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as e:
        raise Unheard(f"answers that are no array of JSON objects ({e})") from e
    if len(found) != rows:
        raise Unheard(f"{len(found)} answers for {rows} rows")
    if b"\n" in done.text or b"\r" in done.text:
        raise Unheard("answers of several lines")
    return found


def check_told(told: Told, rows: int) -> None:
    """Raises Unheard for fields that do not hold a value per row, each."""
    sizes = {len(each.data) - rows * struct.calcsize(f"<{LETTERS[each.datatype]}") for each in told.fields}
    names = {each.name for each in told.fields}
    if told.rows != rows or sizes != {0} or len(names) != len(told.fields):
        raise Unheard(f"fields that do not hold the answers for {rows} rows")


def error_of(fault: wire.Fault, endpoint: str) -> TaxiwayError:
    """The error that a worker tells, if it is one of those that are a worker's to tell; else the model's failure."""
    try:
        found = revive(fault.error, fault.facts)
        hints = get_type_hints(type(found))
        for name, value in found.facts().items():
            msgspec.convert(value, hints[name])
        said = str(found)
    except Exception:  # noqa: BLE001 - facts that a plug-in wrote, of whatever kind
        return ModelRaised(endpoint=endpoint, row=None, problem="it told an error that cannot be read")
    if fault.error in PLAIN:
        return found
    return ModelRaised(endpoint=endpoint, row=None, problem=f"{fault.error}: {said[:SHOWN]}")
