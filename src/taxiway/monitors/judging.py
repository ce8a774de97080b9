"""From what a window holds to what is said of it: drift of every column, performance against the baseline. Pure."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from taxiway.gates.laws.estimates import Estimate, undefined
from taxiway.gates.laws.intervals import clustered_mean
from taxiway.gates.laws.statistics import NotProbabilities
from taxiway.monitors.contract import ColumnDrift, ColumnReference, DriftState, Monitor, PerformanceState, Rules, Window
from taxiway.monitors.measuring import Tally
from taxiway.monitors.performance import difference_from_baseline, performance, state_in_words
from taxiway.monitors.statistics import stability_by_chance, stability_index
from taxiway.monitors.terms import WindowPerformance
from taxiway.monitors.windows import end_of, name_of

NO_LABELS = "No labels have arrived for this window yet."


class Judgement(Struct, frozen=True):
    """What the labelled rows of a window say."""

    performance: WindowPerformance | None
    state: PerformanceState
    sentence: str
    expected: float | None = None
    observed: float | None = None
    gap: Estimate | None = None


def judge(monitor: Monitor, start: datetime, held: Tally, *, at: datetime) -> Window:
    """The window as the monitor's rules see it, as its first result."""
    rules, judged = monitor.rules, judge_performance(monitor.rules, held)
    drift = [
        column_drift(column, held.counts.get(column.name), rules.drift_note, odd=held.odd.get(column.name, 0))
        for column in monitor.reference.features
    ]
    score = monitor.reference.score
    return Window(
        monitor=monitor.name,
        start=start,
        end=end_of(start, rules.window),
        name=name_of(start, rules.window),
        number=1,
        rows=held.rows,
        failed=held.failed,
        labelled=held.labelled,
        drift=drift,
        score=None if score is None else column_drift(score, held.score_counts, rules.drift_note),
        performance=judged.performance,
        performance_state=judged.state,
        sentence=judged.sentence,
        expected=judged.expected,
        observed=judged.observed,
        gap=judged.gap,
        models=sorted(held.models),
        sample=held.sample,
        computed_at=at,
    )


def column_drift(
    column: ColumnReference, counts: NDArray[np.int64] | None, limit: float, *, odd: int = 0
) -> ColumnDrift:
    """A column of a window against the reference.

    Noted from `limit` on, and only where the rows are so many that chance does not reach that far: a handful of
    rows drifts far from any reference.
    """
    expected = np.array(column.counts)
    if counts is None or not counts.sum():
        note = "no value fits the reference's bins" if odd else "no rows"
        nothing = [0] * expected.size
        return ColumnDrift(name=column.name, psi=None, by_chance=0.0, state="not measured", counts=nothing, note=note)
    psi = stability_index(expected, counts)
    used = int(((expected > 0) | (counts > 0)).sum())
    by_chance = stability_by_chance(used, expected_rows=float(expected.sum()), observed_rows=float(counts.sum()))
    return ColumnDrift(
        name=column.name,
        psi=psi,
        by_chance=by_chance,
        state=drift_state(psi, by_chance=by_chance, limit=limit),
        counts=[int(count) for count in counts],
        note=f"{odd:,} values are no numbers and are left out" if odd else "",
    )


def drift_state(psi: float, *, by_chance: float, limit: float) -> DriftState:
    if by_chance > limit:
        return "too few rows"
    if psi >= limit:
        return "noted"
    return "moved" if psi > by_chance else "within chance"


def judge_performance(rules: Rules, held: Tally) -> Judgement:
    """The metric over the labelled rows and what the alert rule says of it."""
    if not held.labels:
        return Judgement(None, "no labels", NO_LABELS)
    labels, scores, blocks = np.array(held.labels), np.array(held.scores), np.array(held.blocks)
    measured = measure(rules, labels, scores, np.array(held.hits), blocks)
    against: dict[str, Any] = {"baseline": rules.baseline, "tolerance": rules.tolerance}
    state = difference_from_baseline(measured, **against, min_clusters=rules.min_clusters)
    sentence = state_in_words(measured, **against, min_clusters=rules.min_clusters)
    if np.isnan(labels).any() or np.isnan(scores).any():
        return Judgement(measured, state, sentence)
    gap = clustered_mean(labels - scores, blocks)
    return Judgement(measured, state, sentence, float(scores.mean()), float(labels.mean()), gap)


def measure(rules: Rules, labels: Any, scores: Any, hits: Any, blocks: Any) -> WindowPerformance:
    """The metric with its interval; undefined, with the reason, where labels or scores do not allow it."""
    if rules.metric == "accuracy":  # what came true, at the version's own threshold
        return performance("accuracy", np.ones_like(hits), hits, blocks)
    reason = ""
    if np.isnan(labels).any():
        reason = f"{int(np.isnan(labels).sum()):,} labels are neither 0 nor 1."
    elif np.isnan(scores).any():
        reason = f"{int(np.isnan(scores).sum()):,} labelled rows were answered without a score."
    try:
        if not reason:
            return performance(rules.metric, labels, scores, blocks)
    except NotProbabilities as e:
        reason = str(e)
    count = int(np.unique(blocks).size)
    nothing = undefined(reason, n=labels.size, confidence=0.95, method="none")
    return WindowPerformance(rules.metric, nothing, count)
