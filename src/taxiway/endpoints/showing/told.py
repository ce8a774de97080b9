"""A trace as a story in steps, from the answer back to the data: for the terminal and for the page. Pure."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec
from msgspec import Struct

from taxiway.endpoints.contract import PredictionTrace, TracedRow
from taxiway.gates.contract import Approval, GateStanding
from taxiway.kernel.thing import href

MARKS = {"pass": "●", "fail": "■", "inconclusive": "▲", "missing": "◌"}
MOST_FIELDS = 40
WIDEST = 88


class Line(Struct, frozen=True):
    """One fact of a step. verdict: where it is a gate's."""

    name: str
    text: str
    verdict: str = ""


class Step(Struct, frozen=True):
    """One step back: what it is, in a sentence, where to look further, and its facts."""

    title: str
    at: datetime | None
    url: str
    lines: list[Line]


def steps(trace: PredictionTrace) -> list[Step]:
    """The whole story, the answer first."""
    return [
        answered(trace),
        revised(trace),
        versioned(trace),
        decided(trace),
        judged(trace),
        *made(trace),
        *data(trace),
    ]


def answered(trace: PredictionTrace) -> Step:
    rows = "1 row" if trace.row_count == 1 else f"{trace.row_count} rows"
    lines = [line for row in trace.rows for line in row_lines(row, is_alone=trace.row_count == 1)]
    if len(trace.rows) < trace.row_count:
        lines.append(Line("", f"{len(trace.rows)} of {rows} shown; ask for one as ID/ROW"))
    took = f"{trace.latency_ms:.3g} ms"
    title = f"The endpoint {trace.endpoint} answered {rows} in {took}"
    return Step(title, trace.at, f"/endpoints/{trace.endpoint}", lines)


def row_lines(row: TracedRow, *, is_alone: bool) -> list[Line]:
    prefix = "" if is_alone else f"row {row.row} "
    outputs = fields(row.outputs) if row.outputs is not None else f"no answer: {row.error}"
    found = [Line(f"{prefix}asked", fields(row.inputs)), Line(f"{prefix}answered", outputs)]
    found.append(Line(f"{prefix}happened", moment(row.event_at)))
    if row.label is not None:
        label = f"{row.label.label}, given by {row.label.by} {moment(row.label.at)}"
        found.append(Line(f"{prefix}truth", label))
    else:
        found.append(Line(f"{prefix}truth", "not known yet"))
    return found


def revised(trace: PredictionTrace) -> Step:
    revision = trace.revision
    lines = [Line("deployed by", revision.created_by)]
    if revision.note:
        lines.append(Line("because", revision.note))
    if revision.live_at is not None:
        lines.append(Line("first answered", moment(revision.live_at)))
    title = f"Revision {revision.number} answered, deployed by {revision.created_by}"
    return Step(title, revision.created_at, f"/endpoints/{trace.endpoint}#revisions", lines)


def versioned(trace: PredictionTrace) -> Step:
    version = trace.version
    same = "is exactly what was registered" if trace.is_same_bundle else "is NOT what is registered"
    lines = [
        Line("bundle", trace.bundle),
        Line("", f"what answered {same}"),
        Line("flavour", version.flavour),
        Line("risk", version.risk),
        Line("registered by", version.created_by),
    ]
    if version.environment:
        lines.append(Line("environment lock", version.environment))
    url = href(version.ref)
    return Step(f"It served {version.model} version {version.version}", version.created_at, url, lines)


def decided(trace: PredictionTrace) -> Step:
    """Who moved the version, and who approved it, with what words."""
    entries = [each for each in trace.stages if each.stage != "none"]
    lines = [Line(f"to {e.stage}", f"{moment(e.entered_at)} by {e.by}{because(e.reason)}") for e in entries]
    approvals = [a for stage in (trace.gates.stages if trace.gates else []) for a in stage.approvals]
    lines += [Line("approval", approved(each)) for each in approvals]
    counted = [each for each in approvals if each.counts]
    who = f"{', '.join(each.by for each in counted)} approved it" if counted else "No approval was asked for"
    version = trace.version
    url = href(version.ref)
    return Step(who, counted[0].at if counted else None, url, lines)


def approved(approval: Approval) -> str:
    void = f" (does not count: {approval.void_because})" if approval.void_because else ""
    return f"{moment(approval.at)} by {approval.by} as {approval.role}: “{approval.comment}”{void}"


