"""The law of findings: which step follows which, and who is a second person. Pure."""

from __future__ import annotations

from datetime import timedelta

from taxiway.gates.findings.contract import SEVERITIES, Finding, FindingState, Severity

NEXT: dict[FindingState, tuple[FindingState, ...]] = {
    "open": ("in_progress",),
    "in_progress": ("resolved",),
    "resolved": ("closed", "in_progress"),
    "closed": (),
}
LASTS: dict[Severity, timedelta] = {
    "critical": timedelta(days=7),
    "high": timedelta(days=30),
    "medium": timedelta(days=90),
    "low": timedelta(days=180),
}


def is_lower(after: Severity, before: Severity) -> bool:
    return SEVERITIES.index(after) < SEVERITIES.index(before)


def part_in(finding: Finding, who: str) -> str:
    """What somebody has to do with a finding, so that they are no second person to it; empty where nothing."""
    if who == finding.owner:
        return "owns it"
    if any(step.former == who for step in finding.steps):
        return "owned it"
    if who == finding.resolved_by:
        return "resolved it"
    if any(step.by == who and step.did in ("resolved", "in_progress") for step in finding.steps):
        return "worked on it"
    return ""


def order(finding: Finding) -> tuple[bool, int, float]:
    """The worst first, and of the same severity what was due first; what is closed last."""
    return finding.is_closed, -SEVERITIES.index(finding.severity), finding.due_at.timestamp()
