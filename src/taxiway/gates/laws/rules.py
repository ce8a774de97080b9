"""The law of the gates: how an estimate and a threshold become a verdict, and what it means in words."""

import math
from collections.abc import Sequence
from typing import Literal

from msgspec import Struct

from taxiway.gates.laws.estimates import Estimate, GroupRate

MeasuredVerdict = Literal["pass", "fail", "inconclusive"]
Direction = Literal["at_least", "at_most"]

MANY_ROWS = 1_000_000_000
"""Above this many rows a sentence says "more than"; nobody collects them to decide a gate."""

_OPEN = {
    "fairness": "neither proven fair nor unfair at this size",
    "performance": "neither proven good enough nor proven too weak at this size",
}
_BETTER = {"at_least": "at least", "at_most": "at most"}

Subject = Literal["fairness", "performance"]


class BadThreshold(ValueError):
    """A threshold that no number can be compared with."""


class Threshold(Struct, frozen=True):
    """What a gate asks of a metric: ``at_least 0.8`` or ``at_most 0.1``."""

    direction: Direction
    value: float

    def __post_init__(self) -> None:
        if not math.isfinite(self.value):
            raise BadThreshold(f"A threshold of {self.value} decides nothing. Give a number such as 0.8.")

    def __str__(self) -> str:
        return f"{_BETTER[self.direction]} {self.value:g}"


class Judgement(Struct, frozen=True):
    """A verdict with its reason for people, and how many rows would decide an open one."""

    verdict: MeasuredVerdict
    reason: str
    rows_needed: int | None = None  # of the same mix; None when decided, undefined, or never


def verdict_on(estimate: Estimate, threshold: Threshold) -> MeasuredVerdict:
    """Pass when the whole interval is on the threshold's good side, fail when all of it is on the bad side.

    The threshold itself is good. Anything else is inconclusive, as is an estimate that is undefined or not
    a number: what was not measured is neither passed nor failed.
    """
    if not is_measured(estimate):
        return "inconclusive"
    assert estimate.low is not None
    assert estimate.high is not None
    if threshold.direction == "at_least":
        worst, best = estimate.low - threshold.value, estimate.high - threshold.value
    else:
        worst, best = threshold.value - estimate.high, threshold.value - estimate.low
    if worst >= 0:
        return "pass"
    return "fail" if best < 0 else "inconclusive"


def is_measured(estimate: Estimate) -> bool:
    """Whether the estimate has a value and an interval that are numbers."""
    parts = (estimate.value, estimate.low, estimate.high)
    return all(part is not None and not math.isnan(part) for part in parts)


def rows_needed(estimate: Estimate, threshold: Threshold) -> int | None:
    """How many rows of the same mix would decide an inconclusive gate, if the measured value is the true one.

    An interval's width shrinks with the square root of the rows, so the end that faces the threshold moves to
    it at ``n * (reach / (value - threshold))**2`` rows. Its reach from the value is the half of the interval on that
    side, or half of the whole where that is more: what is lopsided on few rows evens out on many. It is an
    expectation, not a promise: a new sample's value differs. None when the gate is decided, when the estimate is
    undefined, and when the value is the threshold, which no number of rows would decide.
    """
    if verdict_on(estimate, threshold) != "inconclusive" or not is_measured(estimate):
        return None
    assert estimate.value is not None
    assert estimate.low is not None
    assert estimate.high is not None
    distance = estimate.value - threshold.value
    facing = abs(estimate.value - (estimate.low if distance > 0 else estimate.high))
    reach = max(facing, (estimate.high - estimate.low) / 2)
    if distance == 0 or not math.isfinite(reach / distance):
        return None
    needed = estimate.n * (reach / distance) ** 2
    return max(math.ceil(round(needed, 6)), estimate.n + 1) if math.isfinite(needed) else None


def judge(
    metric: str,
    estimate: Estimate,
    threshold: Threshold,
    *,
    subject: Subject,
    groups: Sequence[GroupRate] = (),
) -> Judgement:
    """The verdict on one metric, with the sentences that a page, the CLI and a refusal show.

    metric: its name in words, such as "selection-rate ratio". groups: the rates by group behind a fairness
    metric; those that did not count, for want of rows, are named.

    >>> ratio = Estimate(0.77, 0.70, 0.83, 1878, 0.95, "bootstrap")
    >>> judgement = judge("selection-rate ratio", ratio, Threshold("at_least", 0.8), subject="fairness")
    >>> judgement.verdict, judgement.rows_needed
    ('inconclusive', 7512)
    """
    verdict, needed = verdict_on(estimate, threshold), rows_needed(estimate, threshold)
    sentences = [_measured(metric, estimate, threshold), _meaning(verdict, estimate, threshold, subject)]
    if verdict == "inconclusive" and is_measured(estimate):
        sentences.append(_what_would_decide(needed))
    if small := [each for each in groups if not each.is_counted]:
        sentences.append(_not_counted(small))
    return Judgement(verdict, " ".join(sentences), needed)


def interval_words(estimate: Estimate) -> str:
    """The number and its interval, with enough digits to tell its ends apart: ``0.77 [0.70, 0.83]``."""
    if not is_measured(estimate):
        return "undefined"
    assert estimate.low is not None
    assert estimate.high is not None
    width = estimate.high - estimate.low
    places = 2 if not 0 < width < 0.1 else min(2 - math.floor(math.log10(width) + 1), 6)
    return f"{estimate.value:.{places}f} [{estimate.low:.{places}f}, {estimate.high:.{places}f}]"


def rows_words(rows: int) -> str:
    """A number of rows as precise as an expectation deserves: two digits, ``about 7,500``."""
    if rows > MANY_ROWS:
        return f"more than {MANY_ROWS:,}"
    step = 10 ** max(len(str(rows)) - 2, 0)
    return f"about {round(rows / step) * step:,}"


def _measured(metric: str, estimate: Estimate, threshold: Threshold) -> str:
    name = metric[:1].upper() + metric[1:]
    if not is_measured(estimate):
        reason = estimate.undefined or "The measured value is not a number."
        return f"{name} could not be measured. {reason}"
    level = f"{estimate.confidence * 100:g} % interval"
    return f"{name} {interval_words(estimate)} ({level}, {estimate.n:,} rows), asked for {threshold}."


def _meaning(verdict: MeasuredVerdict, estimate: Estimate, threshold: Threshold, subject: Subject) -> str:
    if not is_measured(estimate):
        return "That is neither a pass nor a fail: the gate stays closed until it is measured."
    if verdict == "inconclusive":
        return f"The interval holds {threshold.value:g}, so this is {_OPEN[subject]}."
    side = "meets" if verdict == "pass" else "misses"
    return f"The whole interval {side} what is asked."


def _what_would_decide(needed: int | None) -> str:
    if needed is None:
        return "The value is at the threshold itself, so more rows alone would not decide it."
    return f"If the true value is the one measured, {rows_words(needed)} rows of the same mix would decide it."


def _not_counted(small: Sequence[GroupRate]) -> str:
    named = ", ".join(f"{each.group} ({each.rate.n:,} rows)" for each in small)
    return f"Too small to count: {named}."
