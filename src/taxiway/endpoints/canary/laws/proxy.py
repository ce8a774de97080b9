"""What stands in for labels while they are late: it may send a candidate back, and never promotes one.

Whole hours are clusters; the measures share an error rate of 1 % of their own, on top of the verdict's.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final, Literal

from msgspec import Struct

from taxiway.endpoints.canary.contract import Limits, Proxy
from taxiway.endpoints.canary.laws.looking import looks, reach
from taxiway.endpoints.canary.laws.paired import Paired, freedom, paired, reaches
from taxiway.endpoints.canary.laws.unpaired import unpaired

Measure = Literal["failures", "disagreement", "score_shift", "latency"]
MIN_HOURS: Final = 6
ALPHA: Final = 0.01
Interval = tuple[float, float, float]  # an estimate and its two ends
NOTHING: Final[Interval] = (0.0, -math.inf, math.inf)
MEASURES: Final[tuple[Measure, ...]] = ("failures", "disagreement", "score_shift", "latency")


class Hour(Struct):
    """One hour's totals. rows: asked of both; both: answered by both; scored: with a score of both.

    failures: rows that the candidate alone gave no answer to, less those of the champion alone. slower: the sum of
    logarithms of the candidate's time over the champion's.
    """

    rows: int = 0
    both: int = 0
    scored: int = 0
    failures: int = 0
    differing: int = 0
    shift: float = 0.0
    slower: float = 0.0


class Arm(Struct):
    """One hour's totals of one version in an unpaired canary. slowness: the sum of logarithms of its time."""

    rows: int = 0
    failures: int = 0
    answered: int = 0
    scored: int = 0
    score: float = 0.0
    slowness: float = 0.0


class Divided(Struct):
    """One hour of an unpaired canary."""

    champion: Arm
    candidate: Arm


def judge(limits: Limits, hours: Sequence[Hour]) -> Proxy | None:
    """The look at these whole hours; None before there are six."""
    at = looks(MIN_HOURS, len(hours))
    if not at:
        return None
    seen = hours[: at[-1]]
    found = {name: interval(name, seen, at[-1]) for name in MEASURES}
    return said(limits, found, len(seen), sum(each.rows for each in seen))


def judge_divided(limits: Limits, hours: Sequence[Divided]) -> Proxy | None:
    """The same where each row was scored by one version alone: nobody knows where the two would have disagreed."""
    both = [each for each in hours if each.champion.rows and each.candidate.rows]
    at = looks(MIN_HOURS, len(both))
    if not at:
        return None
    seen = both[: at[-1]]
    found: dict[Measure, Interval] = {
        name: interval_divided(name, seen, at[-1]) for name in MEASURES if name != "disagreement"
    }
    return said(limits, found, len(seen), sum(each.champion.rows + each.candidate.rows for each in seen))


def said(limits: Limits, found: dict[Measure, Interval], hours: int, rows: int) -> Proxy:
    """What the measures show, each beside its limit."""
    declared = {"failures": limits.failures, "disagreement": limits.disagreement}
    declared |= {"score_shift": limits.score_shift, "latency": math.log(limits.latency)}
    bounds: dict[str, float] = {name: declared[name] for name in found}
    past = [name for name, (_, low, high) in found.items() if low > bounds[name] or is_below(name, high, bounds[name])]
    broken = past[0] if past else None
    return Proxy(
        hours=hours,
        rows=rows,
        broken=broken or "",
        sentence=told(broken, found, limits),
        estimates={name: each[0] for name, each in found.items()},
        lows={name: each[1] for name, each in found.items()},
        highs={name: each[2] for name, each in found.items()},
        limits=bounds,
    )


def is_below(name: Measure, high: float, bound: float) -> bool:
    return name == "score_shift" and high < -bound


def interval(name: Measure, hours: Sequence[Hour], clusters: int) -> Interval:
    """The measure's mean over rows, and its interval at this look; nothing at all where no row tells."""
    parts = [part(name, each) for each in hours]
    if sum(rows > 0 for _, rows in parts) < 3:
        return NOTHING
    return ends(paired([total for total, _ in parts], [rows for _, rows in parts]), clusters)


def interval_divided(name: Measure, hours: Sequence[Divided], clusters: int) -> Interval:
    """The candidate's mean of a measure less the champion's."""
    arms = [
        [part_of(name, each) for each in side] for side in zip(*((h.champion, h.candidate) for h in hours), strict=True)
    ]
    told = [at for at in range(len(hours)) if all(arm[at][1] for arm in arms)]
    if len(told) < 3:
        return NOTHING
    sums, rows = ([[arm[at][what] for at in told] for arm in arms] for what in (0, 1))
    return ends(unpaired((sums[0], sums[1]), (rows[0], rows[1])), clusters)


def ends(found: Paired, clusters: int) -> Interval:
    degrees = freedom(float(found.effective))
    usual = reach(clusters, degrees, first=MIN_HOURS, alpha=2 * ALPHA / len(MEASURES))
    down, up = reaches(usual, found.lean)
    mean, error = float(found.difference), float(found.error)
    return mean, mean - float(down) * error, mean + float(up) * error


def part_of(name: Measure, arm: Arm) -> tuple[float, int]:
    """A version's total of a measure in an hour, and of how many rows."""
    match name:
        case "failures":
            return arm.failures, arm.rows
        case "score_shift":
            return arm.score, arm.scored
        case _:
            return arm.slowness, arm.answered


def part(name: Measure, hour: Hour) -> tuple[float, int]:
    """An hour's total of a measure, and of how many rows."""
    match name:
        case "failures":
            return hour.failures, hour.rows
        case "disagreement":
            return hour.differing, hour.both
        case "score_shift":
            return hour.shift, hour.scored
        case _:
            return hour.slower, hour.both


def told(broken: Measure | None, found: dict[Measure, Interval], limits: Limits) -> str:
    """What the proxies say, in a sentence with the number."""
    if broken is None:
        return "No proxy is past its limit; labels decide."
    mean, low, high = found[broken]
    ends = f"[{percent(low)}, {percent(high)}]"
    match broken:
        case "failures":
            return f"It fails on {percent(mean)} more rows {ends}; {percent(limits.failures)} may be."
        case "disagreement":
            return f"It answers {percent(mean)} of rows differently {ends}; {percent(limits.disagreement)} may be."
        case "score_shift":
            return f"Its mean score is off by {mean:+.3f} [{low:+.3f}, {high:+.3f}]; {limits.score_shift:g} is allowed."
        case _:
            times = f"[{math.exp(low):.1f}, {math.exp(high):.1f}]"
            return f"It takes {math.exp(mean):.1f} times as long {times}; {limits.latency:g} is allowed."


def percent(share: float) -> str:
    """
    >>> percent(0.0125)
    '1.2 %'
    """
    return f"{100 * share:.1f} %"
