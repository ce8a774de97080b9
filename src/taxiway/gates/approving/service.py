"""The rules of approvals: a person, no author, with the path's role, to exactly what stands now."""

from __future__ import annotations

from sqlalchemy import Connection

from taxiway.access.holdings import Holding
from taxiway.access.service import Access
from taxiway.audit.service import Ledger, Record
from taxiway.gates import store
from taxiway.gates.approving.authorship import approvals_asked
from taxiway.gates.approving.ways import asked_anew, is_outdated, require_not_barring, require_way
from taxiway.gates.attested import attest_approval, attest_withdrawal
from taxiway.gates.contract import (
    Approval,
    Approve,
    Digests,
    GateStage,
    InboxItem,
    PathStage,
    Request,
    RequestApproval,
    Withdraw,
)
from taxiway.gates.paths.service import pin
from taxiway.gates.refusals import ChangedMeanwhile, EvidenceMissing, PathUnfit, joined
from taxiway.gates.standing.look import Look, Sources
from taxiway.hooks.announcing import announce
from taxiway.kernel.caller import Caller
from taxiway.kernel.clock import Clock
from taxiway.kernel.endpoint import Page
from taxiway.kernel.errors import AlreadyExists, BadField, NotAllowed, NotFound
from taxiway.kernel.ids import new_id
from taxiway.models.contract import ModelVersion
from taxiway.models.lookup import require_version
from taxiway.storage.database import Database

LONGEST_COMMENT = 10_000


class Approvals:
    """Approvals and the requests for them."""

    def __init__(self, database: Database, ledger: Ledger, sources: Sources, access: Access, clock: Clock) -> None:
        self.database = database
        self.ledger = ledger
        self.sources = sources
        self.access = access
        self.clock = clock

    def approve(self, caller: Caller, body: Approve, *, model: str, version: str) -> Approval:
        """One person's yes to the version, its evaluation, card, path and evidence as they are at this moment.

        Raises NeedsPerson, FourEyes, AuthorUnknown, RoleMissing, RoleUnfit, EvidenceMissing, AlreadyExists, BadField.
        """
        require_text("comment", body.comment)
        found = self.sources.models.find(model, version)

        def make(record: Record) -> Approval:
            here = require_version(record, model, found.version)
            pin(record, self.sources.path(record.connection, here))
            look = Look(self.sources, record.connection, here, record.at)
            stage = stage_with_approvals(look, body.stage)
            holding = require_way(record, look, stage, body).holding
            self._worth_approving(look, stage, caller)
            require_seen(look, stage, body.digests)
            approval = self._approval(record, look, stage, holding, body.comment.strip())
            store.add_approval(record.connection, approval)
            attest_approval(record, here, approval)
            record.note(stage=body.stage, role=holding.role, comment=approval.comment, approval=approval.id)
            if holding.on_behalf_of:
                record.note(on_behalf_of=holding.on_behalf_of)
            record.note(digests={n: getattr(approval.digests, n) for n in approval.digests.__struct_fields__})
            return approval

        return self.ledger.change(caller, "gates.approve", found.ref, make, answer=Approval, project=found.project)

    def _worth_approving(self, look: Look, stage: PathStage, caller: Caller) -> None:
        upto = [each.stage for each in look.path.stages]
        counted = upto[: upto.index(stage.stage) + 1]
        asked = [each for each in look.asked if each.stage in counted and each.spec.mode == "block"]
        lacking = [each.spec.name for each in asked if each.key not in look.evidence]
        if lacking:
            raise EvidenceMissing(model=look.version.model, version=look.version.version, gates=lacking)
        if any(each.by == caller.name and each.counts for each in look.approvals(stage.stage)):
            name = f"{caller.name} for {look.version.ref}"
            raise AlreadyExists(kind="approval", name=name, hint="It counts; nothing more is needed from you.")

    def _approval(self, record: Record, look: Look, stage: PathStage, holding: Holding, comment: str) -> Approval:
        lives = [approvals_asked(spec).lives for spec in stage.gates if spec.check == "approvals"]
        limits = [each for each in lives if each is not None]
        return Approval(
            id=new_id(),
            model=look.version.model,
            version=look.version.version,
            stage=stage.stage,
            by=record.caller.name,
            role=holding.role,
            on_behalf_of=holding.on_behalf_of,
            comment=comment,
            digests=look.digests(stage.stage),
            at=record.at,
            expires_at=record.at + min(limits) if limits else None,
        )

    def withdraw(self, caller: Caller, body: Withdraw, *, model: str, version: str, approval: str) -> Approval:
        """Takes back an approval that one gave, or that was given for one. What it let through stays where it is.

        Raises NotFound, NotAllowed.
        """
        require_text("reason", body.reason)
        found = self.sources.models.find(model, version)

        def make(record: Record) -> Approval:
            here = require_version(record, model, found.version)
            given = one_of(store.approvals_of(record.connection, model, here.version), approval)
            who = [name for name in (given.by, given.on_behalf_of) if name]
            if caller.name not in who:
                raise NotAllowed(actor=caller.name, needs="to have given it", where=f"approval {approval}", who_can=who)
            if not store.withdraw(record.connection, approval, at=record.at, because=body.reason):
                hint = "It was withdrawn before."
                raise NotFound(kind="approval that counts", name=approval, hint=hint)
            record.note(approval=approval, stage=given.stage, reason=body.reason)
            attest_withdrawal(record, here, given, body.reason)
            look = Look(self.sources, record.connection, here, record.at)
            return one_of(look.approvals(given.stage), approval)

        return self.ledger.change(caller, "gates.withdraw", found.ref, make, answer=Approval, project=found.project)

    def request(self, caller: Caller, body: RequestApproval, *, model: str, version: str) -> Request:
        """Puts the version into the inbox of who can approve it. Who asks may not approve.

        Asking again changes nothing, unless somebody got their role since: roles count for what is asked later.
        Raises BadField, BarsYourself.
        """
        found = self.sources.models.find(model, version)

        def make(record: Record) -> Request:
            here = require_version(record, model, found.version)
            look = Look(self.sources, record.connection, here, record.at)
            stage = stage_with_approvals(look, body.stage)
            known = look.authorship.requests.get(body.stage)
            if known is not None and not is_outdated(look, stage, known):
                return known
            require_not_barring(look, caller, "asked for its approval", anyway=body.anyway)
            request = Request(model, here.version, here.project, body.stage, caller.name, body.note.strip(), record.at)
            if known is not None:
                request = asked_anew(known, body, record)
                store.ask_anew(record.connection, request)
            else:
                store.add_request(record.connection, request)
            record.note(stage=body.stage, note=request.note)
            told = {"name": model, "version": str(here.version), "stage": body.stage}
            announce(record, "approval.requested", told | {"by": caller.name, "note": request.note})
            return request

        return self.ledger.change(caller, "gates.request", found.ref, make, answer=Request, project=found.project)

    def inbox(self, caller: Caller) -> Page[InboxItem]:
        """The requests that still wait, oldest first, in the projects that the caller may see."""
        with self.database.read() as connection:
            asked = store.all_requests(connection, self.access.visible(caller))
            items = []
            for request in asked:
                version = self.sources.models.recall(request.model, request.version)
                if (
                    version.deleted_at
                    or version.stage in ("archived", request.stage)
                    or not is_before(version, request.stage)
                ):
                    continue
                items.append(self._item(connection, version, request, caller))
        return Page([item for item in items if item and item.lacks])

    def _item(
        self, connection: Connection, version: ModelVersion, request: Request, caller: Caller
    ) -> InboxItem | None:
        """How a request stands; none where the path cannot be taken any more, or asks for no approvals by now."""
        try:
            return inbox_item(Look(self.sources, connection, version, self.clock()), request, caller)
        except (BadField, NotFound, PathUnfit):
            return None