def judged(trace: PredictionTrace) -> Step:
    """The gates as they stood when the revision was deployed."""
    gates = [gate for stage in (trace.gates.stages if trace.gates else []) for gate in stage.gates]
    title = f"{len(gates)} gates stood on its path" if gates else "Nothing is recorded of its gates"
    if gates:
        passed = sum(gate.verdict == "pass" for gate in gates)
        title = f"{passed} of {len(gates)} gates on its path were open when it was deployed"
    lines = [Line(f"{gate.gate}, before {gate.stage}", gate_text(gate), gate.verdict) for gate in gates]
    if trace.gates:
        lines.insert(0, Line("path", f"{trace.gates.path.removeprefix('path:')} ({trace.gates.path_digest})"))
    return Step(title, max((g.at for g in gates if g.at), default=None), "/gates", lines)


def gate_text(gate: GateStanding) -> str:
    return f"{gate.verdict}. {gate.outcome.reason or gate.title}"


def made(trace: PredictionTrace) -> list[Step]:
    """The run that made it: code, environment, and what it was told."""
    run = trace.run
    if run is None:
        return []
    lines = [Line("run", run.id)]
    if run.code is not None:
        is_clean = "" if not run.code.is_dirty else ", with changes that were not committed"
        if run.code.commit:
            lines.append(Line("code", f"commit {run.code.commit}{is_clean}"))
        lines.append(Line("sources", run.code.sources if run.code.files else "no sources were kept"))
        if run.code.changes:
            lines.append(Line("changes", run.code.changes))
    else:
        lines.append(Line("code", "not recorded"))
    if run.environment is not None:
        where = f"{run.environment.implementation} {run.environment.python} on {run.environment.platform}"
        lines.append(Line("environment", f"{where}, {run.environment.packages} packages ({run.environment.digest})"))
    if run.params:
        lines.append(Line("parameters", fields(dict(run.params))))
    if run.metrics:
        lines.append(Line("metrics", fields(dict(run.metrics))))
    return [Step(f"{run.created_by} trained it in the run {run.name}", run.started_at, f"/runs/{run.id}", lines)]


def data(trace: PredictionTrace) -> list[Step]:
    """A step for each dataset version that it learnt from."""
    found = []
    for each in trace.datasets:
        lines = [Line("digest", each.digest), Line("fingerprint", each.fingerprint)]
        if each.result is not None:
            kept = "kept" if each.result.passed else "broken"
            lines.append(Line("contract", f"{kept}, {len(each.result.findings)} findings"))
        if each.derived_from:
            lines.append(Line("made from", ", ".join(ref.removeprefix("dataset:") for ref in each.derived_from)))
        lines.append(Line("registered by", each.created_by))
        title = f"It learnt from {each.project}/{each.name} version {each.version}: {each.rows:,} rows"
        found.append(Step(title, each.created_at, href(each.ref), lines))
    return found


def tell(trace: PredictionTrace) -> str:
    """The story for a terminal, the answer at the top."""
    lines = [f"Prediction {trace.prediction_id}", ""]
    found = steps(trace)
    for number, step in enumerate(found):
        lines.append(f"◆ {step.title}" + (f"   {moment(step.at)}" if step.at else ""))
        width = max((len(line.name) for line in step.lines), default=0)
        bar = "│" if number < len(found) - 1 else " "
        for line in step.lines:
            mark = f"{MARKS.get(line.verdict, '◌')} " if line.verdict else ""
            lines.append(f"{bar}   {line.name.ljust(width)}  {mark}{line.text}".rstrip())
        lines.append(bar.rstrip())
    return "\n".join(lines).rstrip()


def fields(values: dict[str, Any]) -> str:
    """Names and values on one line."""
    shown = [f"{name}={value_text(value)}" for name, value in list(values.items())[:MOST_FIELDS]]
    more = len(values) - len(shown)
    return ", ".join(shown) + (f", and {more} more" if more > 0 else "")


def value_text(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.6g}"
    text = value if isinstance(value, str) else msgspec.json.encode(value).decode()
    return text if len(text) <= WIDEST else f"{text[:WIDEST]}…"


def moment(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M:%S}Z"


def because(reason: str) -> str:
    return f": “{reason}”" if reason else ""
