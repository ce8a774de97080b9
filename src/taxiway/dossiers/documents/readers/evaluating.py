"""What was measured of a version, by which procedure, and who answers for it."""

from __future__ import annotations

from collections.abc import Sequence

from taxiway.dossiers.documents.contract import Grid, Interval, Said
from taxiway.dossiers.documents.facts import Facts
from taxiway.evidence.statement import APPROVAL, CHECK_RESULT
from taxiway.gates.contract import Evidence
from taxiway.gates.laws.estimates import Estimate
from taxiway.kernel.numbers import Number

MEASURED = ("pass", "fail", "inconclusive")
PEOPLE = ("approvals", "attestation", "card", "findings", "review_threads")


def judged_on(facts: Facts) -> Said | None:
    """The data that it was judged on, and how rows were split."""
    found = facts.version.evaluation
    if found is None:
        return None
    text = [f"{found.rows:,} predictions, {found.digest}"]
    text += [f"Split: {found.split}"] if found.split else []
    text += [f"About {found.dataset.partition(':')[2]}"] if found.dataset else []
    text += [f"Looked at by {', '.join(found.groups)}"] if found.groups else []
    return Said(text, refs=[found.dataset] if found.dataset else [facts.version.ref])


def tests(facts: Facts) -> Said | None:
    """Every measured check with interval, against what was asked."""
    found = [each for each in facts.evidence if each.check not in PEOPLE and each.outcome.verdict in MEASURED]
    return of_evidence(facts, found)


def accuracy(facts: Facts) -> Said | None:
    return of_evidence(facts, [each for each in facts.evidence if each.check == "performance"])


def of_check(facts: Facts, name: str) -> Said | None:
    return of_evidence(facts, [each for each in facts.evidence if each.check == name])


def by_group(facts: Facts) -> Said | None:
    """Rates by group and every comparison of groups, the small groups marked."""
    rows, found = [], [each for each in facts.evidence if each.outcome.groups]
    for each in found:
        for group in each.outcome.groups:
            counted = "" if group.is_counted else "too few rows to count"
            rows.append([each.outcome.metric, group.group, *numbers(group.rate), counted])
    if not rows:
        return None
    compared = [
        Interval(c.what, c.verdict or "missing", c.estimate.value, c.estimate.low, c.estimate.high, c.threshold)
        for each in found
        for c in each.outcome.comparisons
    ]
    head = ["metric", "group", "share", "interval", "rows", "note"]
    return Said([], Grid(head, rows), compared, [facts.version.ref])


def of_evidence(facts: Facts, found: Sequence[Evidence]) -> Said | None:
    if not found:
        return None
    rows = []
    for each in found:
        outcome = each.outcome
        asked = str(outcome.threshold) if outcome.threshold else ""
        rows.append([outcome.metric or each.gate, outcome.verdict, *numbers(outcome.estimate), asked, outcome.reason])
    drawn = [
        Interval(o.metric or e.gate, o.verdict, o.estimate.value, o.estimate.low, o.estimate.high,
                 o.threshold.value if o.threshold else None, o.threshold.direction if o.threshold else "")
        for e in found
        if (o := e.outcome).estimate is not None and o.estimate.value is not None
    ]  # fmt: skip
    head = ["metric", "verdict", "value", "interval", "rows", "asked", "found"]
    return Said([], Grid(head, rows), drawn, [facts.version.ref])


def numbers(estimate: Estimate | None) -> list[str]:
    """Value, interval and rows in words."""
    if estimate is None or estimate.value is None:
        return ["", "", str(estimate.n) if estimate else ""]
    bounds = (
        "" if estimate.low is None or estimate.high is None else f"{number(estimate.low)} to {number(estimate.high)}"
    )
    return [number(estimate.value), bounds, f"{estimate.n:,}"]


def number(value: Number | float) -> str:
    return f"{float(value):.4g}"


