"""Verdicts on what is no statistic of rows: times, bytes, ranks. The whole interval decides, as everywhere."""

from __future__ import annotations

import math
from collections.abc import Sequence

from taxiway.gates.contract import Outcome, Verdict
from taxiway.gates.laws.estimates import Estimate
from taxiway.gates.laws.rules import Threshold, interval_words, is_measured, verdict_on

WORST: tuple[Verdict, ...] = ("fail", "missing", "inconclusive", "pass")
SIDES = {
    "pass": "The whole interval meets what is asked.",
    "fail": "The whole interval misses what is asked.",
    "inconclusive": "The interval holds what is asked, so it is neither shown nor refuted.",
}


def verdict_of(estimate: Estimate, asked: Threshold | None) -> Verdict:
    """What is not asked for passes; what could not be measured decides nothing."""
    return "pass" if asked is None else verdict_on(estimate, asked)


def worst(verdicts: Sequence[Verdict]) -> Verdict:
    """The one that counts where all must pass."""
    return min(verdicts, key=WORST.index, default="pass")


def sentence(words: str, estimate: Estimate, asked: Threshold | None, *, unit: str = "", of: str = "rows") -> str:
    """What was measured against what is asked: "p99 latency 3.2 [3.0, 3.5] ms (95 % interval, 1,000 calls), …"."""
    name = words[:1].upper() + words[1:]
    if not is_measured(estimate):
        return f"{name} could not be measured. {estimate.undefined or ''}".rstrip()
    wanted = f", asked for {asked}" if asked is not None else ""
    unit = f" {unit}" if unit else ""
    level = f"{estimate.confidence * 100:g} % interval"
    return f"{name} {interval_words(estimate)}{unit} ({level}, {estimate.n:,} {of}){wanted}."


def outcome_of(
    words: str, estimate: Estimate, asked: Threshold, advice: str, *, unit: str = "", of: str = "rows"
) -> Outcome:
    """One measure against one threshold."""
    verdict = verdict_on(estimate, asked)
    said = sentence(words, estimate, asked, unit=unit, of=of)
    return Outcome(
        verdict=verdict,
        reason=f"{said} {SIDES[verdict]}" if is_measured(estimate) else said,
        advice="" if verdict == "pass" else advice,
        metric=f"{words}, {unit}" if unit else words,
        estimate=estimate,
        threshold=asked,
    )


def is_share(value: float) -> bool:
    return math.isfinite(value) and 0 <= value <= 1
