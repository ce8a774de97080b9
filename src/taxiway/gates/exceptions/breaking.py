"""Breaking the glass: a version moves although gates are closed, by name, for a while, and with a finding to mend."""

from __future__ import annotations

from datetime import timedelta

from taxiway.audit.service import Ledger, Record
from taxiway.gates.attested import attest_broken_glass
from taxiway.gates.exceptions import store
from taxiway.gates.exceptions.contract import BreakGlass
from taxiway.gates.exceptions.passed import BrokenGlass
from taxiway.gates.exceptions.refusals import GlassKept, NothingClosed
from taxiway.gates.exceptions.service import require_words
from taxiway.gates.exceptions.telling import tell_broken
from taxiway.gates.findings.contract import OpenFinding
from taxiway.gates.findings.service import Findings
from taxiway.gates.paths.service import pin
from taxiway.gates.standing.closing import closed
from taxiway.gates.standing.look import Look, Sources
from taxiway.hooks.announcing import announce
from taxiway.kernel.caller import Caller
from taxiway.kernel.ids import new_id
from taxiway.models.contract import Promote
from taxiway.models.lookup import require_version


class Glass:
    """Break-glass: allowed where the path names roles for it, to persons who hold one by somebody else's grant."""

    def __init__(self, ledger: Ledger, sources: Sources, findings: Findings) -> None:
        self.ledger = ledger
        self.sources = sources
        self.findings = findings

    def break_glass(self, caller: Caller, body: BreakGlass, *, model: str, version: str) -> BrokenGlass:
        """Moves the version, opens a finding of high severity and tells hooks: all or nothing.

        Raises GlassKept, NothingClosed, BadField, NotFound, PathUnfit.
        """
        require_words("reason", body.reason)
        found = self.sources.models.find(model, version)

        def make(record: Record) -> BrokenGlass:
            here = require_version(record, model, found.version)
            pin(record, self.sources.path(record.connection, here))
            look = Look(self.sources, record.connection, here, record.at)
            role = self._may_break(caller, look)
            unmet = closed(look.standing(), body.stage)
            if not unmet:
                raise NothingClosed(model=model, version=here.version, stage=body.stage)
            glass = BrokenGlass(
                id=new_id(),
                model=here.model,
                version=here.version,
                project=here.project,
                stage=body.stage,
                before=here.stage,
                bundle=here.bundle,
                by=caller.name,
                role=role,
                reason=body.reason.strip(),
                at=record.at,
                until=record.at + timedelta(days=body.days),
                unmet=[f"{each.gate} ({each.verdict})" for each in unmet],
                finding=self._open_finding(record, body, here.ref, here.project, unmet=[e.gate for e in unmet]),
            )
            store.add_broken(record.connection, glass)
            attest_broken_glass(record, here, glass)
            self._tell(record, glass, here.project)
            if here.stage != body.stage:
                movement = Promote(body.stage, f"Glass broken: {glass.reason}")
                self.sources.models.movements.move(record, here, movement, seen=here.stage)
            return glass

        return self.ledger.change(
            caller, "gates.break_glass", found.ref, make, answer=BrokenGlass, project=found.project
        )

    def _may_break(self, caller: Caller, look: Look) -> str:
        """The role by which the caller may. Judged inside the change."""
        roles = look.path.leeway.break_glass
        holders = look.held(roles)
        held = [each.role for each in holders if caller.can_approve and each.user == caller.name]
        if not held:
            raise GlassKept(
                actor=caller.name,
                model=look.version.model,
                version=look.version.version,
                path=look.path.name,
                roles=[str(each) for each in roles],
                who_can=sorted({each.user for each in holders} - {caller.name}),
            )
        return held[0]

    def _open_finding(self, record: Record, body: BreakGlass, ref: str, project: str, *, unmet: list[str]) -> str:
        finding = OpenFinding(
            project=project,
            title=f"Glass broken for {ref.removeprefix('model:')}: {body.stage}",
            severity="high",
            things=[ref],
            detail=body.reason,
            due_at=record.at + timedelta(days=body.days),
            remediation=f"Have {', '.join(unmet)} open for what answers, or take the version back.",
        )
        return self.findings.open_within(record, finding).id

    def _tell(self, record: Record, glass: BrokenGlass, project: str) -> None:
        told = {"name": glass.model, "version": str(glass.version), "stage": glass.stage, "by": glass.by}
        why = {"reason": glass.reason, "unmet": glass.unmet, "until": glass.until.isoformat(), "finding": glass.finding}
        announce(record, "glass.broken", told | why | {"url": f"/models/{glass.model}/versions/{glass.version}"})
        record.note(**told, **why, broken=glass.id, role=glass.role)
        access = self.sources.access
        answerable = [*access.people_who_may("access.grant", project), *access.admins(record.connection)]
        tell_broken(record, glass, project, answerable)
