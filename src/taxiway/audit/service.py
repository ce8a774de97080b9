"""The rule of the audit log: a change and its entry commit together, and the log as it ends has a signed head."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from threading import Lock
from typing import Any, TypeVar

from sqlalchemy import Connection, inspect

from taxiway.audit import store
from taxiway.audit.checking import Check, is_kept
from taxiway.audit.contract import (
    Consistency,
    Entry,
    Inclusion,
    ListEntries,
    LogKey,
    ProveConsistency,
    ProveInclusion,
    TreeHead,
    Verification,
    VerifyLog,
)
from taxiway.audit.leaves import facts_text, leaf_of, signed_text
from taxiway.audit.merkle import Frontier, Node, consistency_proof, inclusion_proof, root_of
from taxiway.audit.tables import heads
from taxiway.kernel.caller import Caller
from taxiway.kernel.endpoint import Page
from taxiway.kernel.errors import BadField, NotFound, TaxiwayError, Unavailable
from taxiway.storage.database import Database
from taxiway.storage.keys import Keys
from taxiway.storage.writes import Change, Key, Writer

T = TypeVar("T")

MOST_BEHIND = timedelta(days=1)  # as far as the clocks of servers on one database may differ


class Record:
    """A change in progress together with its audit entry: what services get to work with."""

    def __init__(self, change: Change, *, caller: Caller, verb: str, thing: str, project: str | None) -> None:
        self.change = change
        self.connection = change.connection
        self.at = change.at
        self.caller = caller
        self.verb = verb
        self.thing = thing
        self.project = project
        self.facts: dict[str, Any] = {}
        self.further: list[tuple[str, str, dict[str, Any]]] = []
        self.claims: list[Any] = []  # what `evidence.attesting` says with this change; signed before its entry is made

    def note(self, **facts: Any) -> None:
        """Adds facts to the entry: what was, what is, why."""
        self.facts.update(facts)

    def also(self, verb: str, thing: str, **facts: Any) -> None:
        """A second entry in the same transaction, for something that this change brought about."""
        self.further.append((verb, thing, facts))

    def after_commit(self, act: Callable[[], None]) -> None:
        self.change.after_commit(act)


class Ledger:
    """Changes with their entries. Every noun's service changes things through `change`."""

    def __init__(self, database: Database, writer: Writer, keys: Keys) -> None:
        self.database = database
        self.writer = writer
        self.keys = keys
        self.before_entries: list[Callable[[Record], None]] = []  # done in every change, just before its entries

    def change(
        self,
        caller: Caller,
        verb: str,
        thing: str,
        make: Callable[[Record], T],
        *,
        answer: type[T],
        project: str | None = None,
    ) -> T:
        """What `make` returns, once the change and its audit entry are durable.

        make: does the change on ``record.connection`` and notes facts; it may set ``record.thing`` and
        ``record.project`` when they are only known inside. A refusal undoes everything; one whose class is
        audited leaves an entry ``verb.refused``. The caller's idempotency key applies to this verb.
        """

        def both(change: Change) -> T:
            newest = store.newest_head(change.connection)
            record = Record(change, caller=caller, verb=verb, thing=thing, project=project)
            record.at = not_before(newest, change.at)
            result = make(record)
            for act in self.before_entries:
                act(record)
            self._append(record, newest, [(record.verb, record.thing, record.facts), *record.further])
            return result

        key = Key(f"{caller.name}/{verb}/{caller.key}", caller.fingerprint) if caller.key else None
        try:
            return self.writer.write(both, key=key, answer=answer)
        except TaxiwayError as refusal:
            if refusal.is_audited:
                self.refused(caller, verb, thing, refusal, project=project)
            raise

    def refused(
        self, caller: Caller, verb: str, thing: str, refusal: TaxiwayError, *, project: str | None = None
    ) -> None:
        """Records that something was refused and why. Within a change nothing: whoever asked for that records it."""
        if self.writer.is_within:
            return

        def enter(change: Change) -> None:
            newest = store.newest_head(change.connection)
            record = Record(change, caller=caller, verb=verb, thing=thing, project=project)
            record.at = not_before(newest, change.at)
            facts = {"error": type(refusal).__name__, "detail": str(refusal), "facts": refusal.facts()}
            self._append(record, newest, [(f"{verb}.refused", thing, facts)])

        self.writer.write(enter)

    def _append(
        self, record: Record, newest: store.Head | None, said: Sequence[tuple[str, str, dict[str, Any]]]
    ) -> None:
        """Entries for these verbs, things and facts, and the heads of the log that they make."""
        connection = record.connection
        frontier = read_frontier(newest)
        rows: list[dict[str, Any]] = []
        nodes: list[Node] = []
        heads: list[store.Head] = []
        for verb, thing, facts in said:
            rows.append(self._entry(record, frontier.size, verb=verb, thing=thing, facts=facts))
            frontier, completed = frontier.append(rows[-1]["leaf"])
            nodes += completed[1:]
            if is_kept(frontier.size):
                heads.append(self._head(frontier, record.at))
        if not is_kept(frontier.size):
            heads.append(self._head(frontier, record.at))
        given_way = newest.size if newest and not is_kept(newest.size) else None
        store.append(connection, rows, nodes, heads, before=given_way)

    def _entry(self, record: Record, seq: int, *, verb: str, thing: str, facts: dict[str, Any]) -> dict[str, Any]:
        entry = {
            "seq": seq,
            "at": record.at,
            "actor": record.caller.name,
            "verb": verb,
            "thing": thing,
            "project": record.project,
            "door": record.caller.door,
            "request_id": record.caller.request_id,
            "facts": facts_text(facts),
        }
        return {**entry, "leaf": leaf_of(entry)}

    def _head(self, frontier: Frontier, at: datetime) -> store.Head:
        root = frontier.root()
        signature = self.keys.sign(signed_text(frontier.size, root, at))
        return store.Head(
            size=frontier.size,
            root=root,
            frontier=b"".join(frontier.peaks),
            at=at,
            key_id=signature.key_id,
            signature=signature.signature,
        )


