"""What a release says, read from its envelope without looking at the signature. Pure."""

from __future__ import annotations

import base64
import json
from typing import Any

RELEASE = "https://taxiway.dev/release/v1"


def release_in(envelope: bytes) -> dict[str, Any] | None:
    """The predicate of a release; None for any other statement."""
    try:
        said = json.loads(base64.b64decode(json.loads(envelope)["payload"]))
        predicate: dict[str, Any] = said["predicate"]
        is_one = said["predicateType"] == RELEASE and isinstance(predicate, dict)
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    return predicate if is_one else None
