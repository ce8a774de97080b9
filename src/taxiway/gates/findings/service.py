"""The rules of findings: anybody at work in a project opens one; only a second person closes it or makes less of it."""

from __future__ import annotations

import builtins
from collections.abc import Callable, Collection
from datetime import datetime, timedelta
from typing import Any

from msgspec.structs import replace
from sqlalchemy import Connection

from taxiway.access.service import Access
from taxiway.audit.service import Ledger, Record
from taxiway.gates.findings import store
from taxiway.gates.findings.contract import (
    ChangeFinding,
    Finding,
    ListFindings,
    MoveFinding,
    OpenFinding,
    Step,
)
from taxiway.gates.findings.refusals import NotNext, SecondPerson
from taxiway.gates.findings.rules import LASTS, NEXT, is_lower, order, part_in
from taxiway.hooks.announcing import announce
from taxiway.kernel.caller import Caller
from taxiway.kernel.clock import Clock
from taxiway.kernel.endpoint import Page
from taxiway.kernel.errors import BadField, NotFound
from taxiway.kernel.ids import new_id
from taxiway.kernel.thing import parse
from taxiway.models.contract import ModelVersion
from taxiway.storage.database import Database

Makers = Callable[[Collection[str]], dict[str, str]]
Places = Callable[[str], str | None]
LONGEST = timedelta(days=3653)
KINDS = ("model", "run", "dataset", "endpoint", "project", "monitor")


class Findings:
    """The findings of one platform."""

    def __init__(
        self, database: Database, ledger: Ledger, access: Access, clock: Clock, *, makers: Makers, places: Places
    ) -> None:
        """makers: who made things, each with how: who made what is wrong makes no less of it.

        places: the project that a thing is in, none where nobody below knows; raises NotFound where there is none.
        """
        self.database = database
        self.ledger = ledger
        self.access = access
        self.clock = clock
        self.makers = makers
        self.places = places

    # --- reading ---

    def show(self, caller: Caller, *, finding: str) -> Finding:
        """Raises NotFound."""
        with self.database.read() as connection:
            return self._require(connection, finding)

    def project_of(self, finding: str) -> str:
        """The project that a finding belongs to. Raises NotFound."""
        with self.database.read() as connection:
            return self._require(connection, finding).project

    def list(self, caller: Caller, body: ListFindings) -> Page[Finding]:
        """Those that the caller may see, the worst first, and of one severity what is due first."""
        visible = self.access.visible(caller)
        if body.project:
            visible = [body.project] if visible is None or body.project in visible else []
        with self.database.read() as connection:
            found = store.select_of(connection, visible, body.thing, self.clock())
        states = {"unclosed": ("open", "in_progress", "resolved"), "all": (*NEXT,)}.get(body.state, (body.state,))
        kept = [f for f in found if f.state in states and body.severity in ("", f.severity)]
        return Page(sorted(kept, key=order))

    # --- changing ---

    def open(self, caller: Caller, body: OpenFinding) -> Finding:
        """Raises BadField for a thing, owner or date that cannot be, NotFound for a thing that does not exist."""

        def make(record: Record) -> Finding:
            return self.open_within(record, body)

        thing = body.things[0]
        return self.ledger.change(caller, "gates.find", thing, make, answer=Finding, project=body.project)

    def open_within(self, record: Record, body: OpenFinding) -> Finding:
        """As `open`, within another change."""
        for number, thing in enumerate(body.things):
            kind, name, _ = parse(thing)
            if kind not in KINDS or not name or len(thing) > 400:
                expected = f"a thing such as model:mortgage@3, one of {', '.join(KINDS)}"
                raise BadField(field=f"things.{number}", value=repr(thing), expected=expected)
            self._require_thing(record.caller, thing)
        owner = body.owner or record.caller.name
        if body.owner:
            self._check_owner(record.connection, body.owner)
        require_due(body.due_at, record.at)
        finding = Finding(
            id=new_id(),
            project=body.project,
            title=body.title.strip(),
            detail=body.detail.strip(),
            severity=body.severity,
            state="open",
            things=sorted(set(body.things)),
            owner=owner,
            due_at=body.due_at or record.at + LASTS[body.severity],
            remediation=body.remediation.strip(),
            opened_by=record.caller.name,
            opened_at=record.at,
            changed_at=record.at,
            steps=[Step(record.at, record.caller.name, "opened")],
        )
        store.add(record.connection, finding)
        record.note(finding=finding.id, severity=finding.severity, title=finding.title, owner=finding.owner)
        self._tell(record, finding)
        return finding

    def change(self, caller: Caller, body: ChangeFinding, *, finding: str) -> Finding:
        """Raises BadField, NotNext for a closed one, SecondPerson for less severity or more time by who mends it."""
        require_text("reason", body.reason)

        def make(record: Record, found: Finding) -> Finding:
            if found.is_closed:
                raise NotNext(finding=found.id, state=found.state, wanted="a change", follows=[])
            if body.owner:
                self._check_owner(record.connection, body.owner)
            require_due(body.due_at, record.at)
            if body.severity and is_lower(body.severity, found.severity):
                self._require_second(record, found, "lower")
            if body.due_at is not None and body.due_at > found.due_at:
                self._require_second(record, found, "put off")
            given = {"severity": body.severity, "owner": body.owner, "due_at": body.due_at}
            given["remediation"] = body.remediation
            kept: dict[str, Any] = {name: value for name, value in given.items() if value is not None}
            record.note(**kept, reason=body.reason)
            told = ", ".join(
                f"{name.removesuffix('_at').replace('_', ' ')} {say(value)}" for name, value in kept.items()
            )
            after = with_step(replace(found, **kept), record, f"changed {told}" if told else "remarked", body.reason)
            return after if after.owner == found.owner else with_former(after, found.owner)

        return self._turn(caller, "gates.change_finding", finding, make)

    def move(self, caller: Caller, body: MoveFinding, *, finding: str) -> Finding:
        """The next state. Raises NotNext, SecondPerson, BadField."""
        require_text("comment", body.comment)

        def make(record: Record, found: Finding) -> Finding:
            if body.state not in NEXT[found.state]:
                follows = [str(each) for each in NEXT[found.state]]
                raise NotNext(finding=found.id, state=found.state, wanted=body.state, follows=follows)
            if body.state == "closed":
                self._require_second(record, found, "close")
            by = record.caller.name
            resolved = by if body.state == "resolved" else "" if body.state == "in_progress" else found.resolved_by
            closed = by if body.state == "closed" else ""
            record.note(state=body.state, before=found.state, comment=body.comment)
            after = replace(found, state=body.state, resolved_by=resolved, closed_by=closed)
            return with_step(after, record, body.state, body.comment)

        return self._turn(caller, "gates.move_finding", finding, make)

    def _require_second(self, record: Record, finding: Finding, what: str) -> None:
        """Raises SecondPerson."""
        caller = record.caller
        because = part_in(finding, caller.name) if caller.can_approve else "did not sign in as a person"
        if because := because or self.makers(finding.things).get(caller.name, ""):
            raise SecondPerson(actor=caller.name, finding=finding.id, what=what, because=because)

    def _turn(self, caller: Caller, verb: str, finding: str, make: Callable[[Record, Finding], Finding]) -> Finding:
        def both(record: Record) -> Finding:
            after = make(record, self._require(record.connection, finding))
            store.change(record.connection, after)
            return self._require(record.connection, finding)

        project = self.project_of(finding)
        return self.ledger.change(caller, verb, f"finding:{finding}", both, answer=Finding, project=project)

    def _require(self, connection: Connection, finding: str) -> Finding:
        found = store.find(connection, finding, self.clock())
        if found is None:
            raise NotFound(kind="finding", name=finding, hint="`taxiway gates findings` lists those there are.")
        return found

    def _require_thing(self, caller: Caller, thing: str) -> None:
        """Raises NotFound for what does not exist; likewise for what the caller may not see: it tells nothing."""
        visible = self.access.visible(caller)
        try:
            place = self.places(thing)
        except NotFound:
            place = ""
        if place is not None and (not place or (visible is not None and place not in visible)):
            kind, _, name = thing.partition(":")
            raise NotFound(kind=kind, name=name, hint="A finding is about what exists.")

    def _check_owner(self, connection: Connection, owner: str) -> None:
        if owner not in self.access.people(connection):
            raise BadField(field="owner", value=repr(owner), expected="the name of a person who can sign in")

    def _tell(self, record: Record, finding: Finding) -> None:
        told = {"id": finding.id, "title": finding.title, "severity": finding.severity, "things": finding.things}
        about = {"owner": finding.owner, "by": record.caller.name, "due": finding.due_at.isoformat()}
        announce(record, "finding.opened", told | about | {"url": f"/gates/findings/{finding.id}"})