def not_before(newest: store.Head | None, at: datetime) -> datetime:
    """When a change is made: no earlier than the one before it, though its server's clock is behind another's.

    What counts is what came first: an approval that was voided by what another server did stays void. A clock that was
    ahead by more than a day was wrong, and holds nobody up once it is right.
    """
    return newest.at if newest is not None and at < newest.at <= at + MOST_BEHIND else at


def signed_with(database: Database) -> str:
    """The id of the key that signed the newest head; empty where nothing is signed yet."""
    with database.opening(), database.read() as connection:
        newest = store.newest_head(connection) if inspect(connection).has_table(heads.name) else None
    return newest.key_id if newest else ""


def refusals(connection: Connection, verb: str, projects: list[str], *, most: int) -> Iterator[Entry]:
    """What was refused in these projects when somebody tried to do this, the newest `most` of it, newest first."""
    before = None
    while most > 0:
        ask = ListEntries(verb=f"{verb}.refused", before=before, limit=min(most, 1000))
        found = store.find(connection, ask, projects)
        yield from found
        if len(found) < ask.limit:
            return
        before, most = found[-1].seq, most - len(found)


class Audit:
    """Reading and checking the log."""

    def __init__(self, database: Database, keys: Keys) -> None:
        self.database = database
        self.keys = keys
        self.checking = Lock()

    def entries(self, ask: ListEntries, projects: list[str] | None = None) -> Page[Entry]:
        """Newest first. projects: what the caller may see; None is everything."""
        if not 1 <= ask.limit <= 1000:
            raise BadField(field="limit", value=str(ask.limit), expected="a number from 1 to 1000")
        if ask.before is not None and not 0 <= ask.before < 1 << 63:
            raise BadField(field="before", value=str(ask.before), expected="the number of an entry")
        if ask.after is not None and not -1 <= ask.after < 1 << 63:
            raise BadField(field="after", value=str(ask.after), expected="the number of an entry, or -1")
        with self.database.read() as connection:
            found = store.find(connection, ask, projects)
        return Page(found, str(found[-1].seq) if len(found) == ask.limit else None)

    def count(self, projects: list[str]) -> int:
        """How many entries are about these projects."""
        with self.database.read() as connection:
            return store.count(connection, projects)

    def head(self) -> TreeHead:
        with self.database.read() as connection:
            newest = store.newest_head(connection)
        if newest is None:
            raise NotFound(kind="audit head", name="newest", hint="Nothing has been changed yet.")
        return newest.outside()

    def log_keys(self) -> Page[LogKey]:
        """The public keys that heads were ever signed with here."""
        return Page([LogKey(*key) for key in self.keys.public_keys()])

    def root(self, size: int) -> bytes:
        """The root of the log's first `size` entries, which it must have."""
        with self.database.read() as connection:
            return root_of(store.stored_nodes(connection), size)

    def inclusion(self, ask: ProveInclusion) -> Inclusion:
        newest = self.head().size
        size = newest if ask.size is None else ask.size
        if not 0 <= ask.seq < size <= newest:
            raise BadField(field="seq", value=str(ask.seq), expected=f"an entry below the size, at most {newest}")
        with self.database.read() as connection:
            nodes = store.stored_nodes(connection)
            path = inclusion_proof(nodes, index=ask.seq, size=size)
            leaf, root = nodes(0, ask.seq), root_of(nodes, size)
        return Inclusion(seq=ask.seq, size=size, leaf=leaf.hex(), path=[h.hex() for h in path], root=root.hex())

    def consistency(self, ask: ProveConsistency) -> Consistency:
        newest = self.head().size
        second = newest if ask.second is None else ask.second
        if not 0 < ask.first <= second <= newest:
            raise BadField(field="first", value=str(ask.first), expected=f"a size from 1 to {newest}")
        with self.database.read() as connection:
            nodes = store.stored_nodes(connection)
            path = consistency_proof(nodes, old_size=ask.first, new_size=second)
        return Consistency(first=ask.first, second=second, path=[h.hex() for h in path])

    def verify(self, ask: VerifyLog) -> Verification:
        """Recomputes every leaf, node and root, and checks every signature, in one pass over the log.

        One check runs at a time: it keeps a core busy for a while. Raises Unavailable where another one is running.
        """
        if not self.checking.acquire(blocking=False):
            raise Unavailable(what="The check of the log", cause="another one is running")
        try:
            with self.database.snapshot() as connection:  # of one moment: the log grows while it is checked
                return Check(connection, self.keys, ask.held).run()
        finally:
            self.checking.release()


def read_frontier(head: store.Head | None) -> Frontier:
    if head is None:
        return Frontier()
    peaks = tuple(head.frontier[i : i + 32] for i in range(0, len(head.frontier), 32))
    return Frontier(head.size, peaks)
