"""The audit log in a dossier: every entry about the version and its run, each proven against one signed head."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

import msgspec

from taxiway.audit.contract import Entry, ListEntries, ProveConsistency, ProveInclusion, TreeHead
from taxiway.audit.leaves import ENTRY_FIELDS, entry_bytes, facts_text, signed_text
from taxiway.audit.service import Audit
from taxiway.dossiers.collecting import as_json
from taxiway.dossiers.packing import Part
from taxiway.kernel.thing import parse

AT_ONCE = 1000


class Proofs:
    """The entries about some things, oldest first, and the head that they are proven against.

    That head is the log's as it was right after the newest of them, so that it stays the same whatever else happens;
    one that was held elsewhere and is larger takes its place, and a smaller one is shown to be this one's beginning.
    """

    def __init__(self, audit: Audit, things: Sequence[str], held: int | None = None) -> None:
        """held: the size of the head that was kept elsewhere."""
        self.audit = audit
        found = {entry.seq: entry for thing in all_names(audit, things) for entry in about(audit, thing)}
        self.entries = [found[seq] for seq in sorted(found)]
        self.held = held
        self.size = max(self.entries[-1].seq + 1, held or 0) if self.entries else 0

    @property
    def as_of(self) -> datetime:
        """When the newest entry was made."""
        return self.entries[-1].at

    def head(self) -> TreeHead:
        """The head of that size, signed: when it was made is when its last entry was."""
        [last] = self.audit.entries(ListEntries(before=self.size, limit=1)).items
        root = self.audit.root(self.size)
        signed = self.audit.keys.sign(signed_text(self.size, root, last.at))
        return TreeHead(self.size, root.hex(), last.at, signed.key_id, signed.signature.hex())

    def parts(self) -> Iterator[Part]:
        for entry in self.entries:
            fields = {name: getattr(entry, name) for name in ENTRY_FIELDS}
            yield Part(f"audit/{entry.seq}.json", entry_bytes({**fields, "facts": facts_text(entry.facts)}))
        proofs = [self.audit.inclusion(ProveInclusion(entry.seq, self.size)) for entry in self.entries]
        yield as_json("audit/proofs.json", proofs)
        yield Part("audit/head.json", msgspec.json.encode(self.head()))
        if self.held and self.held < self.size:
            yield as_json("audit/consistency.json", self.audit.consistency(ProveConsistency(self.held, self.size)))


def about(audit: Audit, thing: str) -> Iterator[Entry]:
    """Every entry about a thing, newest first."""
    before: int | None = None
    while True:
        page = audit.entries(ListEntries(thing=thing, before=before, limit=AT_ONCE))
        yield from page.items
        if page.next is None:
            return
        before = int(page.next)


def all_names(audit: Audit, things: Sequence[str]) -> list[str]:
    """The things with the names that they had before: entries keep what a model was called then."""
    names = list(things)
    for name in names:  # grows while it is walked: a model may have been renamed more than once
        kind, model, version = parse(name)
        if kind != "model":
            continue
        renamed = audit.entries(ListEntries(thing=f"model:{model}", verb="models.rename", limit=AT_ONCE)).items
        former = [f"model:{entry.facts['before']}@{version}" for entry in renamed if entry.facts.get("after") == model]
        names += [each for each in former if each not in names]
    return names
