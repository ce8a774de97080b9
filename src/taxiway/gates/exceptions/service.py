"""The rules of waivers and conditional approvals: asked by one person, granted by another who made none of it."""

from __future__ import annotations

import builtins
from collections.abc import Callable
from datetime import timedelta

from msgspec.structs import replace

from taxiway.audit.service import Ledger, Record
from taxiway.gates.attested import attest_revoked, attest_waiver
from taxiway.gates.checks.register import CHECKS
from taxiway.gates.contract import GateSpec, GateStage, GateStanding
from taxiway.gates.exceptions import store
from taxiway.gates.exceptions.contract import (
    WAITING,
    AskWaiver,
    Exceptions,
    GrantWaiver,
    LetThrough,
    RevokeWaiver,
    Waiver,
)
from taxiway.gates.exceptions.counting import bounds
from taxiway.gates.exceptions.passed import BrokenGlass, WaiverKind
from taxiway.gates.exceptions.refusals import NotWaivable
from taxiway.gates.exceptions.telling import tell_granted
from taxiway.gates.paths.service import pin
from taxiway.gates.refusals import (
    AuthorUnknown,
    EvidenceMissing,
    FourEyes,
    NeedsPerson,
    PathUnfit,
    RoleMissing,
    RoleUnfit,
)
from taxiway.gates.standing.look import Look, Sources
from taxiway.hooks.announcing import announce
from taxiway.kernel.caller import SYSTEM, Caller
from taxiway.kernel.clock import Clock
from taxiway.kernel.endpoint import Page
from taxiway.kernel.errors import AlreadyExists, BadField, NotAllowed, NotFound
from taxiway.kernel.ids import new_id
from taxiway.models.lookup import require_version
from taxiway.storage.database import Database

LONGEST = 10_000
GRANT = "grant a waiver for"
ANEW = "take it back with `taxiway gates revoke-waiver` and ask anew"


