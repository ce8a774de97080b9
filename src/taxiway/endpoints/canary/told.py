"""What is told of a canary besides its verdict: in its endpoint's line, what follows, each proxy beside its limit."""

from __future__ import annotations

import math

from taxiway.endpoints.canary.contract import Canary, CanaryDetail, Proxy
from taxiway.endpoints.canary.laws.blocks import SPANS
from taxiway.endpoints.contract import OnTrial

PROXY_WORDS = {
    "failures": "more rows without an answer",
    "disagreement": "rows predicted differently",
    "score_shift": "shift of the mean score",
    "latency": "times as long",
}


def on_trial(canary: Canary) -> OnTrial:
    """A running canary as its endpoint tells of it."""
    said = canary.said or "Not enough yet: no look was taken so far."
    return OnTrial(canary.candidate, canary.model, canary.version, 100 * canary.share, said)


def following(detail: CanaryDetail) -> str:
    """What happens next by itself, and what it waits for; nothing where it is over."""
    canary, verdict = detail.canary, detail.verdict
    if canary.state != "running":
        return ""
    if canary.blocked:
        return "It is tried again every few seconds, and takes over once nothing is in the way."
    unit = canary.cluster if canary.cluster in SPANS else f"24 hours of a {canary.cluster}"
    when = f"with the {canary.min_clusters}th whole {unit}" if verdict.missing else f"with the next whole {unit}"
    unlabelled = canary.progress.waiting - canary.progress.labelled
    late = f" {unlabelled:,} rows wait for their labels." if unlabelled else ""
    return (
        f"The next look comes {when}, once {100 * canary.labelled:g} % of its rows have labels.{late} "
        "What it shows is done by itself: all requests go to the candidate, or none."
    )


def proxy_rows(proxy: Proxy) -> list[tuple[str, str, str, str, str]]:
    """Each proxy in words: what it measures, how much that is, its interval, its limit, and a verdict's shape."""
    found = []
    for name, words in PROXY_WORDS.items():
        if name not in proxy.estimates or not math.isfinite(proxy.lows[name]):
            continue
        values = (proxy.estimates[name], proxy.lows[name], proxy.highs[name], proxy.limits[name])
        said = [told(name, value) for value in values]
        shape = "fail" if proxy.broken == name else "pass"
        found.append((words, said[0], f"[{said[1]}, {said[2]}]", said[3].lstrip("+"), shape))
    return found


def told(name: str, value: float) -> str:
    """
    >>> told("latency", 0.0), told("score_shift", 0.012), told("failures", 0.01)
    ('1.00', '+0.012', '1.0 %')
    """
    if name == "latency":
        return f"{math.exp(value):.2f}"
    return f"{value:+.3f}" if name == "score_shift" else f"{100 * value:.1f} %"
