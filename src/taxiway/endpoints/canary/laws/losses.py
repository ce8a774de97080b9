"""What a row costs: the loss of an answer once it is known what was true. Pure."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from taxiway.endpoints.canary.laws.verdict import Metric

LEAST = 2.220446049250313e-16  # probabilities are moved inwards by so much, as scikit-learn does


def loss(metric: Metric, outputs: Mapping[str, Any] | None, label: object) -> float | None:
    """The loss of one answer, None where answer or label do not define it.

    log_loss in nats and brier take the output `score`, a probability of 1, and a label of 0 or 1; accuracy the output
    `prediction`: 0 where it came true, else 1; the errors take numbers in both.

    >>> round(loss("log_loss", {"score": 0.25}, 1), 3), loss("brier", {"score": 0.25}, 1)
    (1.386, 0.5625)
    >>> loss("accuracy", {"prediction": 1}, True), loss("absolute_error", {"prediction": 3.5}, 4), loss("brier", {}, 1)
    (0.0, 0.5, None)
    """
    if outputs is None:
        return None
    if metric in ("log_loss", "brier"):
        score, truth = number(outputs.get("score")), number(label)
        if score is None or truth not in (0, 1) or not 0 <= score <= 1:
            return None
        right = min(max(score if truth else 1 - score, LEAST), 1 - LEAST)
        return -math.log(right) if metric == "log_loss" else (score - float(truth or 0)) ** 2
    said = outputs.get("prediction")
    if metric == "accuracy":
        return None if said is None else float(not same(said, label))
    value, truth = number(said), number(label)
    if value is None or truth is None:
        return None
    return abs(value - truth) if metric == "absolute_error" else (value - truth) ** 2


def number(value: object) -> float | None:
    """A finite number, true and false included."""
    return float(value) if isinstance(value, bool | int | float) and math.isfinite(value) else None


def same(said: object, label: object) -> bool:
    """Whether a prediction came true; 1, 1.0 and true are the same answer."""
    one, other = number(said), number(label)
    return one == other if one is not None and other is not None else str(said) == str(label)
