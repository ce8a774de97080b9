"""The rules of discussions: whoever may read a thing may speak of it; what was said is changed by who said it alone."""

from __future__ import annotations

import builtins
from collections.abc import Callable, Collection

from msgspec.structs import replace
from sqlalchemy import Connection

from taxiway.access.roles import ROLES
from taxiway.access.service import Access
from taxiway.audit.service import Ledger, Record
from taxiway.discussions import store
from taxiway.discussions.contract import (
    Comment,
    Edit,
    EditComment,
    ListThreads,
    Reply,
    StartThread,
    Thread,
    TurnThread,
)
from taxiway.discussions.refusals import AlreadySo, NotAsked, NotYours
from taxiway.discussions.rules import closes_itself, mentioned
from taxiway.discussions.telling import tell_asked, tell_said
from taxiway.kernel.caller import Caller
from taxiway.kernel.clock import Clock
from taxiway.kernel.endpoint import Page
from taxiway.kernel.errors import BadField, NotFound, TaxiwayError
from taxiway.kernel.ids import new_id
from taxiway.kernel.thing import Thing, parse

PLATFORM = ""
MOST_COMMENTS = 1000

Finder = Callable[[Thing], str]
"""Gives the project of a thing, empty for the platform's own. Raises NotFound."""


class Discussions:
    """The discussions of one platform. kinds: for each kind of thing, what finds its project."""

    def __init__(self, ledger: Ledger, access: Access, clock: Clock) -> None:
        self.database = ledger.database
        self.ledger = ledger
        self.access = access
        self.clock = clock
        self.kinds: dict[str, Finder] = {}

    # --- reading ---

    def list(self, caller: Caller, body: ListThreads) -> Page[Thread]:
        """Those that the caller may read, the latest word first."""
        projects = self.readable(caller)
        if body.project:
            projects = [body.project] if projects is None or body.project in projects else []
        with self.database.read() as connection:
            return Page(store.select_of(connection, projects, body))

    def of(self, thing: str) -> builtins.list[Thread]:
        """Those of a thing, oldest first; whoever asks may read it."""
        with self.database.read() as connection:
            return store.about(connection, [thing])

    def find(self, caller: Caller, text: str, most: int) -> builtins.list[Thread]:
        """Those in which the words were said."""
        with self.database.read() as connection:
            return store.matching(connection, self.readable(caller), text, most)

    def show(self, caller: Caller, *, discussion: str) -> Thread:
        """Raises NotFound, also for one that the caller may not read."""
        with self.database.read() as connection:
            thread = known(connection, discussion)
        self._admit(caller, "discussions.read", "discussion", discussion, thread.project)
        return thread

    def readable(self, caller: Caller) -> builtins.list[str] | None:
        """The projects whose discussions the caller may read, the platform's among them; None is all."""
        visible = self.access.visible(caller)
        return None if visible is None else [*visible, PLATFORM]

    def project_of(self, caller: Caller, thing: str, needs: str = "discussions.read") -> str:
        """The project of a thing that the caller may read. Raises BadField, NotFound, NotAllowed."""
        named = parse(thing)
        if named.kind not in self.kinds or not named.name:
            expected = f"a thing such as model:NAME@VERSION, one of {', '.join(sorted(self.kinds))}"
            raise BadField(field="thing", value=repr(thing), expected=expected)
        found: builtins.list[str] = []

        def find() -> builtins.list[str]:
            found.append(self.kinds[named.kind](named))
            return [project for project in found if project]

        name = thing.partition(":")[2]
        self.access.admit(caller, needs, kind=named.kind.replace("-", " "), name=name, find=find)
        return found[0]

    def may_resolve(self, caller: Caller, thread: Thread) -> bool:
        """Whether it is the caller's to resolve: who began it, and who owns the project."""
        return caller.name == thread.by or self.access.is_allowed(caller, "discussions.resolve", thread.project or None)

    def readers(self, connection: Connection, project: str) -> builtins.list[str]:
        """The persons who may read what is in a project, or in no project, by name."""
        if not project:
            return self.access.active_people(connection)
        at = self.clock()
        held = self.access.holdings(connection, project=project, roles=ROLES, at=at)
        granted = {grant.user for grant in self.access.grants(project=project).items}
        people = set(self.access.active_people(connection))
        found = {each.user for each in held if each.is_active} | granted | set(self.access.admins(connection))
        return sorted(found & people)

    def told(self, caller: Caller, thing: str) -> builtins.list[str]:
        """Who can be mentioned about a thing, by name. Nobody where the caller may not see it."""
        try:
            project = self.project_of(caller, thing, "discussions.read")
        except TaxiwayError:
            return []
        with self.database.read() as connection:
            return self.readers(connection, project)

    # --- speaking ---

    def start(self, caller: Caller, body: StartThread) -> Thread:
        """Begins a discussion of a thing. Raises NotFound, BadField."""
        require_text(body.text)
        project = self.project_of(caller, body.thing, "discussions.say")

        def make(record: Record) -> Thread:
            readers = self.readers(record.connection, project)
            thread = Thread(
                id=new_id(),
                thing=body.thing,
                project=project,
                by=caller.name,
                at=record.at,
                last_at=record.at,
                asked=self._asked(record, body, project, readers),
                role=body.role,
            )
            store.add(record.connection, thread)
            first = comment_of(record, 1, body.text, readers)
            store.add_comment(record.connection, thread.id, first)
            record.thing = thread.ref
            record.note(about=thread.thing, text=first.text, mentions=first.mentions)
            if thread.asked:
                record.note(asked=thread.asked, role=thread.role)
                tell_asked(record, thread, first)
            tell_said(record, thread, first, others=[])
            return known(record.connection, thread.id)

        return self.ledger.change(caller, "discussions.start", body.thing, make, answer=Thread, project=project or None)

    def _asked(self, record: Record, body: StartThread, project: str, readers: Collection[str]) -> builtins.list[str]:
        """Who is asked to look: those named, who must be able to read the thing, or who holds the role."""
        if body.role and body.asked:
            raise BadField(field="role", value=repr(body.role), expected="either people or a role, not both")
        if body.role:
            held = self.access.holdings(record.connection, project=project, roles=[body.role], at=record.at)
            found = sorted({each.user for each in held if each.is_active} - {record.caller.name})
            if not found:
                raise BadField(field="role", value=repr(body.role), expected="a role that somebody else holds here")
            return found
        unable = [name for name in body.asked if name not in readers]
        if unable:
            expected = f"people who may read {body.thing}: {', '.join(readers[:20]) if readers else 'nobody'}"  # type: ignore[index]
            raise BadField(field="asked", value=", ".join(map(repr, unable)), expected=expected)
        return list_of(body.asked)

    def reply(self, caller: Caller, body: Reply, *, discussion: str) -> Thread:
        """Says something. With an answer, what somebody who was asked to look found. Raises NotFound, NotAsked."""
        if not body.answer:
            require_text(body.text)
        thread = self._say(caller, discussion)

        def make(record: Record) -> Thread:
            now = known(record.connection, thread.id)
            if body.answer and caller.name not in now.asked:
                raise NotAsked(actor=caller.name, asked=now.asked)
            if len(now.comments) >= MOST_COMMENTS:
                raise BadField(field="text", value="one more comment", expected="a new discussion: this one is full")
            readers = self.readers(record.connection, now.project)
            said = replace(comment_of(record, len(now.comments) + 1, body.text, readers), answer=body.answer)
            store.add_comment(record.connection, now.id, said)
            record.note(about=now.thing, number=said.number, text=said.text, mentions=said.mentions)
            if body.answer:
                record.note(answer=body.answer)
            others = [name for name in {now.by, *(each.by for each in now.comments)} if name in readers]
            tell_said(record, now, said, others=others)
            after = known(record.connection, now.id)
            answers = {each.by: each.answer for each in after.comments if each.answer and not each.withdrawn_at}
            if after.is_open and body.answer and closes_itself(after.asked, after.role, answers):
                store.turn(record.connection, after.id, by=caller.name, at=record.at)
                record.note(resolved="everybody who was asked agrees")
            return known(record.connection, now.id)

        return self._change(caller, "discussions.reply", thread, make)

    def edit(self, caller: Caller, body: EditComment, *, discussion: str, number: int) -> Thread:
        """Changes one's own comment; what it said before stays with it. Raises NotFound, NotYours, AlreadySo."""
        require_text(body.text)
        thread = self._say(caller, discussion)

        def make(record: Record) -> Thread:
            before = self._own(record, thread.id, number, "change")
            readers = self.readers(record.connection, thread.project)
            new = comment_of(record, number, body.text, readers)
            edits = [*before.edits, Edit(record.at, before.text)]
            after = replace(before, text=new.text, mentions=new.mentions, edits=edits)
            store.change_comment(record.connection, thread.id, after)
            record.note(about=thread.thing, number=number, before=before.text, text=after.text)
            fresh = [name for name in after.mentions if name not in before.mentions]
            tell_said(record, thread, replace(after, mentions=fresh), others=[])
            return known(record.connection, thread.id)

        return self._change(caller, "discussions.edit", thread, make)

    def withdraw(self, caller: Caller, *, discussion: str, number: int) -> Thread:
        """Takes back one's own comment: a mark says that it was there. Raises NotFound, NotYours, AlreadySo."""
        thread = self._say(caller, discussion)

        def make(record: Record) -> Thread:
            before = self._own(record, thread.id, number, "withdraw")
            store.change_comment(record.connection, thread.id, replace(before, withdrawn_at=record.at))
            record.note(about=thread.thing, number=number)
            return known(record.connection, thread.id)

        return self._change(caller, "discussions.withdraw", thread, make)

    def turn(self, caller: Caller, body: TurnThread, *, discussion: str) -> Thread:
        """Resolves a discussion, which who began it and the project's owners may, or opens it again, which all may."""
        thread = self._say(caller, discussion)

        def make(record: Record) -> Thread:
            now = known(record.connection, thread.id)
            if now.state == body.state:
                raise AlreadySo(what=f"The discussion {now.id} is {now.state} already")
            if body.state == "resolved" and not self.may_resolve(caller, now):
                owners = self.access.people_who_may("discussions.resolve", now.project) if now.project else []
                raise NotYours(actor=caller.name, what="resolve this discussion", who_can=list_of([now.by, *owners]))
            if body.comment.strip():
                readers = self.readers(record.connection, now.project)
                said = comment_of(record, len(now.comments) + 1, body.comment, readers)
                store.add_comment(record.connection, now.id, said)
                tell_said(record, now, said, others=[now.by] if now.by in readers else [])
            is_resolved = body.state == "resolved"
            store.turn(
                record.connection, now.id, by=caller.name if is_resolved else "", at=record.at if is_resolved else None
            )
            record.note(about=now.thing, state=body.state, comment=body.comment.strip())
            return known(record.connection, now.id)

        return self._change(caller, "discussions.turn", thread, make)

    # --- inside ---

    def _say(self, caller: Caller, discussion: str) -> Thread:
        with self.database.read() as connection:
            thread = known(connection, discussion)
        self._admit(caller, "discussions.say", "discussion", discussion, thread.project)
        return thread

    def _admit(self, caller: Caller, needs: str, kind: str, name: str, project: str) -> None:
        self.access.admit(caller, needs, kind=kind, name=name, find=lambda: [project] if project else [])

    def _own(self, record: Record, discussion: str, number: int, what: str) -> Comment:
        said = {each.number: each for each in known(record.connection, discussion).comments}
        if number not in said:
            raise NotFound(kind="comment", name=str(number), hint="`taxiway discussions show` numbers them.")
        if said[number].by != record.caller.name:
            by = said[number].by
            raise NotYours(actor=record.caller.name, what=f"{what} a comment of {by}", who_can=[by])
        if said[number].withdrawn_at is not None:
            raise AlreadySo(what=f"Comment {number} was withdrawn")
        return said[number]

    def _change(self, caller: Caller, verb: str, thread: Thread, make: Callable[[Record], Thread]) -> Thread:
        return self.ledger.change(caller, verb, thread.ref, make, answer=Thread, project=thread.project or None)


