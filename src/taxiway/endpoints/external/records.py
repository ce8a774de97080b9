"""The laws of fed records: which are in order, what they are called here, what is new. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta

import msgspec

from taxiway.endpoints.external.contract import FedRecord
from taxiway.endpoints.gateway.outputs import flaw_of
from taxiway.endpoints.inferences.moments import PLAUSIBLE, is_plausible
from taxiway.kernel.errors import BadField
from taxiway.models.predicting.signature import Column, Signature, check_rows

SKEW = timedelta(hours=1)  # of another machine's clock
EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)


def check(records: Sequence[FedRecord], signature: Signature, now: datetime) -> None:
    """Refuses the first record that is not in order, by its place and field. Raises BadField, InputMismatch."""
    seen: set[tuple[str, int]] = set()
    for place, each in enumerate(records):
        if not EARLIEST <= each.at <= now + SKEW:
            said = f"a time from {EARLIEST:%Y} on that has come"
            raise BadField(field=f"records[{place}].at", value=str(each.at), expected=said)
        if each.event_at is not None and not is_plausible(each.event_at, now):
            raise BadField(field=f"records[{place}].event_at", value=str(each.event_at), expected=PLAUSIBLE)
        if (each.prediction_id, each.row) in seen:
            value = f"{each.prediction_id}/{each.row}, a second time"
            raise BadField(field=f"records[{place}].row", value=value, expected="each row of a request once")
        seen.add((each.prediction_id, each.row))
        check_outputs(place, each, signature.outputs)
    check_rows(signature.inputs, [each.inputs for each in records])


def check_outputs(place: int, record: FedRecord, outputs: Sequence[Column]) -> None:
    """An answer of the model's columns, or an error. Raises BadField."""
    where = f"records[{place}].outputs"
    if (record.outputs is None) == (not record.error):
        raise BadField(
            field=where, value="nothing or both", expected="an answer, or `error` that says why there is none"
        )
    if record.outputs is None:
        return
    if not outputs and "prediction" not in record.outputs:
        raise BadField(field=f"{where}.prediction", value="nothing", expected="the answer")
    for column in outputs:
        value = record.outputs.get(column.name)
        # Another server may give fewer fields than ours would; the prediction it must.
        if flaw_of(column, value) and (value is not None or column.name == "prediction"):
            raise BadField(field=f"{where}.{column.name}", value=repr(value)[:60], expected=f"a {column.type}")


def own_id(endpoint: str, given: str, at: datetime) -> str:
    """What a request is called here: the same for the same id and time, and in the order of time as our own.

    >>> own_id("churn", "a-1", datetime(2026, 1, 1, tzinfo=UTC))[:13]
    '019b76daa8007'
    """
    bits = int.from_bytes(hashlib.sha256(f"{endpoint}\0{given}".encode()).digest()[:10])
    return id_at(at, bits)


def id_at(at: datetime, bits: int) -> str:
    """An id of version 7 with these bits for its random part."""
    ms = int(at.timestamp() * 1000)
    value = ms << 80 | 0x7 << 76 | (bits >> 62 & 0xFFF) << 64 | 0b10 << 62 | bits & (1 << 62) - 1
    return f"{value:032x}"


def digest_of(record: FedRecord) -> str:
    """The digest of what was answered."""
    return hashlib.sha256(msgspec.json.encode([record.outputs, record.error], order="sorted")).hexdigest()


def called(endpoint: str, records: Sequence[FedRecord], before: Mapping[str, str]) -> dict[str, str]:
    """What each request is called here, by the other side's id. before: those that rows of were fed already."""
    found: dict[str, str] = {}
    for each in records:
        if each.prediction_id not in found:
            known = before.get(each.prediction_id)
            found[each.prediction_id] = known or own_id(endpoint, each.prediction_id, each.at)
    return found


def inputs_of(record: FedRecord) -> bytes:
    return msgspec.json.encode(record.inputs)


def outputs_of(record: FedRecord) -> list[bytes] | str:
    """As a gateway would record it: the answer, or why there is none."""
    return record.error if record.outputs is None else [msgspec.json.encode(record.outputs)]
