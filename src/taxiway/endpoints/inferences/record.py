"""One row's record: as it is written, as it is read, and as columns of a table."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal

import msgspec
from msgspec import Raw, Struct

if TYPE_CHECKING:
    import pyarrow as pa


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
    status: Literal["answered", "failed"]
    error: str | None = None
    caller: str = ""  # the account; empty where nobody signs in
    trace_id: str = ""  # as the caller passed it in; empty: it is the prediction id
    protocol: str = ""  # the dialect that was spoken; empty is our own
    shadow: bool = False  # whether the answer went to nobody: it was made to be compared
    inputs_hash: str = ""  # where the hash of all inputs stands for them
    subject_key: str = ""  # which key opens `personal`
    personal: str = ""  # the encrypted fields, in base64


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
    status: Literal["answered", "failed"]
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
