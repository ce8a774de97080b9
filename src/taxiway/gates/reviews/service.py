"""The rules of reviews: a model in use is looked at again in time, or no more of it goes out."""

from __future__ import annotations

import builtins
from datetime import datetime, timedelta

import msgspec
from sqlalchemy import Connection

from taxiway.access.roles import Role
from taxiway.audit.service import Ledger, Record
from taxiway.gates.approving.service import require_text
from taxiway.gates.attested import attest_review
from taxiway.gates.paths.policy import path_now
from taxiway.gates.refusals import FourEyes, NeedsPerson, RoleMissing, RoleUnfit, Unmet
from taxiway.gates.reviews import store
from taxiway.gates.reviews.contract import Inventoried, ListInventory, RecordReview, Review
from taxiway.gates.reviews.periods import EVERY, due_at, path_days, state_at
from taxiway.gates.reviews.refusals import NotInUse
from taxiway.gates.standing.look import Look, Sources
from taxiway.hooks.announcing import announce
from taxiway.kernel.caller import SYSTEM, Caller
from taxiway.kernel.clock import Clock
from taxiway.kernel.endpoint import Page
from taxiway.kernel.errors import BadField, TaxiwayError
from taxiway.kernel.ids import new_id
from taxiway.models.contract import ModelVersion
from taxiway.models.lookup import require_version
from taxiway.projects.service import TIERS, find_project
from taxiway.storage.yaml_text import read_yaml

IN_USE = ("staging", "production")
REVIEW = "review"  # what a refusal calls it, beside the gates
HOLDS = timedelta(minutes=1)
ROLES: tuple[Role, ...] = ("validator", "approver")


class Reviews:
    """The inventory of models in use, and their reviews."""

    def __init__(self, ledger: Ledger, sources: Sources, clock: Clock) -> None:
        self.ledger = ledger
        self.database = ledger.database
        self.sources = sources
        self.clock = clock
        self.lately: tuple[datetime, builtins.list[Inventoried]] | None = None

    # --- looking again ---

    def record(self, caller: Caller, body: RecordReview, *, model: str, version: str) -> Review:
        """Somebody's look at a version in use, which sets its clock anew unless it has to go.

        Raises BadField, FourEyes, NeedsPerson, NotFound, NotInUse, RoleMissing, RoleUnfit.
        """
        require_text("comment", body.comment)
        if body.outcome != "continue":
            require_text("findings", body.findings)
        found = self.sources.models.find(model, version)

        def make(record: Record) -> Review:
            here = require_version(record, model, found.version)
            if here.stage not in IN_USE:
                raise NotInUse(model=model, version=here.version, stage=here.stage)
            look = Look(self.sources, record.connection, here, record.at)
            days = self._every(record.connection, here)
            if body.again_in_days is not None and body.again_in_days > days:
                expected = f"at most {days}, as its tier or path asks"
                raise BadField(field="again_in_days", value=str(body.again_in_days), expected=expected)
            review = Review(
                id=new_id(),
                model=model,
                version=here.version,
                project=here.project,
                by=caller.name,
                role=require_reviewer(caller, look),
                outcome=body.outcome,
                findings=body.findings.strip(),
                comment=body.comment.strip(),
                at=record.at,
                due_at=record.at + timedelta(days=body.again_in_days or days),
            )
            store.add(record.connection, review)
            attest_review(record, here, review)
            record.note(review=review.id, outcome=review.outcome, comment=review.comment, findings=review.findings)
            record.note(due_at=review.due_at, bundle=here.bundle)
            record.after_commit(self._forget)
            return review

        return self.ledger.change(caller, "gates.review", found.ref, make, answer=Review, project=found.project)

    def list(self, caller: Caller, *, model: str, version: str) -> Page[Review]:
        """Newest first."""
        found = self.sources.models.find(model, version)
        with self.database.read() as connection:
            return Page(store.reviews_of(connection, found.model, found.version))

    # --- the inventory ---

    def inventory(self, caller: Caller, body: ListInventory) -> Page[Inventoried]:
        """The versions in use that the caller may see, the longest due first."""
        at = self.clock()
        with self.database.read() as connection:
            found = [
                self._with_reviewers(connection, version, self._entry(connection, version, at), at)
                for version in self.sources.models.everywhere(caller)
                if version.stage in IN_USE and body.project in ("", version.project)
            ]
        fitting = [e for e in found if body.tier in ("", e.tier) and body.state in ("", e.state)]
        return Page(sorted(fitting, key=lambda e: (e.due_at, e.model, e.version)))

    def entry(self, model: str, version: int | str) -> Inventoried | None:
        """How a version in use stands; None for one that is not."""
        found = self.sources.models.find(model, version)
        if found.stage not in IN_USE:
            return None
        with self.database.read() as connection:
            at = self.clock()
            return self._with_reviewers(connection, found, self._entry(connection, found, at), at)

    def due_lately(self) -> builtins.list[Inventoried]:
        """What is due soon or overdue, as it was within the last minute: every page counts it for somebody."""
        at, known = self.clock(), self.lately
        if known is None or not timedelta(0) <= at - known[0] < HOLDS:
            found = [each for each in self.inventory(SYSTEM, ListInventory()).items if each.state != "ok"]
            self.lately = known = (at, found)
        return known[1]

    def _forget(self) -> None:
        self.lately = None

    def unmet(self, record: Record, version: ModelVersion) -> builtins.list[Unmet]:
        """What keeps a model from going out further: itself where it is in use, and what is in production of it."""
        versions = self.sources.models.versions(record.caller, model=version.model).items
        in_use = [each for each in versions if each.stage == "production" and each.version != version.version]
        in_use += [version] if version.stage in IN_USE else []
        found = [(each, self._entry(record.connection, each, record.at)) for each in in_use]
        return [
            unmet_of(self._with_reviewers(record.connection, each, entry, record.at))
            for each, entry in found
            if entry.state == "overdue"
        ]

    def remind(self) -> builtins.list[Inventoried]:
        """Tells the hooks of every review that came due since; each due date is told once. Gives what it told."""
        said = []
        for entry in self.inventory(SYSTEM, ListInventory(state="overdue")).items:
            with self.database.read() as connection:
                if store.is_told(connection, entry):
                    continue
            if self._tell(entry):
                said.append(entry)
        return said

    def _tell(self, entry: Inventoried) -> bool:
        def make(record: Record) -> bool:
            require_version(record, entry.model, entry.version)  # two servers take turns here
            if store.is_told(record.connection, entry):
                return False
            store.tell(record.connection, entry, record.at)
            announce(record, "review.overdue", facts_of(entry))
            record.note(due_at=entry.due_at, tier=entry.tier, owner=entry.owner)
            return True

        return self.ledger.change(SYSTEM, "gates.review_overdue", entry.ref, make, answer=bool, project=entry.project)

    def _entry(self, connection: Connection, version: ModelVersion, at: datetime) -> Inventoried:
        project = find_project(connection, version.project)
        last = next(iter(store.reviews_of(connection, version.model, version.version)), None)
        entered = [
            each.entered_at
            for each in self.sources.models.movements.entered(connection, version)
            if each.stage == version.stage
        ]
        since = max(entered, default=version.created_at)
        days = self._every(connection, version)
        due = due_at(since, last, days)
        return Inventoried(
            model=version.model,
            version=version.version,
            project=version.project,
            stage=version.stage,
            owner=project.owner,
            use=project.purpose,
            tier=max(project.risk, version.risk, key=TIERS.index),
            since=since,
            every_days=days,
            due_at=due,
            state=state_at(due, at),
            reviewed_at=last.at if last else None,
            reviewed_by=last.by if last else "",
            outcome=last.outcome if last else "",
            findings=last.findings if last else "",
        )

    def _every(self, connection: Connection, version: ModelVersion) -> int:
        """The days between reviews: what the path says, or else the tier."""
        project = find_project(connection, version.project)
        usual = EVERY[max(project.risk, version.risk, key=TIERS.index)]
        try:
            path = self.sources.path(connection, version)
        except TaxiwayError:  # a path that cannot be taken any more says nothing either
            return usual
        return path_days(path.text, read_text) or usual

    def _with_reviewers(
        self, connection: Connection, version: ModelVersion, entry: Inventoried, at: datetime
    ) -> Inventoried:
        """The same with who could review it; nobody where its path cannot be taken any more."""
        try:
            look = Look(self.sources, connection, version, at)
        except TaxiwayError:
            return entry
        able = [name for name, (_, why_not) in reviewers_of(look).items() if not why_not]
        return msgspec.structs.replace(entry, reviewers=able)


