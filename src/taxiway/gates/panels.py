"""What gates show on the page of a version: its evidence, whom it treats how, and its approvals."""

from __future__ import annotations

from collections.abc import Sequence
from threading import local

from msgspec import Struct

from taxiway.access.service import Access
from taxiway.gates.contract import (
    Approval,
    Evidence,
    GateStanding,
    InboxItem,
    Request,
    StageStanding,
    Standing,
)
from taxiway.gates.laws.estimates import GroupRate
from taxiway.gates.service import Gates
from taxiway.gates.showing import figures
from taxiway.gates.showing.drawn import drawn_of
from taxiway.gates.showing.outlooks import (
    Reader,
    asks_of_checks,
    is_of_number,
    is_unasked,
    lacking,
    outlook_of,
    split_reason,
    unmet_gates,
    watched_gates,
)
from taxiway.gates.showing.stances import Looker, Stance, lead_of, stance_of
from taxiway.kernel.caller import Caller
from taxiway.kernel.errors import TaxiwayError
from taxiway.kernel.thing import href, parse
from taxiway.models.contract import ModelVersion
from taxiway.models.describing.outlook import Outlook
from taxiway.web.figures.bars import GroupedBars
from taxiway.web.site import Site, View

LEADS = {
    "inconclusive": "{name} is inconclusive, and that is no failure.",
    "fail": "{name} fails.",
    "missing": "{name} could not be measured.",
}


class EvidenceRow(Struct, frozen=True):
    """A gate with its record, where it has one. anchor: where on the page it stands. mode: where it watches only."""

    gate: GateStanding
    record: Evidence | None
    name: str
    anchor: str
    mode: str


class Note(Struct, frozen=True):
    """What a gate that is not open means, in plain words, and what to do next."""

    verdict: str
    lead: str
    reason: str
    advice: str
    anchor: str


class ByGroup(Struct, frozen=True):
    """Rates by group behind a gate. rows: group, its rate, and its share of the highest that counts."""

    name: str
    figure: GroupedBars
    rows: list[tuple[GroupRate, float | None]]


class Approving(Struct, frozen=True):
    """A stage's approvals, for who looks at them.

    request: what waits in the inbox, if somebody asked. is_ready: there is evidence for everything else, so that
    there is something to approve. stance: whether the reader can approve, or why not.
    """

    stage: StageStanding
    gate: GateStanding
    lacks: int
    request: InboxItem | None
    is_ready: bool
    stance: Stance

    @property
    def given(self) -> list[Approval]:
        return self.stage.approvals


class Seen(Struct, frozen=True):
    """What was read of a version for one request."""

    caller: Caller
    standing: Standing
    requests: list[InboxItem]


class Last(local):
    """What this thread read last: a page and its panels are drawn on one thread, and need to read it only once."""

    seen: Seen | None = None


