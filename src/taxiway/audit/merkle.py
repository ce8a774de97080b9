"""The Merkle tree of RFC 6962 (and 9162): roots, proofs, and a frontier that grows one entry at a time.

Everything here is arithmetic on digests. Where the digests are kept is the store's matter: proofs are made
from a `Nodes` look-up, so that a log of a million entries is proved from some twenty stored digests.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from hashlib import sha256
from typing import Final

from msgspec import Struct

DIGEST_BYTES: Final = 32

Nodes = Callable[[int, int], bytes]
"""Looks up the digest of a full subtree: ``nodes(level, index)`` covers the ``2**level`` leaves from
``index * 2**level`` on; level 0 holds the leaf hashes."""


class ProofImpossible(ValueError):
    """A proof was asked for entries that the tree does not have."""


class FrontierBroken(ValueError):
    """A stored frontier does not fit its size, so nothing may be appended to it."""


class Node(Struct, frozen=True):
    """A full subtree that an append completed; storing these is enough to make every proof later."""

    level: int
    index: int
    digest: bytes


def leaf_hash(entry: bytes) -> bytes:
    """SHA-256 of a zero byte and the entry (RFC 6962, 2.1)."""
    return sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """SHA-256 of a one byte and both children (RFC 6962, 2.1)."""
    return sha256(b"\x01" + left + right).digest()


def root(leaves: Iterable[bytes]) -> bytes:
    """The tree head over leaf hashes, in their order; of no leaves, the SHA-256 of nothing."""
    frontier = Frontier()
    for leaf in leaves:
        frontier, _ = frontier.append(leaf)
    return frontier.root()


class Frontier(Struct, frozen=True):
    """What must be remembered of a tree to append to it: the roots of its full subtrees, largest first.

    A tree of n leaves has as many peaks as n has one-bits. Raises FrontierBroken when they do not fit.
    """

    size: int = 0
    peaks: tuple[bytes, ...] = ()

    def __post_init__(self) -> None:
        if self.size < 0 or len(self.peaks) != self.size.bit_count():
            raise FrontierBroken(
                f"A tree of {self.size} entries cannot have {len(self.peaks)} peaks. Rebuild it from the entries."
            )
        if any(len(peak) != DIGEST_BYTES for peak in self.peaks):
            raise FrontierBroken(f"Every peak is {DIGEST_BYTES} bytes long. Rebuild the frontier from the entries.")

    def append(self, leaf: bytes) -> tuple["Frontier", list[Node]]:
        """The frontier with one leaf hash more, and the full subtrees that it completed, smallest first."""
        peaks = list(self.peaks)
        digest, level, index = leaf, 0, self.size
        completed = [Node(level, index, digest)]
        while index % 2 == 1:
            digest = node_hash(peaks.pop(), digest)
            level, index = level + 1, index // 2
            completed.append(Node(level, index, digest))
        return Frontier(self.size + 1, (*peaks, digest)), completed

    def root(self) -> bytes:
        """The tree head of what was appended so far."""
        return _fold(self.peaks)


class Growing:
    """A tree that only grows, kept for checking a whole log: its peaks, and its full subtrees by height.

    levels: for each height from 1 on the digests of its full subtrees, one after the other.
    """

    def __init__(self) -> None:
        self.size = 0
        self.peaks: list[bytes] = []
        self.levels: list[bytearray] = []

    def append(self, leaf: bytes) -> None:
        digest, index, level = leaf, self.size, 0
        while index & 1:
            digest = sha256(b"\x01" + self.peaks.pop() + digest).digest()
            if level == len(self.levels):
                self.levels.append(bytearray())
            self.levels[level] += digest
            index, level = index >> 1, level + 1
        self.peaks.append(digest)
        self.size += 1

    def root(self) -> bytes:
        return _fold(self.peaks)


def root_of(nodes: Nodes, size: int) -> bytes:
    """The tree head over the first `size` leaves, from stored subtrees."""
    return _range_root(nodes, 0, size)


def nodes_of(leaves: Sequence[bytes]) -> Nodes:
    """A look-up over leaf hashes held in memory, for proofs of small trees and for verifying whole logs."""
    known: dict[tuple[int, int], bytes] = {}
    frontier = Frontier()
    for leaf in leaves:
        frontier, completed = frontier.append(leaf)
        known.update({(node.level, node.index): node.digest for node in completed})
    return lambda level, index: known[level, index]


def inclusion_proof(nodes: Nodes, *, index: int, size: int) -> list[bytes]:
    """The audit path of leaf `index` (from 0) in the tree of the first `size` leaves, lowest node first.

    RFC 6962, 2.1.1. Raises ProofImpossible when the tree has no such leaf.
    """
    if not 0 <= index < size:
        raise ProofImpossible(f"A tree of {size} entries has no entry {index}. Ask for 0 to {size - 1}.")
    path: list[bytes] = []
    start, end = 0, size
    while end - start > 1:
        middle = start + _split(end - start)
        if index < middle:
            path.append(_range_root(nodes, middle, end))
            end = middle
        else:
            path.append(_range_root(nodes, start, middle))
            start = middle
    return path[::-1]


def consistency_proof(nodes: Nodes, *, old_size: int, new_size: int) -> list[bytes]:
    """The nodes that show that the first `old_size` leaves of the new tree are the old tree's.

    RFC 6962, 2.1.2. Empty for equal sizes and for an old tree without entries.
    Raises ProofImpossible when the old tree is the larger one.
    """
    if not 0 <= old_size <= new_size:
        raise ProofImpossible(f"A tree of {new_size} entries cannot extend one of {old_size}. Swap the sizes.")
    if old_size in (0, new_size):
        return []
    path: list[bytes] = []
    start, end = 0, new_size
    while old_size != end:
        middle = start + _split(end - start)
        if old_size <= middle:
            path.append(_range_root(nodes, middle, end))
            end = middle
        else:
            path.append(_range_root(nodes, start, middle))
            start = middle
    if start > 0:  # else the old tree is itself a node of the new one, and its root is known
        path.append(_range_root(nodes, start, end))
    return path[::-1]


def verify_inclusion(proof: Sequence[bytes], *, leaf: bytes, index: int, size: int, head: bytes) -> bool:
    """Whether the proof leads from this leaf hash, at `index`, to the head of a tree of `size`.

    RFC 9162, 2.1.3.2.
    """
    if not 0 <= index < size:
        return False
    sides = _sides(index, size - 1, len(proof))
    if sides is None:
        return False
    digest = leaf
    for sibling, is_left in zip(proof, sides, strict=True):
        digest = node_hash(sibling, digest) if is_left else node_hash(digest, sibling)
    return digest == head


def verify_consistency(
    proof: Sequence[bytes], *, old_size: int, old_head: bytes, new_size: int, new_head: bytes
) -> bool:
    """Whether the proof shows that the new tree only added to the old one.

    RFC 9162, 2.1.4.2. A tree without entries is extended by every tree.
    """
    if not 0 <= old_size <= new_size:
        return False
    if old_size == new_size:
        return not proof and old_head == new_head
    if old_size == 0:  # everything extends the empty tree
        return not proof and old_head == root(())
    path = list(proof)
    if old_size.bit_count() == 1:  # a full tree: the old head is the first node
        path.insert(0, old_head)
    at, last = old_size - 1, new_size - 1
    while at % 2 == 1:
        at, last = at >> 1, last >> 1
    sides = _sides(at, last, len(path) - 1) if path else None
    if sides is None:
        return False
    old = new = path[0]
    for sibling, is_left in zip(path[1:], sides, strict=True):
        if is_left:
            old, new = node_hash(sibling, old), node_hash(sibling, new)
        else:
            new = node_hash(new, sibling)
    return old == old_head and new == new_head


def _sides(at: int, last: int, steps: int) -> list[bool] | None:
    """Whether each sibling stands to the left, on the climb from node `at` of a level that ends with `last`.

    None when the root is not reached in exactly so many steps.
    """
    sides: list[bool] = []
    for _ in range(steps):
        if last == 0:
            return None
        is_left = at % 2 == 1 or at == last
        if is_left:  # the last node of a level without a right sibling goes up alone
            while at % 2 == 0 and at != 0:
                at, last = at >> 1, last >> 1
        sides.append(is_left)
        at, last = at >> 1, last >> 1
    return sides if last == 0 else None


def _split(size: int) -> int:
    """The largest power of two below `size`, for sizes of two and more."""
    return 1 << ((size - 1).bit_length() - 1)


def _range_root(nodes: Nodes, start: int, end: int) -> bytes:
    """The root over leaves start..end, put together from full subtrees; `start` is aligned as in RFC 6962."""
    return _fold([nodes(level, index) for level, index in _full_subtrees(start, end)])


def _full_subtrees(start: int, end: int) -> Iterator[tuple[int, int]]:
    """The full subtrees, largest first, that cover leaves start..end."""
    while start < end:
        level = (end - start).bit_length() - 1
        yield level, start >> level
        start += 1 << level


def _fold(peaks: Sequence[bytes]) -> bytes:
    """Joins peaks, largest first, into one root, from the right."""
    if not peaks:
        return sha256(b"").digest()
    digest = peaks[-1]
    for peak in reversed(peaks[:-1]):
        digest = node_hash(peak, digest)
    return digest