def unresolved(connection: Connection, things: Collection[str]) -> builtins.list[Thread]:
    """The discussions of things that wait to be resolved, oldest first."""
    return [each for each in store.about(connection, things) if each.is_open]


def asking(connection: Connection, projects: Collection[str]) -> builtins.list[Thread]:
    """The open discussions in which somebody was asked to look and has not answered."""
    return [each for each in store.asking(connection, projects) if each.waits_for]


def known(connection: Connection, discussion: str) -> Thread:
    found = store.find(connection, discussion)
    if found is None:
        hint = "`taxiway discussions list` shows those there are."
        raise NotFound(kind="discussion", name=discussion[:100], hint=hint)
    return found


def comment_of(record: Record, number: int, text: str, readers: Collection[str]) -> Comment:
    """A comment with whom it mentions: only who may read it."""
    mentions = [name for name in mentioned(text) if name in readers and name != record.caller.name]
    return Comment(number=number, by=record.caller.name, at=record.at, text=text.strip(), mentions=mentions)


def list_of(names: Collection[str]) -> builtins.list[str]:
    return [*dict.fromkeys(names)]


def require_text(text: str) -> None:
    if not text.strip():
        raise BadField(field="text", value="nothing", expected="what you have to say, in Markdown")


def follow_name(record: Record, before: str, to: str) -> None:
    """Discussions take a model's new name."""
    store.rename_model(record.connection, before, to)
