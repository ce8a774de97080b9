"""Records as tests write them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import NamedTuple

import msgspec
from msgspec import Raw

from taxiway.endpoints.inferences.record import Line

START = datetime(2026, 5, 1, tzinfo=UTC)
MORTGAGE = "mortgage"


class Revision(NamedTuple):
    """What a recorder asks of the revision that answered."""

    endpoint: str = MORTGAGE
    number: int = 2
    model: str = "mortgage"
    version: int = 3
    bundle_digest: str = "sha256:" + "0" * 64


def line(prediction_id: str, row: int = 0, *, minute: int = 0, **inputs: object) -> Line:
    """A record of one row."""
    said = inputs or {"income": row + minute, "city": "Ulm"}
    return Line(
        prediction_id,
        row,
        START + timedelta(minutes=minute),
        START,
        MORTGAGE,
        2,
        "mortgage@3",
        "sha256:" + "0" * 64,
        Raw(msgspec.json.encode(said)),
        Raw(b'{"prediction":1,"score":0.25}'),
        1.5,
        "answered",
    )