def about(connection: Connection, version: ModelVersion, at: datetime) -> builtins.list[Finding]:
    """The findings about a version that are not closed: about itself, its model, its run or its data."""
    refs = [version.ref, f"model:{version.model}", *([f"run:{version.run}"] if version.run else [])]
    found = store.about(connection, [*refs, *version.datasets], at)
    return sorted((each for each in found if is_of(each, version)), key=order)


def is_of(finding: Finding, version: ModelVersion) -> bool:
    """Whether who opened it stands where the thing is: nobody stops the models of a project from within another."""
    theirs = [thing for thing in finding.things if thing in version.datasets]
    return finding.project == version.project or any(
        thing.startswith(f"dataset:{finding.project}/") for thing in theirs
    )


def with_step(finding: Finding, record: Record, did: str, comment: str) -> Finding:
    step = Step(record.at, record.caller.name, did, comment.strip())
    return replace(finding, steps=[*finding.steps, step], changed_at=record.at)


def with_former(finding: Finding, owner: str) -> Finding:
    """The same, its last step knowing who owned it until then."""
    *steps, last = finding.steps
    return replace(finding, steps=[*steps, replace(last, former=owner)])


def say(value: Any) -> str:
    return f"{value:%Y-%m-%d}" if hasattr(value, "strftime") else f"“{value}”" if " " in str(value) else str(value)


def require_due(due_at: datetime | None, at: datetime) -> None:
    if due_at is not None and not at < due_at <= at + LONGEST:
        raise BadField(field="due_at", value=str(due_at), expected="a time to come, within ten years")


def require_text(field: str, text: str) -> None:
    if not text.strip():
        raise BadField(field=field, value="nothing", expected="a sentence that says why")
