"""One row's record: as it is written, as it is read, and as columns of a table."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal

import msgspec
from msgspec import Raw, Struct

from taxiway.endpoints.blocks import Block, BlockRows, Told, ToldRows

if TYPE_CHECKING:
    import pyarrow as pa


Status = Literal["answered", "failed", "abandoned"]  # abandoned: the caller hung up before all of it was given


class Abandoned(str):
    """Why there is no answer, where that is nobody's failure: the caller hung up."""

    __slots__ = ()


class Line(Struct, frozen=True, gc=False, omit_defaults=True):
    """One row's record as it is written: inputs and outputs stay the JSON text that travelled.

    Fields after `status` are left out where they say nothing, and are missing from records of earlier times.
    """

    prediction_id: str  # of the request; a row's own id is PREDICTION_ID/ROW
    row: int
    at: datetime
    event_at: datetime  # when it happened in the world: `at`, unless the caller said otherwise
    endpoint: str
    revision: int
    model: str  # mortgage@3
    bundle_digest: str
    inputs: Raw
    outputs: Raw  # the JSON text null where there is no answer
    latency_ms: float
    status: Status
    error: str | None = None
    caller: str = ""  # the account; empty where nobody signs in
    trace_id: str = ""  # as the caller passed it in; empty: it is the prediction id
    protocol: str = ""  # the dialect that was spoken; empty is our own
    shadow: bool = False  # whether the answer went to nobody: it was made to be compared
    inputs_hash: str = ""  # where the hash of all inputs stands for them
    subject_key: str = ""  # which key opens `personal`
    personal: str = ""  # the encrypted fields, in base64


class Lines(Struct, frozen=True, gc=False, omit_defaults=True):
    """The records of many rows of one request in one line, what they share said once. Fields as in `Line`.

    rows: how many. event_at: of each row, where the caller said when. outputs: of each row; none where it failed.
    block: the inputs where they came as a matrix; told: the outputs where they came field by field.
    """

    rows: int
    prediction_id: str
    at: datetime
    endpoint: str
    revision: int
    model: str
    bundle_digest: str
    inputs: list[Raw]
    outputs: list[Raw]
    latency_ms: float
    status: Status
    event_at: list[datetime] = []
    error: str | None = None
    caller: str = ""
    trace_id: str = ""
    protocol: str = ""
    shadow: bool = False
    block: Block | None = None
    told: Told | None = None


NULL = Raw(b"null")
TOGETHER = b'{"rows":'  # what such a line begins with
line_decoder, lines_decoder = msgspec.json.Decoder(Line), msgspec.json.Decoder(Lines)


def read_line(text: bytes) -> list[Line]:
    """The records in a line of the log. Raises DecodeError, UnicodeDecodeError, ValueError."""
    if not text.startswith(TOGETHER):
        return [line_decoder.decode(text)]
    held = lines_decoder.decode(text)
    inputs = held.inputs if held.block is None else [*map(Raw, BlockRows(held.block))]
    outputs = held.outputs if held.told is None else [*map(Raw, ToldRows(held.told))]
    times = held.event_at or [held.at] * held.rows
    return [
        Line(
            held.prediction_id,
            row,
            held.at,
            event_at,
            held.endpoint,
            held.revision,
            held.model,
            held.bundle_digest,
            asked,
            output,
            held.latency_ms,
            held.status,
            held.error,
            held.caller,
            held.trace_id,
            held.protocol,
            held.shadow,
        )
        for row, asked, output, event_at in zip(
            range(held.rows), inputs, outputs or [NULL] * held.rows, times, strict=True
        )
    ]


class Inference(Struct, frozen=True):
    """One row's record as it is read. Personal fields are among the inputs where they were decrypted."""

    prediction_id: str
    row: int
    at: datetime
    event_at: datetime
    endpoint: str
    revision: int
    model: str
    bundle_digest: str
    inputs: dict[str, Any]
    outputs: dict[str, Any] | None
    latency_ms: float
    status: Status
    error: str | None = None
    caller: str = ""
    trace_id: str = ""
    protocol: str = ""
    shadow: bool = False
    inputs_hash: str = ""
    subject_key: str = ""
    personal: str = ""


LATER = ("caller", "trace_id", "protocol", "inputs_hash", "subject_key", "personal")


def schema() -> pa.Schema:
    """The columns of the log."""
    import pyarrow as pa

    when = pa.timestamp("us", "UTC")
    texts = (
        "endpoint",
        "revision",
        "model",
        "bundle_digest",
        "inputs",
        "outputs",
        "latency_ms",
        "status",
        "error",
        "caller",
        "trace_id",
        "protocol",
        "shadow",
        "inputs_hash",
        "subject_key",
        "personal",
    )
    kinds = {"revision": pa.int32(), "latency_ms": pa.float64(), "shadow": pa.bool_()}
    first = [("prediction_id", pa.string()), ("row", pa.int32()), ("at", when), ("event_at", when)]
    return pa.schema([*first, *((name, kinds.get(name, pa.string())) for name in texts)])


def to_table(lines: list[Line]) -> pa.Table:
    """Records as a table."""
    import pyarrow as pa

    columns: dict[str, list[Any]] = {f: [getattr(x, f) for x in lines] for f in Line.__struct_fields__}
    for name in ("inputs", "outputs"):
        texts = [bytes(raw).decode() for raw in columns[name]]
        columns[name] = [None if text == "null" else text for text in texts]
    return pa.table(columns, schema=schema())


def to_inference(record: dict[str, Any]) -> Inference:
    """A record out of a table's row. Of records of earlier times some columns are null."""
    outputs = record["outputs"]
    later = {name: record[name] or "" for name in LATER}
    return Inference(
        **{
            **record,
            **later,
            "shadow": bool(record["shadow"]),
            "inputs": msgspec.json.decode(record["inputs"]),
            "outputs": None if outputs is None else msgspec.json.decode(outputs),
        }
    )