def read_text(text: str) -> object:
    """A path's text as its keys were read when it was published."""
    return read_yaml(text, path_now(), name="path.yaml")


def reviewers_of(look: Look) -> dict[str, tuple[str, str]]:
    """Who holds a role that gives approvals, with that role, and why they may not review the version after all."""
    authorship = look.authorship
    found: dict[str, tuple[str, str]] = {}
    for each in authorship.sources.access.holdings(
        look.connection, project=look.version.project, roles=ROLES, at=look.at
    ):
        why_not = authorship.why_bars(each)
        if each.user not in found or found[each.user][1]:
            found[each.user] = (each.role, why_not)
    return found


def require_reviewer(caller: Caller, look: Look) -> str:
    """The role by which the caller reviews. Raises FourEyes, NeedsPerson, RoleMissing, RoleUnfit."""
    version, able = look.version, reviewers_of(look)
    who_can = [name for name, (_, why_not) in able.items() if not why_not]
    if not caller.can_approve:
        raise NeedsPerson(actor=caller.name, kind=caller.kind)
    if because := look.authorship.authors.get(caller.name):
        raise FourEyes(
            actor=caller.name, model=version.model, version=version.version, because=because, who_can=who_can
        )
    if caller.name not in able:
        raise RoleMissing(actor=caller.name, project=version.project, roles=list(ROLES), who_can=who_can)
    role, why_not = able[caller.name]
    if why_not:
        raise RoleUnfit(
            actor=caller.name,
            model=version.model,
            version=version.version,
            role=role,
            because=why_not,
            who_can=who_can,
        )
    return role


def unmet_of(entry: Inventoried) -> Unmet:
    """An overdue review as a refusal names it, beside the gates."""
    name = f"{entry.model}@{entry.version}"
    sentence = f"{entry.model} v{entry.version} was due for review on {entry.due_at:%Y-%m-%d}"
    if entry.outcome == "retire":
        sentence = f"{entry.reviewed_by}'s review of {entry.model} v{entry.version} says that it has to go"
    who = " or ".join(entry.reviewers) or "somebody with no part in it"
    step = f"`taxiway gates review {name} continue --comment …`, by {who}"
    return Unmet(
        "production" if entry.stage == "production" else "staging", REVIEW, "missing", sentence + ".", f"{step}."
    )


def facts_of(entry: Inventoried) -> dict[str, str]:
    """What receivers are told of a review that came due."""
    return {
        "name": entry.model,
        "version": str(entry.version),
        "stage": entry.stage,
        "project": entry.project,
        "owner": entry.owner,
        "tier": entry.tier,
        "due_at": entry.due_at.isoformat(),
        "url": "/inventory?state=overdue",
    }


def follow_name(record: Record, before: str, to: str) -> None:
    """Reviews take a model's new name."""
    store.rename_model(record.connection, before, to)
