"""What the outside sees of a canary's verdict, as a gate reads it."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from msgspec import Struct

CanaryMetric = Literal["log_loss", "brier", "accuracy", "squared_error", "absolute_error"]
CanaryVerdict = Literal["promote", "roll back"]


class CanaryEvidence(Struct, frozen=True):
    """How a canary ended, with its numbers, bound to the bundles of both versions.

    non_inferiority: None where the version had to be better. estimate, low, high: of the difference of losses, above 0
    where it is worse; None where a proxy or the gateway ended it. share: of the requests, that it answered. paired:
    whether both versions scored every request.
    """

    id: str
    model: str
    version: int
    bundle: str
    champion_bundle: str
    endpoint: str
    metric: CanaryMetric
    non_inferiority: float | None
    cluster: str
    min_clusters: int
    share: float
    verdict: CanaryVerdict
    sentence: str
    estimate: float | None
    low: float | None
    high: float | None
    clusters: int
    rows: int
    looks: int
    alpha: float
    at: datetime
    paired: bool = True
