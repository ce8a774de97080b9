"""What a worker says, taken with care: code of a model's author may have written it.

Its answers are pasted into those of every protocol and into the log, a line per record. So each must be what it should
be: as many as there were rows, and each a JSON object on one line.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, get_type_hints

import msgspec

from taxiway.endpoints.refusals import ModelRaised
from taxiway.endpoints.worker import wire
from taxiway.kernel.errors import TaxiwayError, revive

PLAIN = frozenset(["BodyRefused", "InputMismatch", "ModelRaised"])  # errors that are told as a worker tells them
SHOWN = 300  # characters of another one
answer_decoder = msgspec.json.Decoder(dict[str, Any])


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