class GatePanels:
    def __init__(self, site: Site, gates: Gates, access: Access) -> None:
        self.site = site
        self.gates = gates
        self.access = access
        self.last = Last()

    def look(self, caller: Caller, model: str, version: int) -> Seen:
        """How a version stands and who was asked. Every request has a caller of its own, so nothing old is given."""
        last = self.last.seen
        if last is not None and caller.request_id and last.caller is caller and is_of(last.standing, model, version):
            return last
        standing = self.gates.standing(caller, model=model, version=version)
        asked = [item for item in self.gates.inbox(caller).items if is_of(item.request, model, version)]
        self.last.seen = Seen(caller, standing, asked)
        return self.last.seen

    def judge(self, caller: Caller, version: ModelVersion) -> Outlook:
        """What the pages of models say of a version's way."""
        try:
            seen = self.look(caller, version.model, version.version)
        except TaxiwayError as unfit:  # a path that is not there, or not made for the project's tier
            sentence = f"Version {version.version} has no path to take"
            return Outlook(sentence=sentence, verdict="missing", short="no path to take", detail=str(unfit))
        stages = self.gates.models.stages(caller, model=version.model, version=str(version.version)).items
        reader = Reader(
            name=caller.name,
            may_evaluate=self.access.is_allowed(caller, "gates.evaluate", version.project),
            may_promote=self.access.is_allowed(caller, "models.promote", version.project),
            has_asked=bool(seen.requests),
        )
        entered = {str(entry.stage): entry.entered_at for entry in stages}
        return outlook_of(seen.standing, entered=entered, reader=reader)

    def evidence(self, view: View, thing: str) -> str | None:
        """The panel of a version's evidence and of its rates by group, or nothing where it has no path."""
        seen = self._seen(view.caller, thing)
        if seen is None:
            return None
        standing = seen.standing
        return self.site.fragment(
            "gates/version.html",
            standing=standing,
            page=href(f"model:{standing.model}@{standing.version}"),
            rows=self._rows(view.caller, standing),
            figure=figures.draw_evidence(standing.stages),
            drawn=drawn_of(standing),
            notes=[note(each) for each in (*unmet_gates(standing), *watched_gates(standing)) if is_answered(each)],
            by_group=by_group(standing),
            unasked=[figures.gate_name(gate.gate) for gate in unasked(standing)],
            may_evaluate=self.access.is_allowed(view.caller, "gates.evaluate", standing.project),
            can_approve=view.caller.can_approve and view.caller.name in standing.who_can,
            form_token=view.form_token,
        )

    def approvals(self, view: View, thing: str) -> str | None:
        """The panel in which people ask, approve and withdraw; it stands after all that they should have read."""
        caller, seen = view.caller, self._seen(view.caller, thing)
        if seen is None:
            return None
        standing = seen.standing
        return self.site.fragment(
            "gates/approvals.html",
            standing=standing,
            page=href(f"model:{standing.model}@{standing.version}"),
            approving=self._approving(view, seen),
            closed=[figures.gate_name(gate.gate) for gate in asks_of_checks(unmet_gates(standing))],
            may_evaluate=self.access.is_allowed(caller, "gates.evaluate", standing.project),
            who=caller.name,
            form_token=view.form_token,
            sent=view.sent,
        )

    def eligible(self, view: View, thing: str) -> str | None:
        """On a project's page: who could approve what it makes, before it is made."""
        try:
            found = self.gates.eligibility.of_project(view.caller, project=parse(thing).name)
        except TaxiwayError:  # a path that is not there, or not made for the project's tier
            return None
        return self.site.fragment("gates/eligible.html", found=found) if found.stages else None

    def _seen(self, caller: Caller, thing: str) -> Seen | None:
        found = parse(thing)
        try:
            return self.look(caller, found.name, found.version or 0)
        except TaxiwayError:
            return None

    def _rows(self, caller: Caller, standing: Standing) -> list[EvidenceRow]:
        version = str(standing.version)
        kept = self.gates.evaluations.evidence(caller, model=standing.model, version=version).items
        records = {each.id: each for each in kept}
        return [
            EvidenceRow(
                gate=gate,
                record=records.get(gate.evidence),
                name=figures.gate_name(gate.gate),
                anchor=figures.anchor(gate.stage, gate.gate),
                mode=figures.WATCHES[gate.mode],
            )
            for stage in standing.stages
            for gate in stage.gates
        ]

    def lead(self, view: View, thing: str) -> str | None:
        """What the page opens with: what keeps the version from going on, who acts, and what the reader can do."""
        seen = self._seen(view.caller, thing)
        if seen is None or seen.standing.stage == "archived" or not any(each.gates for each in seen.standing.stages):
            return None
        standing = seen.standing
        wanted = [each.stance for each in self._approving(view, seen) if each.lacks]
        author = self.gates.models.find(standing.model, str(standing.version)).created_by
        return self.site.fragment(
            "gates/lead.html",
            lead=lead_of(standing, wanted[0] if wanted else None, author=author),
            is_live=standing.stage == "production",
        )

    def _approving(self, view: View, seen: Seen) -> list[Approving]:
        standing = seen.standing
        may = self.access.is_allowed(view.caller, "gates.approve", standing.project) and view.caller.can_approve
        looker = Looker(view.caller.name, may_approve=may, is_login_on=view.is_login_on)
        lacks = lacking([gate for stage in standing.stages for gate in stage.gates])
        asked = {each.request.stage: each for each in seen.requests}
        return [
            Approving(
                stage=stage,
                gate=gate,
                lacks=lacks.get(stage.stage, 0),
                request=asked.get(stage.stage),
                is_ready=not unasked(standing),
                stance=stance_of(standing, stage, looker),
            )
            for stage in standing.stages
            for gate in stage.gates
            if gate.check == "approvals"
        ]


def is_of(what: Standing | Request, model: str, version: int) -> bool:
    return (what.model, what.version) == (model, version)


def is_answered(gate: GateStanding) -> bool:
    """Whether there is something to say of it: evidence, or why its check could not be asked."""
    return bool(gate.evidence) or gate.outcome.is_broken


def unasked(standing: Standing) -> list[GateStanding]:
    """The checks that have no evidence for what stands now."""
    return [gate for stage in standing.stages for gate in stage.gates if is_unasked(gate)]


def note(gate: GateStanding) -> Note:
    name = figures.gate_name(gate.gate)
    lead = LEADS[gate.verdict].format(name=name[:1].upper() + name[1:])
    if not gate.counts:
        lead = f"{lead} It {figures.WATCHES[gate.mode]}: nothing is stopped by it."
    return Note(
        gate.verdict,
        lead,
        split_reason(gate.outcome.reason)[1] if is_of_number(gate.outcome) else gate.outcome.reason,
        gate.outcome.advice,
        figures.anchor(gate.stage, gate.gate),
    )


def by_group(standing: Standing) -> list[ByGroup]:
    """The rates behind every gate that looks at groups."""
    found = []
    for gate in (gate for stage in standing.stages for gate in stage.gates if gate.outcome.groups):
        rates = gate.outcome.groups
        name = gate.outcome.metric or figures.gate_name(gate.gate)
        found.append(ByGroup(name, figures.draw_rates([(name, rates)]), with_share(rates)))
    return found


def with_share(rates: Sequence[GroupRate]) -> list[tuple[GroupRate, float | None]]:
    """Each group's rate with its share of the highest that counts; none for a group that does not count."""
    counted = [each.rate.value for each in rates if each.is_counted and each.rate.value is not None]
    highest = max(counted, default=0.0)
    return [
        (each, each.rate.value / highest if each.is_counted and each.rate.value is not None and highest else None)
        for each in rates
    ]
