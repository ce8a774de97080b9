"""Act 2 from the first request on: months of traffic, drift noted, labels that come later, and one alert."""

from __future__ import annotations

from taxiway.demo import flights
from taxiway.demo.replay import Replay
from taxiway.demo.scene import Scene
from taxiway.gates.laws.rules import interval_words
from taxiway.kernel.errors import AlreadyExists
from taxiway.monitors.contract import Alert, Monitor, Window

MARKS = {"alert": "■", "drift noted": "▲", "ok": "●", "not enough yet": "◌", "no rows": "◌"}
# Of the five samples that every fifth flight allows, four alert for April without a tolerance and two with 0.01;
# all flights together alert without one (log loss 0.609 [0.522, 0.696] against 0.514). So there is none.
TOLERANCE = 0.0
ALERTING, DRIFTING = "2013-04", "2013-05"
MONTHS = ("2013-03", ALERTING, DRIFTING)


def watch(scene: Scene, replay: Replay, endpoint: str) -> None:
    """Plays the months back, then brings the labels."""
    monitor = create(scene, endpoint)
    replay_months(scene, replay, monitor)
    label_months(scene, replay, monitor)


def create(scene: Scene, endpoint: str) -> Monitor:
    """Step 3: what is watched, against what."""
    narrator, olu = scene.narrator, scene.cast["olu"]
    narrator.step("Olu sets a monitor on the endpoint")
    try:
        monitor = olu.monitors.create(endpoint, metric="log_loss", window="month", tolerance=TOLERANCE)
    except AlreadyExists:
        monitor = olu.monitors.show(endpoint).monitor
    rules, reference = monitor.rules, monitor.reference
    narrator.say(
        f"{monitor.ref}: log loss by month, baseline {rules.baseline:.4f} ({rules.baseline_from}), tolerance "
        f"{rules.tolerance:g}; drift of {len(reference.features)} features against {reference.rows:,} rows of "
        f"{reference.dataset}. Drift from a PSI of {rules.drift_note:g} on is noted and pages nobody."
    )
    return monitor


def replay_months(scene: Scene, replay: Replay, monitor: Monitor) -> None:
    """Step 4: the traffic, and what can be seen of it without labels."""
    narrator, olu = scene.narrator, scene.cast["olu"]
    narrator.step("March, April and May are replayed as traffic, each flight at its own time")
    has_known_labels = any(window.labelled for window in olu.monitors.windows(monitor.name))
    fresh = replay.send(olu, monitor.endpoint, narrator)
    total = len(replay.sample)
    went_on = "" if fresh == total else f" ({total - fresh:,} of them in an earlier run of the demo)"
    narrator.say(
        f"{total:,} flights{went_on}: every {flights.EVERY}th of each month in the order of decision, from number "
        f"{flights.FIRST + 1} on. A sample, so that it takes seconds. Which one matters: of the {flights.EVERY} that "
        f"begin at number 1 to {flights.EVERY}, four alert for April, as all flights together do; the first does not."
    )
    olu.monitors.evaluate(monitor.name)
    windows = months(scene, monitor)
    if not has_known_labels:
        narrator.say("Before any label has come:")
        tell(scene, windows)
        alerts = olu.monitors.alerts(monitor.name)
        narrator.expect(not alerts, "no alert from drift alone", [alert.sentence for alert in alerts])
    noted = windows[DRIFTING].noted
    narrator.expect("temp" in noted, f"drift of the temperature noted in {DRIFTING}", noted)


def label_months(scene: Scene, replay: Replay, monitor: Monitor) -> None:
    """Step 5: the truth arrives, and one month is worse than what the model was let in with."""
    narrator, olu = scene.narrator, scene.cast["olu"]
    narrator.step("The labels arrive: was each flight late when it landed?")
    taken = replay.label(olu, monitor.endpoint)
    narrator.expect(not taken.unknown_count, "labels of predictions that were made", taken.unknown)
    narrator.expect(not taken.conflict_count, "labels that agree with those there are", taken.conflicts)
    narrator.say(f"{taken.new:,} labels stored, {taken.known:,} were known.")
    olu.monitors.evaluate(monitor.name)
    windows = months(scene, monitor)
    tell(scene, windows)
    by_month = {f"{alert.window:%Y-%m}": alert for alert in olu.monitors.alerts(monitor.name)}
    narrator.expect(list(by_month) == [ALERTING], f"one alert, for {ALERTING}", list(by_month))
    page(scene, by_month[ALERTING])
    states = {name: windows[name].state for name in MONTHS}
    narrator.expect(states[ALERTING] == "alert", f"{ALERTING} in alert", states)
    narrator.expect(states[DRIFTING] == "drift noted", f"drift noted in {DRIFTING} and nobody paged", states)
    narrator.say(f"The monitor's page: {scene.link(f'/monitors/{monitor.name}')}")


def months(scene: Scene, monitor: Monitor) -> dict[str, Window]:
    """The replayed months, by name."""
    found = {f"{window.start:%Y-%m}": window for window in scene.cast["olu"].monitors.windows(monitor.name)}
    scene.narrator.expect(set(MONTHS) <= set(found), "a window for each replayed month", sorted(found))
    return {name: found[name] for name in MONTHS}


def tell(scene: Scene, windows: dict[str, Window]) -> None:
    """A line for each month."""
    scene.narrator.table([line(name, window) for name, window in windows.items()])


def line(name: str, window: Window) -> dict[str, str | int]:
    measured = window.performance.estimate if window.performance else None
    far = max((drift for drift in window.drift if drift.psi is not None), key=lambda d: d.psi or 0.0, default=None)
    return {
        "month": name,
        "rows": window.rows,
        "labelled": window.labelled,
        "log loss": interval_words(measured) if measured else "",
        "late": f"{window.observed:.3f}" if window.observed is not None else "",
        "mean score": f"{window.expected:.3f}" if window.expected is not None else "",
        "furthest": f"{far.name} {far.psi:.1f}" if far is not None else "",
        "noted": len(window.noted),
        "state": f"{MARKS[window.state]} {window.state}",
    }


def page(scene: Scene, alert: Alert) -> None:
    """The alert as the person on duty gets it."""
    narrator = scene.narrator
    narrator.say(f"■ {alert.sentence} {alert.explanation}")
    narrator.say(f"Look at {scene.link(alert.url)}")
    is_worse = alert.low > alert.baseline + alert.tolerance
    narrator.expect(is_worse, "an interval worse than the baseline by the tolerance", (alert.low, alert.baseline))
