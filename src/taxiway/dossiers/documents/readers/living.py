"""What becomes of a version after its making: served, watched, looked at again, and every change in the log."""

from __future__ import annotations

from collections import Counter

from taxiway.dossiers.documents.contract import Grid, Said
from taxiway.dossiers.documents.facts import Facts


def endpoints(facts: Facts) -> Said | None:
    text = [f"{each.name} answers with it, for {each.serves}" for each in facts.endpoints]
    return Said(text, refs=[each.ref for each in facts.endpoints]) if text else None


def stop(facts: Facts) -> Said | None:
    """The switch that stops it."""
    text = [
        f"{each.name} can be stopped by hand; callers then get {each.fallback or 'the status 503'}"
        for each in facts.endpoints
    ]
    return Said(text, refs=[each.ref for each in facts.endpoints]) if text else None


def plan(facts: Facts) -> Said | None:
    """The post-market plan: what is measured, in which window, from where on somebody is called, and who that is."""
    rows = []
    for report in facts.monitors:
        rules, monitor = report.monitor.rules, report.monitor
        limit = f"{rules.baseline:.4g} ± {rules.tolerance:g} ({rules.baseline_from})"
        rows.append(
            [monitor.name, rules.metric, rules.window, limit, f"PSI from {rules.drift_note:g} on", facts.project.owner]
        )
    head = ["monitor", "metric", "window", "alert beyond", "drift noted", "owner"]
    return Said([], Grid(head, rows), refs=[each.monitor.ref for each in facts.monitors]) if rows else None


def observed(facts: Facts) -> Said | None:
    """What was measured since."""
    text = [
        f"{report.monitor.name}: {len(report.windows)} windows measured, {len(report.alerts)} alerts"
        for report in facts.monitors
        if report.windows
    ]
    return Said(text, refs=[each.monitor.ref for each in facts.monitors]) if text else None


def alerts(facts: Facts) -> Said | None:
    rows = [
        [alert.window_name, alert.metric, alert.sentence, alert.state]
        for report in facts.monitors
        for alert in sorted(report.alerts, key=lambda each: (each.window, each.id))
    ]
    return (
        Said([], Grid(["window", "metric", "what", "state"], rows), refs=[r.monitor.ref for r in facts.monitors])
        if rows
        else None
    )


def reviews(facts: Facts) -> Said | None:
    rows = [[f"{each.at:%Y-%m-%d}", each.by, each.outcome, each.comment, each.findings] for each in facts.reviews]
    return (
        Said([], Grid(["when", "who", "outcome", "looked at", "found"], rows), refs=[facts.version.ref])
        if rows
        else None
    )


def findings(facts: Facts) -> Said | None:
    rows = [
        [f"{each.opened_at:%Y-%m-%d}", each.title, each.severity, each.state, each.owner, each.remediation]
        for each in facts.findings
    ]
    return (
        Said(
            [],
            Grid(["opened", "what", "severity", "state", "owner", "remedy"], rows),
            refs=[e.ref for e in facts.findings],
        )
        if rows
        else None
    )


def changes(facts: Facts) -> Said | None:
    """Every entry of the audit log about it, by what was done."""
    if not facts.entries:
        return None
    done = Counter(entry.verb for entry in facts.entries)
    rows = [[verb, str(count), days(facts, verb)] for verb, count in sorted(done.items())]
    text = [f"Entries {facts.entries[0].seq} to {facts.entries[-1].seq} of the audit log, {len(facts.entries)} in all"]
    return Said(text, Grid(["change", "times", "when"], rows), refs=[facts.version.ref])


def days(facts: Facts, verb: str) -> str:
    at = [entry.at for entry in facts.entries if entry.verb == verb]
    first, last = f"{at[0]:%Y-%m-%d}", f"{at[-1]:%Y-%m-%d}"
    return first if first == last else f"{first} to {last}"


def inference_log(facts: Facts) -> Said | None:
    """That each answer is kept with what was asked."""
    text = [
        f"{each.name}: every prediction is logged with its input, the version and the bundle's digest"
        for each in facts.endpoints
    ]
    return Said(text, refs=[each.ref for each in facts.endpoints]) if text else None


READERS = {
    "endpoints": endpoints,
    "stop": stop,
    "monitors": plan,
    "observed": observed,
    "alerts": alerts,
    "reviews": reviews,
    "findings": findings,
    "changes": changes,
    "inference_log": inference_log,
}
