"""What a monitor says in words: why a window alerts, what moved without paging, how it stands as a whole. Pure."""

from __future__ import annotations

from taxiway.monitors.contract import Alert, Monitor, Window
from taxiway.monitors.terms import METRIC_WORDS
from taxiway.web.numbers import fixed
from taxiway.web.words import listed, plural

QUIET_PSI = 0.1
MOST_NAMED = 3


def explanation(monitor: Monitor, window: Window, others: list[Window]) -> str:
    """What moved in a window whose performance fell, and what stayed silent.

    others: the monitor's other windows; drift that they show too, while their performance held, explains nothing.
    """
    told = []
    if window.expected is not None and window.observed is not None:
        told.append(f"The mean score is {fixed(window.expected)} and {fixed(window.observed)} of the labels are 1.")
    is_silent = window.score is not None and window.score.psi is not None and window.score.psi < QUIET_PSI
    if is_silent and window.score is not None:
        told.append(f"The scores kept their distribution (PSI {fixed(window.score.psi)}), so score drift is silent.")
    told.append(inputs_explained(window, others))
    if is_silent:
        told.append(
            "When scores stay and the truth moves, the same inputs have come to mean something else: concept drift. "
            "Only labels show it."
        )
    return " ".join(part for part in told if part)


def inputs_explained(window: Window, others: list[Window]) -> str:
    """Whether input drift tells this window from those in which the model held."""
    if not window.noted:
        return "No input drifted past the limit, so input drift is silent."
    held = [other for other in others if other.performance_state == "ok"]
    as_far = [other for other in held if drifted_as_far(window, other)]
    names = features(window.noted)
    if not as_far:
        return f"Inputs drifted as well: {names}."
    where = listed([other.name for other in as_far])
    return (
        f"Inputs drifted ({names}), but as far in {where}, where the model held: input drift does not tell them apart."
    )


def drifted_as_far(window: Window, other: Window) -> bool:
    """Whether the furthest feature of a window drifted at least as far in another."""
    furthest = {drift.name: drift.psi or 0.0 for drift in window.drift}
    name = window.noted[0]
    return any(drift.name == name and (drift.psi or 0.0) >= furthest[name] for drift in other.drift)


def answer(monitor: Monitor, windows: list[Window], alerts: list[Alert]) -> str:
    """How the endpoint stands, in a sentence."""
    if not windows:
        return f"{monitor.endpoint} is watched; no window has been measured yet"
    metric = METRIC_WORDS[monitor.rules.metric]
    live = [alert for alert in alerts if alert.state != "resolved"]
    noted = drift_noted([window for window in windows if window.performance_state != "alert"])
    if live:
        worst = max(live, key=lambda alert: abs(alert.estimate - alert.baseline))
        lost = fixed(abs(worst.estimate - worst.baseline))
        head = f"{worst.window_name} is worse than its baseline by {lost} of {metric}"
        others = len(live) - 1
        head += f", and {plural(others, 'more window')} {'is' if others == 1 else 'are'}" if others else ""
        return f"{head}; {noted}" if noted else head
    judged = [window for window in windows if window.performance_state == "ok"]
    if not judged:
        head = f"{monitor.endpoint} cannot be judged yet: {waiting_for(windows[-1], monitor)}"
    else:
        head = f"{monitor.endpoint} holds its {metric} in {plural(len(judged), 'window')}"
    return f"{head}; {noted}" if noted else head


def drift_noted(windows: list[Window]) -> str:
    """Drift that nobody is paged for, the newest window that shows it first."""
    for window in reversed(windows):
        if window.noted:
            return f"input drift in {window.name} is noted, not paged"
    return ""


def waiting_for(window: Window, monitor: Monitor) -> str:
    """Why a window has no verdict."""
    if not window.rows:
        return f"nothing was answered in {window.name}"
    if not window.labelled:
        return f"no labels have arrived for {window.name}"
    clusters = window.performance.clusters if window.performance else 0
    if clusters < monitor.rules.min_clusters:
        blocks = plural(monitor.rules.min_clusters, monitor.rules.cluster)
        return f"{window.name} has labels of {clusters} of the {blocks} it needs"
    return f"the {METRIC_WORDS[monitor.rules.metric]} of {window.name} cannot be measured"


def features(names: list[str]) -> str:
    """The first few names, and how many more there are."""
    more = len(names) - MOST_NAMED
    return listed(names) if more <= 1 else f"{', '.join(names[:MOST_NAMED])} and {plural(more, 'other')}"