def procedures(facts: Facts) -> Said | None:
    """How each check measures: method, seed, tools."""
    rows = []
    for each in facts.evidence:
        estimate = each.outcome.estimate
        if estimate is None:
            continue
        drawn = (
            f", seed {estimate.seed}, {estimate.resamples:,} resamples"
            if estimate.seed is not None and estimate.resamples
            else ""
        )
        tools = ", ".join(f"{name} {version}" for name, version in sorted(each.tools.items()))
        rows.append([each.gate, f"{estimate.method}{drawn}", f"{estimate.confidence:.0%}", tools])
    return Said([], Grid(["gate", "method", "confidence", "tools"], rows), refs=[facts.version.ref]) if rows else None


def metric_choice(facts: Facts) -> Said | None:
    """What the path asks for, in its words: which metric, and from where on it is good."""
    standing = facts.standing
    if standing is None:
        return None
    rows = [[gate.stage, gate.gate, gate.title, gate.mode] for stage in standing.stages for gate in stage.gates]
    return (
        Said(
            [f"By the path {standing.path.partition(':')[2]}"],
            Grid(["before", "gate", "asks", "mode"], rows),
            [],
            [standing.path],
        )
        if rows
        else None
    )


def planned_changes(facts: Facts) -> Said | None:
    """The rules by which anything may change: paths by digest."""
    text = [f"{path.name}, version {path.version}, {path.digest}" for path in facts.paths]
    text += ["A changed model, evaluation, card or path voids what was approved"] if text else []
    return Said(text, refs=[path.ref for path in facts.paths]) if text else None


def test_reports(facts: Facts) -> Said | None:
    """Signed results, dated, with who stands behind them."""
    rows = [
        [said.at.strftime("%Y-%m-%d"), said.by, said.predicate_type.partition("//")[2], said.digest, said.key[:16]]
        for said in facts.said
        if said.predicate_type in (CHECK_RESULT, APPROVAL)
    ]
    return Said([], Grid(["signed", "by", "says", "digest", "key"], rows), refs=[facts.version.ref]) if rows else None


def approvals(facts: Facts) -> Said | None:
    given = [each for stage in facts.standing.stages for each in stage.approvals] if facts.standing else []
    rows = [
        [f"{each.at:%Y-%m-%d}", each.by, each.role, each.stage, each.comment, each.void_because or "counts"]
        for each in sorted(given, key=lambda each: (each.at, each.id))
    ]
    return (
        Said([], Grid(["when", "who", "as", "for", "said", "stands"], rows), refs=[facts.version.ref]) if rows else None
    )


def oversight(facts: Facts) -> Said | None:
    """Who decides about it, and who may not."""
    if facts.standing is None:
        return None
    text = [f"{name} may not approve it: {', '.join(why)}" for name, why in sorted(facts.standing.authors.items())]
    text += [
        f"The endpoint {each.name} can be stopped; it then answers {'its fallback' if each.fallback else '503'}"
        for each in facts.endpoints
    ]
    return Said(text, refs=[facts.standing.path]) if text else None


def waivers(facts: Facts) -> Said | None:
    gates = [gate for stage in facts.standing.stages for gate in stage.gates] if facts.standing else []
    text = [f"{gate.gate} ({gate.stage}): {gate.waived.said}" for gate in gates if gate.waived]
    return Said(text, refs=[facts.version.ref]) if text else None


def signed(facts: Facts) -> Said | None:
    """What keeps it as it is: the bundle's digest and the signatures over it."""
    if not facts.said:
        return None
    keys = sorted({said.key for said in facts.said})
    text = [f"{len(facts.said)} signed statements, by the keys {', '.join(key[:16] for key in keys)}"]
    text += (
        [f"Every byte of the bundle is checked against {facts.version.bundle} before it answers"]
        if facts.version.bundle
        else []
    )
    return Said(text, refs=[facts.version.ref])


READERS = {
    "judged_on": judged_on,
    "tests": tests,
    "accuracy": accuracy,
    "by_group": by_group,
    "procedures": procedures,
    "metric_choice": metric_choice,
    "planned_changes": planned_changes,
    "test_reports": test_reports,
    "approvals": approvals,
    "oversight": oversight,
    "waivers": waivers,
    "signed": signed,
}
TAKING = {"check": of_check}
