"""The headers of a delivery. Names and signature are those of MLflow's webhooks: HMAC-SHA256 over
``DELIVERY.SECONDS.BODY``, in base64 after ``v1,``."""

from __future__ import annotations

import base64
import hashlib
import hmac
from datetime import datetime
from uuid import UUID

DELIVERY = "X-MLflow-Delivery-Id"
SIGNATURE = "X-MLflow-Signature"
TIMESTAMP = "X-MLflow-Timestamp"


def headers_of(delivery: str, body: str, *, secret: str, at: datetime) -> dict[str, str]:
    """What tells a receiver which delivery this is, when it was sent and, with a secret, by whom."""
    number, seconds = str(UUID(delivery)), str(int(at.timestamp()))
    headers = {"Content-Type": "application/json", DELIVERY: number, TIMESTAMP: seconds}
    if secret:
        mac = hmac.new(secret.encode(), f"{number}.{seconds}.{body}".encode(), hashlib.sha256)
        headers[SIGNATURE] = f"v1,{base64.b64encode(mac.digest()).decode()}"
    return headers
