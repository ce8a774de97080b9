"""What follows from a look: promote, roll back, or not enough yet, with its numbers and in words."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Annotated, Final

from msgspec import Meta, Struct

from taxiway.endpoints.canary.contract import Canary, Decision, Totals, Verdict
from taxiway.endpoints.canary.laws.looking import looks, reach
from taxiway.endpoints.canary.laws.paired import Paired, freedom, paired, reaches
from taxiway.endpoints.canary.laws.unpaired import unpaired
from taxiway.gates.canaries.contract import CanaryMetric

Metric = CanaryMetric
LOSS_WORDS: Final[dict[Metric, str]] = {
    "log_loss": "log loss",
    "brier": "Brier score",
    "accuracy": "share of wrong answers",
    "squared_error": "squared error",
    "absolute_error": "absolute error",
}
MIN_CLUSTERS: Final = 14
ALPHA: Final = 0.05
FARTHEST: Final = 20  # times the clusters there are: beyond that nobody waits, and no forecast is given


class Ask(Struct, frozen=True, forbid_unknown_fields=True):
    """What a canary must show.

    metric: whose loss is compared, row by row. non_inferiority: by how much the loss may be worse, in its own unit;
    None asks that the candidate be better. min_clusters: before which nothing is decided. alpha: how often the interval
    may miss the truth at any look there ever is, half of it on each side. paired: whether both scored every row.
    """

    metric: Metric = "log_loss"
    non_inferiority: Annotated[float, Meta(ge=0)] | None = 0.0
    min_clusters: Annotated[int, Meta(ge=6, le=1000)] = MIN_CLUSTERS
    alpha: Annotated[float, Meta(gt=0, le=0.2)] = ALPHA
    paired: bool = True

    @property
    def margin(self) -> float:
        return self.non_inferiority or 0.0


def judge(ask: Ask, clusters: Sequence[Totals]) -> Verdict:
    """The look at these whole clusters, in the order in which they became whole.

    Promote when the whole interval lies at or below the margin (below 0 where better is asked); roll back when all of
    it lies above 0, which is worse beyond doubt; else not enough yet. What is worse by less than the margin allows can
    be either, whichever shows first.
    """
    at = looks(ask.min_clusters, len(clusters))
    rows = sum(each.rows for each in clusters)
    if not at:
        return waiting(ask, clusters, rows)
    seen = clusters[: at[-1]]
    rows = sum(each.rows for each in seen)
    found = measured(ask, seen)
    champion, candidate = means(ask, seen)
    low, high = interval(ask, found, at[-1])
    decision, estimate = decide(ask, low, high), float(found.difference)
    forecast = foresee(ask, found, len(seen)) if decision == "not enough yet" else None
    numbers = f"{LOSS_WORDS[ask.metric]} differs by {estimate:+.4f} [{low:+.4f}, {high:+.4f}]"
    base = f"over {len(seen)} whole clusters and {rows:,} rows"
    said = words(ask, decision, low, high)
    return Verdict(
        decision=decision,
        sentence=f"{said} The {numbers} {base}.{forecast_words(forecast, len(seen), decision)}",
        clusters=len(seen),
        rows=rows,
        looks=len(at),
        alpha=ask.alpha,
        margin=ask.margin,
        estimate=estimate,
        low=low,
        high=high,
        champion=champion,
        candidate=candidate,
        kinship=float(found.kinship),
        freedom=freedom(float(found.effective)),
        forecast=forecast,
    )


def measured(ask: Ask, seen: Sequence[Totals]) -> Paired:
    """The difference over whole clusters, and how sure it is."""
    if ask.paired:
        return paired([each.difference for each in seen], [each.rows for each in seen])
    sums = [each.champion for each in seen], [each.candidate for each in seen]
    return unpaired(sums, ([each.rows - each.candidate_rows for each in seen], [each.candidate_rows for each in seen]))


def means(ask: Ask, seen: Sequence[Totals]) -> tuple[float | None, float | None]:
    """The champion's mean loss and the candidate's, each over the rows that it scored."""
    rows = sum(each.rows for each in seen)
    candidate_rows = rows if ask.paired else sum(each.candidate_rows for each in seen)
    champion_rows = rows if ask.paired else rows - candidate_rows
    if not champion_rows or not candidate_rows:
        return None, None
    return sum(each.champion for each in seen) / champion_rows, sum(each.candidate for each in seen) / candidate_rows


def waiting(ask: Ask, clusters: Sequence[Totals], rows: int) -> Verdict:
    """Before the first look: what there is, and no interval, which would be believed."""
    missing = ask.min_clusters - len(clusters)
    champion, candidate = means(ask, clusters)
    more = "1 whole cluster is" if missing == 1 else f"{missing} whole clusters are"
    return Verdict(
        decision="not enough yet",
        sentence=f"Not enough yet: {more} missing of the {ask.min_clusters} before which nothing is decided.",
        clusters=len(clusters),
        rows=rows,
        looks=0,
        alpha=ask.alpha,
        margin=ask.margin,
        estimate=None if champion is None or candidate is None else candidate - champion,
        champion=champion,
        candidate=candidate,
        missing=missing,
    )


def decide(ask: Ask, low: float, high: float) -> Decision:
    """
    >>> decide(Ask(non_inferiority=0.01), -0.1, 0.003), decide(Ask(non_inferiority=None), -0.1, 0.003)
    ('promote', 'not enough yet')
    >>> decide(Ask(non_inferiority=0.01), 0.004, 0.05)
    'roll back'
    """
    if high < 0 or (ask.non_inferiority is not None and high <= ask.margin):
        return "promote"
    return "roll back" if low > 0 else "not enough yet"


def words(ask: Ask, decision: Decision, low: float, high: float) -> str:
    """What is shown, before the numbers."""
    if decision == "roll back":
        return "Roll back: the candidate is worse beyond doubt."
    if decision == "promote":
        if high < 0:
            return "Promote: the candidate is better beyond doubt."
        return f"Promote: the candidate is worse by at most the {ask.margin:g} that is allowed."
    if ask.non_inferiority is None:
        return "Not enough yet: it is not shown to be better, nor to be worse."
    return f"Not enough yet: it is not shown to keep within the {ask.margin:g} that is allowed, nor to be worse."


def forecast_words(forecast: int | None, clusters: int, decision: Decision) -> str:
    if decision != "not enough yet":
        return ""
    if forecast is None:
        return " So near to the line it may take very long to decide."
    return f" If it goes on so, it is decided after about {forecast - clusters} more."


def interval(ask: Ask, found: Paired, clusters: int, *, now: int = 0) -> tuple[float, float]:
    """The ends of a look's interval. now: how many clusters `found` is of, where it is to be of more one day."""
    more = clusters / (now or clusters)
    degrees = freedom(float(found.effective) * more)
    usual = reach(clusters, degrees, first=ask.min_clusters, alpha=ask.alpha)
    down, up = reaches(usual, found.lean / math.sqrt(more))
    error = float(found.error) / math.sqrt(more)
    return float(found.difference) - float(down) * error, float(found.difference) + float(up) * error


def foresee(ask: Ask, found: Paired, clusters: int) -> int | None:
    """After how many clusters an interval would decide if the difference and the spread stay as they are.

    An expectation, not a promise. None beyond 20 times the clusters that there are.
    """
    for at in looks(ask.min_clusters, clusters * FARTHEST):
        if at > clusters and decide(ask, *interval(ask, found, at, now=clusters)) != "not enough yet":
            return at
    return None


def judge_all(ask: Ask, clusters: Sequence[Totals]) -> list[Verdict]:
    """Every look in turn, up to the first that decides: what whoever looked all the time would have seen."""
    found: list[Verdict] = []
    for at in looks(ask.min_clusters, len(clusters)):
        found.append(judge(ask, clusters[:at]))
        if found[-1].decision != "not enough yet":
            break
    return found


def ask_of(canary: Canary) -> Ask:
    return Ask(canary.metric, canary.non_inferiority, canary.min_clusters, canary.alpha, canary.paired)


def judge_latest(ask: Ask, clusters: Sequence[Totals], looks: Sequence[Verdict]) -> Verdict:
    """The verdict of the last look; before there is one, how many clusters are missing."""
    return looks[-1] if looks else waiting(ask, clusters, sum(each.rows for each in clusters))