def require_seen(look: Look, stage: PathStage, seen: Digests | None) -> None:
    """Raises ChangedMeanwhile where the approver was shown something else. seen: None where nothing was shown."""
    now = look.digests(stage.stage)
    changed = [name for name in Digests.__struct_fields__ if seen and getattr(seen, name) != getattr(now, name)]
    if changed:
        raise ChangedMeanwhile(model=look.version.model, version=look.version.version, changed=changed)


def inbox_item(look: Look, request: Request, caller: Caller) -> InboxItem:
    """How a request stands for who looks at it."""
    stage = stage_with_approvals(look, request.stage)
    waits_for = look.who_can(stage)
    given = look.approvals(stage.stage)
    lacks = max(len(approvals_asked(spec).lacking(given)) for spec in stage.gates if spec.check == "approvals")
    because = look.authorship.authors.get(caller.name, [])
    unmet = [
        f"{gate.gate}: {gate.verdict}"
        for each in look.standing().stages
        for gate in each.gates
        if gate.check != "approvals" and gate.stops
    ]
    return InboxItem(
        request=request,
        lacks=lacks,
        waits_for=waits_for,
        is_yours=caller.can_approve and caller.name in waits_for,
        why_not=f"you {joined(because)}" if because else "",
        unmet=unmet,
    )


def is_before(version: ModelVersion, stage: GateStage) -> bool:
    """Whether a version has not come as far as the stage."""
    order = ["none", "staging", "production"]
    return version.stage in order and order.index(version.stage) < order.index(stage)


def stage_with_approvals(look: Look, stage: GateStage) -> PathStage:
    """The stage of the path, if it asks for approvals. Raises BadField."""
    asking = [each for each in look.path.stages if any(spec.check == "approvals" for spec in each.gates)]
    for each in asking:
        if each.stage == stage:
            return each
    stages = ", ".join(each.stage for each in asking)
    expected = f"one of {stages}" if stages else f"nothing: the path {look.path.name} asks for no approvals"
    raise BadField(field="stage", value=repr(stage), expected=expected)


def one_of(given: list[Approval], approval: str) -> Approval:
    for each in given:
        if each.id == approval:
            return each
    raise NotFound(kind="approval", name=approval, hint="`taxiway gates show MODEL@VERSION` lists them.")


def require_text(field: str, text: str) -> None:
    if not text.strip():
        raise BadField(field=field, value="nothing", expected="a sentence that says why")
    if len(text) > LONGEST_COMMENT:
        raise BadField(field=field, value=f"{len(text):,} characters", expected=f"at most {LONGEST_COMMENT:,}")
