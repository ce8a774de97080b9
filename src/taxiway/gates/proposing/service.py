"""The rules of proposals: one person proposes a path's next version, another accepts it, in one change."""

from __future__ import annotations

from msgspec.structs import replace
from sqlalchemy import Connection

from taxiway.access.service import Access
from taxiway.audit.service import Ledger, Record
from taxiway.gates.paths.contract import PublishPath
from taxiway.gates.planning.contract import AskPlan, Plan
from taxiway.gates.planning.service import Planning
from taxiway.gates.proposing import store
from taxiway.gates.proposing.contract import DecideProposal, ListProposals, Proposal, ProposalState, ProposePath
from taxiway.gates.proposing.refusals import OwnProposal, ProposalDecided, ProposalOutdated
from taxiway.gates.questionnaires.service import unknown_asked
from taxiway.gates.refusals import NeedsPerson
from taxiway.hooks.announcing import announce
from taxiway.kernel.caller import Caller
from taxiway.kernel.endpoint import Page
from taxiway.kernel.errors import BadField, NotAllowed, NotFound
from taxiway.kernel.ids import new_id
from taxiway.notices.telling import News, tell
from taxiway.storage.database import Database

VERBS: dict[ProposalState, str] = {"rejected": "gates.reject", "withdrawn": "gates.withdraw_proposal"}


class Proposals:
    """Changes of paths on their way to be published."""

    def __init__(self, database: Database, ledger: Ledger, planning: Planning, access: Access) -> None:
        self.database = database
        self.ledger = ledger
        self.planning = planning
        self.paths = planning.sources.paths
        self.access = access

    def propose(self, caller: Caller, body: ProposePath) -> Proposal:
        """Puts a text before who may publish it, with what it would change. Raises YamlBroken, BadField, NotFound."""
        reason = require_words("reason", body.reason)
        plan = self.planning.plan(caller, AskPlan(body.text, body.name))
        if plan.is_same:
            expected = f"a text that asks something else than version {plan.number} of {plan.path}"
            raise BadField(field="text", value="the same path", expected=expected)

        def make(record: Record) -> Proposal:
            before, draft = self.paths.draft(record.connection, PublishPath(body.text, body.name))
            for unpublished in unknown_asked(record.connection, draft):
                raise unpublished
            proposal = Proposal(
                id=new_id(),
                path=draft.name,
                before=before.version if before else 0,
                text=draft.text,
                name=body.name,
                digest=draft.digest,
                reason=reason,
                plan=plan,
                by=record.caller.name,
                at=record.at,
            )
            store.add(record.connection, proposal)
            record.thing = proposal.ref
            record.note(path=proposal.path, follows=proposal.before, digest=proposal.digest, reason=reason)
            return proposal

        return self.ledger.change(caller, "gates.propose", f"path:{plan.path}", make, answer=Proposal)

    def list(self, caller: Caller, body: ListProposals) -> Page[Proposal]:
        """Newest first."""
        with self.database.read() as connection:
            found = store.newest(connection, body.path, body.state)
            return Page([self._shown(connection, each, caller) for each in found])

    def show(self, caller: Caller, *, proposal: str) -> Proposal:
        """Raises NotFound."""
        with self.database.read() as connection:
            return self._shown(connection, known(connection, proposal), caller)

    def project_of(self, proposal: str) -> str:
        """None: paths are the platform's own. Raises NotFound."""
        with self.database.read() as connection:
            known(connection, proposal)
        return ""

    def accept(self, caller: Caller, body: DecideProposal, *, proposal: str) -> Proposal:
        """Publishes it, as what its proposer wrote and the caller read. All is judged inside the change.

        Raises NotFound, NeedsPerson, OwnProposal, ProposalDecided, ProposalOutdated.
        """
        comment = require_words("comment", body.comment)

        def make(record: Record) -> Proposal:
            found = waiting(record.connection, proposal)
            if not caller.can_approve:
                raise NeedsPerson(actor=caller.name, kind=caller.kind)
            if found.by == caller.name:
                others = [name for name in self.access.admins(record.connection) if name != caller.name]
                raise OwnProposal(actor=caller.name, path=found.path, who_can=others)
            newest = self._newest(record.connection, found.path)
            if newest != found.before or body.digest not in ("", found.digest):
                raise ProposalOutdated(path=found.path, before=found.before, newest=newest)
            decided = decide(record, found, "accepted", comment, newest + 1)
            text = PublishPath(found.text, found.name)
            published = self.paths.add(record, text, found.by, accepted_by=caller.name)
            record.note(proposal=found.id, proposed_by=found.by, comment=comment, version=published.version)
            tell_decided(record, decided)
            return decided

        return self.ledger.change(caller, "gates.accept", f"path-proposal:{proposal}", make, answer=Proposal)

    def reject(self, caller: Caller, body: DecideProposal, *, proposal: str) -> Proposal:
        """Raises NotFound, ProposalDecided."""
        return self._close(caller, body, proposal, "rejected")

    def withdraw(self, caller: Caller, body: DecideProposal, *, proposal: str) -> Proposal:
        """Takes one's own proposal back. Raises NotFound, NotAllowed, ProposalDecided."""
        return self._close(caller, body, proposal, "withdrawn")

    def _close(self, caller: Caller, body: DecideProposal, proposal: str, state: ProposalState) -> Proposal:
        comment = require_words("comment", body.comment)

        def make(record: Record) -> Proposal:
            found = waiting(record.connection, proposal)
            if state == "withdrawn" and found.by != caller.name:
                where = f"proposal {found.id}"
                raise NotAllowed(actor=caller.name, needs="to have proposed it", where=where, who_can=[found.by])
            record.note(path=found.path, comment=comment)
            decided = decide(record, found, state, comment)
            tell_decided(record, decided)
            return decided

        return self.ledger.change(caller, VERBS[state], f"path-proposal:{proposal}", make, answer=Proposal)

    def _newest(self, connection: Connection, path: str) -> int:
        newest = self.paths.newest(connection, path)
        return newest.version if newest else 0

    def _shown(self, connection: Connection, proposal: Proposal, caller: Caller) -> Proposal:
        """As the caller may see it: its plan names no project that they may not."""
        is_outdated = proposal.state == "open" and self._newest(connection, proposal.path) != proposal.before
        return replace(proposal, plan=visible(proposal.plan, self.access.visible(caller)), is_outdated=is_outdated)


