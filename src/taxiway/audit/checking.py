"""The check of the whole log: every entry, node, head and signature, in one pass. It reads what it does not trust."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import closing
from typing import Any

import msgspec
from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from taxiway.audit import store
from taxiway.audit.contract import TreeHead, Verification
from taxiway.audit.held import forked
from taxiway.audit.leaves import entry_bytes, signed_text
from taxiway.audit.merkle import DIGEST_BYTES, Growing, leaf_hash
from taxiway.storage.database import read_moment
from taxiway.storage.keys import Keys, Signature

KEPT_EVERY = 1024  # entries between heads that stay; the newest gives way to the next one
UNREADABLE = (TypeError, ValueError, OverflowError, AttributeError, msgspec.MsgspecError)


def is_kept(size: int) -> bool:
    """Whether the head of this size stays when the log grows."""
    return size % KEPT_EVERY == 0


class Broken(Exception):
    """The first thing that does not hold, and the first entry that it touches."""

    def __init__(self, problem: str, seq: int | None) -> None:
        super().__init__(problem)
        self.problem, self.seq = problem, seq


class Check:
    """One check. `tree` is that of the entries found right so far."""

    def __init__(self, connection: Connection, keys: Keys, held: Sequence[TreeHead]) -> None:
        self.connection, self.keys = connection, keys
        self.held = {head.size: head for head in held}
        self.forked = forked(held)
        self.heads: dict[int, dict[str, Any]] = {}
        self.tree = Growing()

    def run(self) -> Verification:
        if self.forked is not None:
            return self.verification(f"two heads held for size {self.forked} differ: the log was forked", None)
        try:
            self.heads = {head["size"]: head for head in store.raw_heads(self.connection)}
            self.entries()
            self.end()
            self.nodes()
        except Broken as e:
            return self.verification(e.problem, e.seq)
        except (SQLAlchemyError, *UNREADABLE) as e:
            words = str(getattr(e, "orig", None) or e).partition("\n")[0]
            return self.verification(f"the log cannot be read after {self.tree.size} entries: {words}", None)
        return self.verification(None, None)

    def verification(self, problem: str | None, seq: int | None) -> Verification:
        return Verification(
            is_intact=problem is None,
            entries=self.tree.size,
            heads=len(self.heads),
            problem=problem,
            first_bad_seq=seq,
        )

    def entries(self) -> None:
        """Raises Broken for the first entry that does not hold."""
        tree, looked_at = self.tree, {*self.heads, *self.held}
        with closing(store.raw_rows(self.connection)) as rows:
            for row in rows:
                if row[0] != tree.size:
                    words = f"entry {tree.size} is missing: entry {row[0]} stands in its place"
                    raise Broken(words, tree.size)
                self.entry(row)
                if tree.size in looked_at or not tree.size % KEPT_EVERY:
                    self.head()

    def entry(self, row: tuple[Any, ...]) -> None:
        seq = self.tree.size
        try:
            _, at, actor, verb, thing, project, door, request_id, facts, kept = row
            entry = {
                "seq": seq,
                "at": read_moment(at),
                "actor": actor,
                "verb": verb,
                "thing": thing,
                "project": project,
                "door": door,
                "request_id": request_id,
                "facts": facts,
            }
            leaf = leaf_hash(entry_bytes(entry))
        except UNREADABLE as e:
            raise Broken(f"entry {seq} cannot be read: it was changed", seq) from e
        if leaf != kept:
            raise Broken(f"entry {seq} does not match its hash: it was changed", seq)
        self.tree.append(leaf)

    def head(self) -> None:
        """The heads that are stored and held for the size reached, held against the entries up to it."""
        size, root = self.tree.size, self.tree.root()
        seq, row, held = size - 1, self.heads.get(size), self.held.get(size)
        if held is not None and held.root != root.hex():
            raise Broken(f"the head held for size {size} is not the log's: its past was changed", None)
        if row is None:
            if is_kept(size):
                raise Broken(f"entry {seq} has no signed head", seq)
            return
        name = f"the head of size {size}"
        head = readable(lambda: store.read_head(store.with_moment(row)), f"{name} cannot be read: it was changed", seq)
        if root != head.root:
            raise Broken(f"{name} does not match the entries up to {seq}", seq)
        if b"".join(self.tree.peaks) != head.frontier:
            raise Broken(f"{name} is stored with another frontier than its entries have: it was changed", seq)
        signature = Signature(head.key_id, head.signature)
        text = readable(lambda: signed_text(head.size, head.root, head.at), f"{name} cannot be read", seq)
        if not self.keys.verify(text, signature):
            raise Broken(f"{name} is not signed by a key of this platform", seq)

    def end(self) -> None:
        size, longest = self.tree.size, max(self.heads, default=0)
        if longest > size:
            raise Broken(f"the log ends at {size} entries, but a head was signed for {longest}: entries were cut", size)
        if longest < size:
            raise Broken(f"entry {longest} and what follows is under no signed head: entries were added", longest)
        if self.held and max(self.held) > size:
            words = f"the log has {size} entries, the head held has {max(self.held)}: entries were cut off"
            raise Broken(words, size)
        if extra := [each for each in self.heads if each != size and not is_kept(each)]:
            raise Broken(f"a head of size {extra[0]} is stored that gave way to later ones: it was put back", None)

    def nodes(self) -> None:
        """The stored subtrees, which proofs are made from, held against those of the entries."""
        for level, digests in enumerate(self.tree.levels, 1):
            stored = store.raw_nodes(self.connection, level)
            with closing(stored):
                for number in range(len(digests) // DIGEST_BYTES):
                    expected = bytes(digests[number * DIGEST_BYTES : (number + 1) * DIGEST_BYTES])
                    if next(stored, None) != (number, expected):
                        first, last = number << level, ((number + 1) << level) - 1
                        words = f"the stored node over the entries {first} to {last} is not theirs: it was changed"
                        raise Broken(words, first)
        wanted, found = sum(map(len, self.tree.levels)) // DIGEST_BYTES, store.count_nodes(self.connection)
        if found != wanted:
            raise Broken(f"{found} nodes are stored, the entries have {wanted}: some were added", None)


def readable(read: Callable[[], Any], problem: str, seq: int) -> Any:
    """What `read` gives. Raises Broken where it cannot be made of what is stored."""
    try:
        return read()
    except UNREADABLE as e:
        raise Broken(problem, seq) from e
