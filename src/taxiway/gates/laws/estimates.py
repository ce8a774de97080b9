"""A measured number with its uncertainty: what checks record, gates judge and pages draw.

Apart from the statistics that make it, so that clients read it without arrays.
"""

from msgspec import Struct


class Estimate(Struct, frozen=True):
    """A metric's value and the interval that holds the true value with `confidence`, both ends in it.

    Where the data do not define the metric (one class only, no rows, too small groups) value, low and high
    are None and `undefined` says why: such an estimate decides nothing, whatever the threshold.
    """

    value: float | None
    low: float | None
    high: float | None
    n: int  # rows that the value rests on
    confidence: float  # of the two-sided interval, as a share: 0.95
    method: str  # how the interval was made, in words a statistician can look up
    seed: int | None = None  # of the random draws, where the method draws
    resamples: int | None = None
    undefined: str | None = None


class GroupRate(Struct, frozen=True):
    """The share of one group's rows with some outcome."""

    group: str
    rate: Estimate
    is_counted: bool  # False for a group with too few rows: it is shown, and no verdict rests on it


def undefined(reason: str, *, n: int, confidence: float, method: str) -> Estimate:
    """An estimate of a metric that these data do not define, with the reason as a sentence."""
    return Estimate(None, None, None, n, confidence, method, undefined=reason)