class Waivers:
    """The waivers and conditional approvals of one platform."""

    def __init__(self, database: Database, ledger: Ledger, sources: Sources, clock: Clock) -> None:
        self.database = database
        self.ledger = ledger
        self.sources = sources
        self.clock = clock

    # --- reading ---

    def of_version(self, caller: Caller, *, model: str, version: str) -> Exceptions:
        """All there ever were, newest first, each waiver knowing whether it counts. Raises NotFound, PathUnfit."""
        found = self.sources.models.find(model, version)
        with self.database.read() as connection:
            look = Look(self.sources, connection, found, self.clock())
            broken = store.broken_of(connection, found.model, found.version)
            return Exceptions(look.waivers, broken, look.who_can_waive())

    def living(self, caller: Caller) -> Page[Waiver]:
        """Those that wait for somebody to grant them, or count, in the projects that the caller may see."""
        visible = self.sources.access.visible(caller)
        found: list[Waiver] = []
        with self.database.read() as connection:
            kept = store.living_waivers(connection, visible, self.clock())
            for model, number in sorted({(each.model, each.version) for each in kept}):
                try:
                    version = self.sources.models.recall(model, number)
                    look = Look(self.sources, connection, version, self.clock())
                except (BadField, NotFound, PathUnfit):
                    continue
                found += [each for each in look.waivers if each.counts or each.waits]
        return Page(sorted(found, key=lambda each: each.asked_at, reverse=True))

    # --- asking and granting ---

    def ask(self, caller: Caller, body: AskWaiver, *, model: str, version: str) -> Waiver:
        """Asks for a waiver of one gate as it stands. Raises NeedsPerson, NotWaivable, EvidenceMissing, BadField."""
        require_words("reason", body.reason)
        require_person(caller)

        def make(record: Record, look: Look) -> Waiver:
            stage, spec, gate = self._closed_gate(look, body.gate, body.stage)
            self._waivable(look, spec, "waiver")
            waiver = self._new(record, look, gate, body)
            if any(each.waits and is_of(each, gate) for each in look.waivers):
                hint = (
                    f"It waits for {' or '.join(look.who_can_waive()) or 'somebody'} to grant it. {ANEW.capitalize()}."
                )
                raise AlreadyExists(kind="waiver", name=f"{gate.gate} of {look.version.ref}", hint=hint)
            store.add_waiver(record.connection, waiver)
            record.note(gate=gate.gate, stage=stage, found=waiver.found, reason=waiver.reason, until=waiver.until)
            record.note(waiver=waiver.id)
            told = {"name": model, "version": str(waiver.version), "gate": gate.gate, "by": caller.name}
            announce(record, "waiver.asked", told | {"reason": waiver.reason, "until": waiver.until.isoformat()})
            return replace(waiver, void_because=WAITING)

        return self._change(caller, "gates.ask_waiver", model, version, make)

    def grant(self, caller: Caller, body: GrantWaiver, *, model: str, version: str, waiver: str) -> Waiver:
        """Makes a waiver count.

        Raises NeedsPerson, FourEyes, AuthorUnknown, RoleMissing, RoleUnfit, NotFound, AlreadyExists.
        """
        require_words("comment", body.comment)

        def make(record: Record, look: Look) -> Waiver:
            asked = one_of(look.waivers, waiver)
            if asked.counts:
                raise AlreadyExists(kind="waiver", name=waiver, hint="It counts; nothing more is needed.")
            if not asked.waits:
                raise NotFound(kind="waiver that waits", name=waiver, hint=f"{asked.void_because}. Ask for a new one.")
            role = self._may_grant(record, look, asked)
            granted = replace(
                asked, granted_by=caller.name, granted_at=record.at, role=role, comment=body.comment.strip()
            )
            store.keep_waiver(record.connection, granted)
            attest_waiver(record, look.version, granted)
            record.note(waiver=waiver, gate=asked.gate, stage=asked.stage, asked_by=asked.asked_by, role=role)
            record.note(reason=asked.reason, comment=granted.comment, until=asked.until)
            tell_granted(record, granted)
            return replace(granted, void_because="")

        return self._change(caller, "gates.grant_waiver", model, version, make)

    def let_through(self, caller: Caller, body: LetThrough, *, model: str, version: str) -> Waiver:
        """A conditional approval of an inconclusive gate. Raises as `ask` and `grant`."""
        require_words("comment", body.comment)

        def make(record: Record, look: Look) -> Waiver:
            stage, spec, gate = self._closed_gate(look, body.gate, body.stage)
            self._waivable(look, spec, "conditional")
            if gate.outcome.verdict != "inconclusive":
                raise self._not(look, gate.gate, f"it is {gate.outcome.verdict}, and only what is inconclusive may be")
            role = self._may_grant(record, look, None)
            asked = self._new(
                record, look, gate, AskWaiver(body.gate, body.comment, stage, body.days), spec.conditional_days
            )
            granted = replace(asked, granted_by=caller.name, granted_at=record.at, role=role, comment=asked.reason)
            store.add_waiver(record.connection, granted)
            attest_waiver(record, look.version, granted)
            record.note(waiver=granted.id, gate=gate.gate, stage=stage, role=role, reason=granted.reason)
            record.note(until=granted.until)
            tell_granted(record, granted)
            return granted

        return self._change(caller, "gates.let_through", model, version, make)

    def revoke(self, caller: Caller, body: RevokeWaiver, *, model: str, version: str, waiver: str) -> Waiver:
        """Takes a waiver back: who asked, who granted, or who could grant one. Raises NotFound, NotAllowed."""
        require_words("reason", body.reason)

        def make(record: Record, look: Look) -> Waiver:
            found = one_of(look.waivers, waiver)
            who = sorted({found.asked_by, found.granted_by, *look.who_can_waive()} - {""})
            if caller.name not in who:
                needs = "to have asked for it, or to be able to grant it"
                raise NotAllowed(actor=caller.name, needs=needs, where=f"waiver {waiver}", who_can=who)
            if found.revoked_at is not None:
                raise NotFound(kind="waiver that counts", name=waiver, hint="It was revoked before.")
            revoked = replace(found, revoked_by=caller.name, revoked_at=record.at, revoked_because=body.reason.strip())
            store.keep_waiver(record.connection, revoked)
            attest_revoked(record, look.version, revoked)
            record.note(waiver=waiver, gate=found.gate, reason=body.reason)
            return replace(revoked, void_because=f"{caller.name} took it back: {revoked.revoked_because}")

        return self._change(caller, "gates.revoke_waiver", model, version, make)

    def _change(
        self, caller: Caller, verb: str, model: str, version: str, make: Callable[[Record, Look], Waiver]
    ) -> Waiver:
        found = self.sources.models.find(model, version)

        def both(record: Record) -> Waiver:
            here = require_version(record, model, found.version)
            pin(record, self.sources.path(record.connection, here))
            return make(record, Look(self.sources, record.connection, here, record.at))

        return self.ledger.change(caller, verb, found.ref, both, answer=Waiver, project=found.project)

    # --- the rules ---

    def _closed_gate(self, look: Look, name: str, stage: GateStage | None) -> tuple[GateStage, GateSpec, GateStanding]:
        """The gate of that name, which is not open, and its spec. Raises BadField, NotWaivable, EvidenceMissing."""
        standing = look.standing()
        gates = [gate for each in standing.stages for gate in each.gates if stage in (None, each.stage)]
        found = next((gate for gate in gates if gate.gate == name), None)
        if found is None:
            names = ", ".join(dict.fromkeys(gate.gate for gate in gates)) or "nothing: no gate stands there"
            raise BadField(field="gate", value=repr(name), expected=f"one of {names}")
        if found.is_open:
            raise self._not(look, name, f"it is open ({found.verdict})")
        lacking = [each.spec.name for each in look.unanswered()]
        if lacking:
            raise EvidenceMissing(model=look.version.model, version=look.version.version, gates=lacking)
        [spec] = [s for each in look.path.stages for s in each.gates if (each.stage, s.name) == (found.stage, name)]
        return found.stage, spec, found

    def _waivable(self, look: Look, spec: GateSpec, kind: WaiverKind) -> None:
        if CHECKS[spec.check].is_live:
            raise self._not(look, spec.name, "it is asked anew each time and leaves no evidence that could be bound")
        if kind == "conditional" and not spec.conditional_days:
            because = (
                f"the path {look.path.name} allows no conditional approval of it (`inconclusive: {{conditional: 30d}}`)"
            )
            raise self._not(look, spec.name, because)
        if kind == "waiver" and not spec.waivable:
            raise self._not(look, spec.name, f"the path {look.path.name} says `waivable: false`")

    def _not(self, look: Look, gate: str, because: str) -> NotWaivable:
        return NotWaivable(model=look.version.model, version=look.version.version, gate=gate, because=because)

    def _may_grant(self, record: Record, look: Look, asked: Waiver | None) -> str:
        """The role by which the caller may grant a waiver that was asked for. Judged inside the change."""
        caller, version = record.caller, look.version
        require_person(caller)
        asked_by = asked.asked_by if asked else ""
        who_can = [name for name in look.who_can_waive() if name != asked_by]
        because = list(look.authorship.authors.get(caller.name, []))
        because += ["asked for the waiver"] if caller.name == asked_by else []
        if because:
            raise FourEyes(
                actor=caller.name,
                model=version.model,
                version=version.version,
                because=because,
                who_can=who_can,
                act=GRANT,
            )
        if unknown := look.authorship.unknown:
            raise AuthorUnknown(actor=caller.name, model=version.model, version=version.version, authors=list(unknown))
        held = [each for each in look.held(look.path.leeway.waivers_by) if each.user == caller.name]
        usable = [each.role for each in held if asked is None or each.since <= asked.asked_at]
        if held and not usable:
            raise RoleUnfit(
                actor=caller.name,
                model=version.model,
                version=version.version,
                role=held[0].role,
                because="the role came after the waiver was asked for",
                who_can=[name for name in who_can if name != caller.name],
                act=GRANT,
                anew=ANEW,
            )
        if not usable:
            roles = [str(each) for each in look.path.leeway.waivers_by]
            raise RoleMissing(
                actor=caller.name, project=version.project, roles=roles, who_can=who_can, act="grant a waiver"
            )
        return usable[0]

    def _new(self, record: Record, look: Look, gate: GateStanding, asked: AskWaiver, most: int = 0) -> Waiver:
        """most: how many days the path allows a conditional approval; 0 for a waiver."""
        lasts, days = bounds(look.path.leeway, asked.days, most), asked.days
        if lasts is None:
            allowed = min(look.path.leeway.waiver_days, most or look.path.leeway.waiver_days)
            raise BadField(field="days", value=str(days), expected=f"at most {allowed}, by the path {look.path.name}")
        return Waiver(
            id=new_id(),
            kind="conditional" if most else "waiver",
            model=look.version.model,
            version=look.version.version,
            project=look.version.project,
            stage=gate.stage,
            gate=gate.gate,
            found=gate.outcome.verdict,
            reason=asked.reason.strip(),
            asked_by=record.caller.name,
            asked_at=record.at,
            until=record.at + timedelta(days=lasts),
            digests=look.digests(gate.stage),
        )

    # --- time ---

    def tell_ended(self) -> int:
        """Tells hooks and the audit log of all that ran out since it was last asked; gives how many those were."""
        with self.database.read() as connection:
            waivers, broken = store.ended(connection, self.clock())
        ended: builtins.list[Waiver | BrokenGlass] = [*waivers, *broken]
        for each in ended:
            self._tell_ended(each)
        return len(waivers) + len(broken)

    def _tell_ended(self, ended: Waiver | BrokenGlass) -> None:
        what = f"{ended.kind} of {ended.gate}" if isinstance(ended, Waiver) else f"broken glass for {ended.stage}"

        def make(record: Record) -> bool:
            if not store.told(record.connection, ended):
                return False
            told = {"name": ended.model, "version": str(ended.version), "what": what}
            url = f"/models/{ended.model}/versions/{ended.version}"
            announce(record, "waiver.ended", told | {"until": ended.until.isoformat(), "url": url})
            record.note(what=what, until=ended.until)
            return True

        thing = f"model:{ended.model}@{ended.version}"
        self.ledger.change(SYSTEM, "gates.waiver_ended", thing, make, answer=bool, project=ended.project)


def is_of(waiver: Waiver, gate: GateStanding) -> bool:
    return (waiver.stage, waiver.gate) == (gate.stage, gate.gate)


def one_of(waivers: builtins.list[Waiver], waiver: str) -> Waiver:
    for each in waivers:
        if each.id == waiver:
            return each
    raise NotFound(kind="waiver", name=waiver, hint="`taxiway gates exceptions MODEL@VERSION` lists them.")


def require_person(caller: Caller) -> None:
    if not caller.can_approve:
        raise NeedsPerson(actor=caller.name, kind=caller.kind)


def require_words(field: str, text: str) -> None:
    if not text.strip():
        raise BadField(field=field, value="nothing", expected="a sentence that says why")
