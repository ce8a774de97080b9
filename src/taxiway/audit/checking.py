"""The check of the whole log: every entry, node, head and signature, in one pass. It reads what it does not trust."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from taxiway.audit import store
from taxiway.audit.contract import TreeHead, Verification
from taxiway.audit.merkle import DIGEST_BYTES, Frontier, leaf_hash
from taxiway.storage.keys import Keys, Signature

ENTRY_FIELDS = ("seq", "at", "actor", "verb", "thing", "project", "door", "request_id", "facts")
UNREADABLE = (TypeError, ValueError, OverflowError, AttributeError, msgspec.MsgspecError)


def canonical(entry: dict[str, Any]) -> bytes:
    """The bytes of an entry that are hashed: JSON with sorted keys, its facts to the letter as they are stored."""
    return msgspec.json.encode({**entry, "facts": msgspec.Raw(entry["facts"].encode())}, order="sorted")


def signed_text(size: int, root: bytes, at: datetime) -> bytes:
    """What a head's signature covers."""
    return msgspec.json.encode({"at": at, "root": root.hex(), "size": size}, order="sorted")


class Broken(Exception):
    """The first thing that does not hold, and the first entry that it touches."""

    def __init__(self, problem: str, seq: int | None) -> None:
        super().__init__(problem)
        self.problem, self.seq = problem, seq


class Check:
    """One check. `frontier` is the tree of the entries found right so far, `levels` its full subtrees by height."""

    def __init__(self, connection: Connection, keys: Keys, held: TreeHead | None) -> None:
        self.connection, self.keys, self.held = connection, keys, held
        self.heads: dict[int, dict[str, Any]] = {}
        self.frontier = Frontier()
        self.levels: list[bytearray] = []

    def run(self) -> Verification:
        try:
            self.heads = {head["size"]: head for head in store.raw_heads(self.connection)}
            self.entries()
            self.end()
            self.nodes()
        except Broken as e:
            return self.verification(e.problem, e.seq)
        except (SQLAlchemyError, *UNREADABLE) as e:
            words = str(getattr(e, "orig", None) or e).partition("\n")[0]
            return self.verification(f"the log cannot be read after {self.frontier.size} entries: {words}", None)
        return self.verification(None, None)

    def verification(self, problem: str | None, seq: int | None) -> Verification:
        return Verification(
            is_intact=problem is None,
            entries=self.frontier.size,
            heads=len(self.heads),
            problem=problem,
            first_bad_seq=seq,
        )

    def entries(self) -> None:
        """Raises Broken for the first entry that does not hold."""
        with closing(store.raw_rows(self.connection)) as rows:
            for row in rows:
                self.entry(row)

    def entry(self, row: dict[str, Any]) -> None:
        seq = self.frontier.size
        if row["seq"] != seq:
            raise Broken(f"entry {seq} is missing: entry {row['seq']} stands in its place", seq)
        leaf = readable(lambda: leaf_of(row), f"entry {seq} cannot be read: it was changed", seq)
        if leaf != row["leaf"]:
            raise Broken(f"entry {seq} does not match its hash: it was changed", seq)
        grown, completed = self.frontier.append(leaf)
        self.head(grown)
        self.frontier = grown
        for node in completed[1:]:
            self.levels += [bytearray()] * (node.level > len(self.levels))
            self.levels[node.level - 1] += node.digest
        if self.held and self.held.size == grown.size and self.held.root != grown.root().hex():
            raise Broken(f"the head held for size {grown.size} is not the log's: its past was changed", None)

    def head(self, grown: Frontier) -> None:
        """The stored head of a size, held against the entries up to it."""
        seq, row = grown.size - 1, self.heads.get(grown.size)
        if row is None:
            raise Broken(f"entry {seq} has no signed head", seq)
        name = f"the head of size {grown.size}"
        head = readable(lambda: store.read_head(store.with_moment(row)), f"{name} cannot be read: it was changed", seq)
        if grown.root() != head.root:
            raise Broken(f"{name} does not match the entries up to {seq}", seq)
        if b"".join(grown.peaks) != head.frontier:
            raise Broken(f"{name} is stored with another frontier than its entries have: it was changed", seq)
        signature = Signature(head.key_id, head.signature)
        text = readable(lambda: signed_text(head.size, head.root, head.at), f"{name} cannot be read", seq)
        if not self.keys.verify(text, signature):
            raise Broken(f"{name} is not signed by a key of this platform", seq)

    def end(self) -> None:
        size, longest = self.frontier.size, max(self.heads, default=0)
        if longest != size:
            raise Broken(f"the log ends at {size} entries, but a head was signed for {longest}: entries were cut", size)
        if self.held and self.held.size > size:
            raise Broken(f"the log has {size} entries, the head held has {self.held.size}: entries were cut off", size)

    def nodes(self) -> None:
        """The stored subtrees, which proofs are made from, held against those of the entries."""
        for level, digests in enumerate(self.levels, 1):
            stored = store.raw_nodes(self.connection, level)
            with closing(stored):
                for number in range(len(digests) // DIGEST_BYTES):
                    expected = bytes(digests[number * DIGEST_BYTES : (number + 1) * DIGEST_BYTES])
                    if next(stored, None) != (number, expected):
                        first, last = number << level, ((number + 1) << level) - 1
                        words = f"the stored node over the entries {first} to {last} is not theirs: it was changed"
                        raise Broken(words, first)
        wanted, found = sum(map(len, self.levels)) // DIGEST_BYTES, store.count_nodes(self.connection)
        if found != wanted:
            raise Broken(f"{found} nodes are stored, the entries have {wanted}: some were added", None)


def readable(read: Callable[[], Any], problem: str, seq: int) -> Any:
    """What `read` gives. Raises Broken where it cannot be made of what is stored."""
    try:
        return read()
    except UNREADABLE as e:
        raise Broken(problem, seq) from e


def leaf_of(row: dict[str, Any]) -> bytes:
    entry = store.with_moment(row)
    return leaf_hash(canonical({name: entry[name] for name in ENTRY_FIELDS}))