def tell_decided(record: Record, proposal: Proposal) -> None:
    """The hooks, and who proposed it."""
    url = f"/gates/proposals/{proposal.id}"
    told = {"proposal": proposal.id, "path": proposal.path, "state": proposal.state, "version": proposal.version}
    announce(record, "proposal.decided", told | {"by": record.caller.name, "proposed_by": proposal.by, "url": url})
    what = f"{record.caller.name} {proposal.state} what you propose for the path {proposal.path}"
    tell(record, [proposal.by], News("decided", what, url, proposal.ref, note=proposal.comment))


def decide(record: Record, found: Proposal, state: ProposalState, comment: str, version: int = 0) -> Proposal:
    """Raises ProposalDecided where somebody was faster."""
    by, at = record.caller.name, record.at
    after = replace(found, state=state, decided_by=by, decided_at=at, comment=comment, version=version)
    if not store.decide(record.connection, after):
        raise ProposalDecided(proposal=found.id, state="decided")
    return after


def visible(plan: Plan, projects: list[str] | None) -> Plan:
    if projects is None:
        return plan
    return replace(
        plan,
        projects=[each for each in plan.projects if each.project in projects],
        versions=[each for each in plan.versions if each.project in projects],
    )


def known(connection: Connection, proposal: str) -> Proposal:
    found = store.find(connection, proposal)
    if found is None:
        raise NotFound(kind="proposal", name=proposal, hint="`taxiway gates proposals` lists those there are.")
    return found


def waiting(connection: Connection, proposal: str) -> Proposal:
    found = known(connection, proposal)
    if found.state != "open":
        raise ProposalDecided(proposal=found.id, state=found.state)
    return found


def require_words(field: str, text: str) -> str:
    if not text.strip():
        raise BadField(field=field, value="nothing", expected="a sentence that says why")
    return text.strip()
