"""The log as a file that leaves the platform, and its check without one: standard library and `cryptography`.

The first line has the newest head and the public keys; each further line is an entry in its canonical form, a tab, and
the hash of its leaf. The head proves the whole; the hashes only say which entry was changed where it does not hold.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

import msgspec
from msgspec import Struct

from taxiway.audit.contract import Entry, LogKey, TreeHead, Verification
from taxiway.audit.held import forked
from taxiway.audit.leaves import ENTRY_FIELDS, entry_bytes, facts_text, signed_text
from taxiway.audit.merkle import Growing, leaf_hash
from taxiway.kernel.errors import BadField

FORMAT = "taxiway audit log 2"
TAB = b"\t"  # none stands in a canonical entry


class Beginning(Struct, frozen=True):
    """The first line of an exported log."""

    format: str
    head: TreeHead
    keys: list[LogKey]


class Exported(Struct, frozen=True):
    """What was written where."""

    file: str
    entries: int
    root: str


def lines_of(head: TreeHead, keys: Sequence[LogKey], entries: Iterable[Entry]) -> Iterator[bytes]:
    """The lines of the file. entries: all of them, oldest first."""
    yield msgspec.json.encode(Beginning(FORMAT, head, [*keys])) + b"\n"
    for entry in entries:
        fields = {name: getattr(entry, name) for name in ENTRY_FIELDS}
        text = entry_bytes({**fields, "facts": facts_text(entry.facts)})
        yield text + TAB + leaf_hash(text).hex().encode() + b"\n"


def check_lines(lines: Iterable[bytes], held: Sequence[TreeHead], told: Callable[[int], object]) -> Verification:
    """Checks a file against its own head, that against its signature, and all of it against heads kept elsewhere.

    told: is called with the number of entries now and then. Raises BadField for what is no exported log.
    """
    given = iter(lines)
    begin = read_beginning(next(given, b""))
    if (size := forked(held)) is not None:
        return broken(f"two heads held for size {size} differ: the log was forked", 0)
    wanted = {head.size: head for head in held}
    if max(wanted, default=0) > begin.head.size:
        longest = max(wanted)
        words = f"the file has {begin.head.size} entries, the head held has {longest}: entries were cut off"
        return broken(words, 0, begin.head.size)
    tree = Growing()
    for line in given:
        seq = tree.size
        entry, _, told_hash = line.rstrip(b"\n").partition(TAB)
        hashed = leaf_hash(entry)
        if (problem := wrong_line(entry, seq, hashed.hex().encode() == told_hash)) or seq >= begin.head.size:
            return broken(problem or f"entry {seq} is beyond the head: it was added", seq, seq)
        tree.append(hashed)
        if (head := wanted.get(tree.size)) and head.root != tree.root().hex():
            words = f"the head held for size {tree.size} is not the log's: its past was changed"
            return broken(words, tree.size)
        if not tree.size % 10_000:
            told(tree.size)
    return at_end(begin, tree)


def read_beginning(line: bytes) -> Beginning:
    try:
        begin = msgspec.json.decode(line, type=Beginning)
    except (msgspec.MsgspecError, UnicodeDecodeError) as e:
        raise not_a_log(str(e)) from e
    if begin.format != FORMAT:
        raise not_a_log(begin.format)
    return begin


def not_a_log(value: str) -> BadField:
    return BadField(field="log", value=value[:200], expected="a file that `taxiway audit export` wrote")


def wrong_line(entry: bytes, seq: int, is_hashed: bool) -> str:
    """Why a line cannot be entry `seq`; empty where it can. is_hashed: whether its hash is the one beside it."""
    try:
        number = msgspec.json.decode(entry)["seq"]
    except (msgspec.MsgspecError, UnicodeDecodeError, KeyError, TypeError):
        return f"entry {seq} cannot be read: it was changed"
    if number != seq:
        return f"entry {seq} is missing: entry {number} stands in its place"
    return "" if is_hashed else f"entry {seq} was changed, or the hash beside it: they do not fit"


def at_end(begin: Beginning, tree: Growing) -> Verification:
    from cryptography.exceptions import UnsupportedAlgorithm

    from taxiway.storage.keys import Signature, is_signed

    head = begin.head
    if tree.size < head.size:
        words = f"the file ends at {tree.size} entries, but its head is of {head.size}: entries were cut"
        return broken(words, tree.size, tree.size)
    if tree.root().hex() != head.root:
        return broken("the entries do not match their head: some were changed", tree.size)
    try:
        signature = Signature(head.key_id, bytes.fromhex(head.signature))
        text = signed_text(head.size, bytes.fromhex(head.root), head.at)
        is_good = any(is_signed(text, signature, key.public.encode()) for key in begin.keys if key.id == head.key_id)
    except (ValueError, UnsupportedAlgorithm):  # no hex, or no key in PEM that is known
        is_good = False
    if not is_good:
        return broken(f"the head is not signed by its key {head.key_id}", tree.size)
    return Verification(is_intact=True, entries=tree.size, heads=1)


def broken(problem: str, entries: int, first_bad: int | None = None) -> Verification:
    return Verification(is_intact=False, entries=entries, heads=1, problem=problem, first_bad_seq=first_bad)
