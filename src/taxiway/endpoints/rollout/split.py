"""How an endpoint's requests are divided among its revisions. Pure: one key always finds one revision."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from hashlib import blake2b

from msgspec import Struct

from taxiway.kernel.errors import BadField

SLOTS = 10_000  # what keys are hashed into: a slot is a hundredth of a percent of them
HEADER = "header:"  # before the name of a header that a sticky key is read from
SHARES = "percentages of revisions that sum to 100, such as 3=90 4=10"


class Share(Struct, frozen=True, forbid_unknown_fields=True):
    """What part of the keys a revision answers, in percent; with 0 it is reached by header alone."""

    revision: int
    percent: float


class HeaderRule(Struct, frozen=True, forbid_unknown_fields=True):
    """Requests whose header has just this value go to a revision, whatever their key."""

    header: str
    value: str
    revision: int


class Stretch(Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """The slots up to `until`, which is not counted, from where the stretch before ended."""

    until: int
    revision: int


class Split(Struct, frozen=True, forbid_unknown_fields=True):
    """Shares, and which slot is whose. sticky: the field of a row, or ``header:NAME``, whose value is the key.

    stretches: kept rather than counted anew from the shares, so that a change moves no key that it need not.
    """

    shares: tuple[Share, ...]
    sticky: str = ""
    rules: tuple[HeaderRule, ...] = ()
    stretches: tuple[Stretch, ...] = ()

    @property
    def revisions(self) -> list[int]:
        """All that may answer, those of 0 percent and those of a rule included."""
        return list(dict.fromkeys([*(s.revision for s in self.shares), *(r.revision for r in self.rules)]))

    @property
    def answering(self) -> list[int]:
        """Those that have slots."""
        return [share.revision for share in self.shares if share.percent > 0]

    @property
    def main(self) -> int:
        """The revision with the largest share; of equal ones the one named first."""
        return max(self.shares, key=lambda share: share.percent).revision

    def percent(self, revision: int) -> float:
        return next((share.percent for share in self.shares if share.revision == revision), 0.0)


def whole(revision: int, before: Split | None = None) -> Split:
    """A split in which one revision answers everything; what keys are read from stays as it was."""
    sticky = before.sticky if before else ""
    return Split((Share(revision, 100.0),), sticky, (), (Stretch(SLOTS, revision),))


def divide(
    shares: Sequence[Share], before: Split | None, *, sticky: str = "", rules: Sequence[HeaderRule] = ()
) -> Split:
    """The split with these shares, in which as few slots as can be have another revision than before.

    Raises BadField: shares must be of different revisions, none below 0, and sum to 100 in steps of 0.01.
    """
    wanted = {share.revision: slots_of(share.percent) for share in shares}
    told = " ".join(f"{share.revision}={share.percent:g}" for share in shares)
    if not shares or len(wanted) < len(shares) or sum(wanted.values()) != SLOTS:
        raise BadField(field="shares", value=repr(told), expected=SHARES)
    check_rules(rules, sticky)
    stretches = move(before.stretches if before else (), wanted)
    return Split(tuple(Share(s.revision, s.percent) for s in shares), sticky, tuple(rules), stretches)


def slots_of(percent: float) -> int:
    """How many slots a percentage is. Raises BadField."""
    if not 0 <= percent <= 100 or abs(percent * 100 - round(percent * 100)) > 1e-6:
        raise BadField(field="percent", value=f"{percent:g}", expected="0 to 100 in steps of 0.01")
    return round(percent * 100)


def check_rules(rules: Sequence[HeaderRule], sticky: str) -> None:
    """Raises BadField for a header without a name or value, and for two rules that one request could fit."""
    headers = [rule.header.lower() for rule in rules]
    for header in [*headers, *([sticky.removeprefix(HEADER)] if sticky.startswith(HEADER) else [])]:
        if not header or not header.isascii() or not header.replace("-", "").replace("_", "").isalnum():
            raise BadField(field="header", value=repr(header), expected="a header's name, such as x-test")
    if len({(rule.header.lower(), rule.value) for rule in rules}) < len(rules):
        raise BadField(field="rules", value="two of one header and value", expected="one revision for each value")
    if any(not rule.value or not rule.value.isprintable() for rule in rules):
        raise BadField(field="rules", value="a rule without a value", expected="HEADER=VALUE:REVISION")


def move(before: Sequence[Stretch], wanted: dict[int, int]) -> tuple[Stretch, ...]:
    """The stretches in which each revision has as many slots as wanted, after as few changes as can be.

    Only slots of revisions that shrink change hands, and only to those that grow. Who has the first slot gives from
    its end, the others from their beginning: what was widened and is narrowed again is as it was.
    """
    pieces = [(count, stretch.revision) for stretch, count in spans(before)] or [(SLOTS, 0)]
    have = Counter(dict.fromkeys(wanted, 0))
    for count, revision in pieces:
        have[revision] += count
    surplus = {revision: max(0, count - wanted.get(revision, 0)) for revision, count in have.items()}
    first = pieces[0][1]
    pieces = list(freed(pieces, {**surplus, first: 0}))
    pieces = list(freed(pieces[::-1], {first: surplus[first]}))[::-1]
    return filled(pieces, [(revision, count - have[revision]) for revision, count in wanted.items()])


def spans(stretches: Sequence[Stretch]) -> Iterator[tuple[Stretch, int]]:
    """Each stretch with how many slots it has."""
    start = 0
    for stretch in stretches:
        yield stretch, stretch.until - start
        start = stretch.until


def freed(pieces: Sequence[tuple[int, int]], surplus: dict[int, int]) -> Iterator[tuple[int, int]]:
    """The pieces, where the first of each revision that has too many slots are nobody's (0)."""
    left = dict(surplus)
    for count, revision in pieces:
        given = min(count, left.get(revision, 0))
        left[revision] = left.get(revision, 0) - given
        yield from ((size, owner) for size, owner in ((given, 0), (count - given, revision)) if size)


def filled(pieces: Sequence[tuple[int, int]], lacking: Sequence[tuple[int, int]]) -> tuple[Stretch, ...]:
    """The stretches, where nobody's pieces go to those that lack slots, in their order."""
    takers = iter([(revision, count) for revision, count in lacking if count > 0])
    taker, open_ = 0, 0
    found: list[Stretch] = []
    end = 0
    for count, revision in pieces:
        left = count
        while left:
            if not revision and not open_:
                taker, open_ = next(takers)
            size = left if revision else min(left, open_)
            open_ -= 0 if revision else size
            left, end = left - size, end + size
            owner = revision or taker
            if found and found[-1].revision == owner:
                found.pop()
            found.append(Stretch(end, owner))
    return tuple(found)


def without(split: Split, gone: Collection[int]) -> Split | None:
    """The split without some revisions, whose keys go to the others by their shares; None where nobody is left."""
    left = [share for share in split.shares if share.revision not in gone]
    total = sum(slots_of(share.percent) for share in left)
    if not total:
        return None
    rules = [rule for rule in split.rules if rule.revision not in gone]
    return divide(scaled(left, SLOTS), split, sticky=split.sticky, rules=rules)


def scaled(shares: Sequence[Share], to: int) -> list[Share]:
    """The same proportions, summing to so many slots; what rounding leaves goes to the largest."""
    total = sum(slots_of(share.percent) for share in shares)
    counts = [slots_of(share.percent) * to // total if total else 0 for share in shares]
    largest = max(range(len(shares)), key=lambda at: shares[at].percent)
    counts[largest] += to - sum(counts)
    return [Share(share.revision, count / 100) for share, count in zip(shares, counts, strict=True)]


def joining(before: Split, revision: int, percent: float) -> Split:
    """The split in which a revision has this share, and the others what is left, in their proportions."""
    rest = [share for share in before.shares if share.revision != revision]
    if not rest or slots_of(percent) == SLOTS:
        others: list[Share] = []
        percent = 100.0
    else:
        others = scaled(rest, SLOTS - slots_of(percent))
    return divide(
        [*others, Share(revision, percent)], before, sticky=before.sticky, rules=before.rules if others else ()
    )


def slot_of(key: bytes, salt: bytes) -> int:
    """The slot of a key, the same for ever. salt: of each endpoint its own, so that not the same people always try.

    >>> slot_of(b"customer 17", b"mortgage")
    240
    """
    return int.from_bytes(blake2b(key, digest_size=8, key=salt).digest(), "big") % SLOTS


def told(split: Split) -> str:
    """
    >>> told(divide([Share(3, 90), Share(4, 10)], None))
    '90 % to revision 3, 10 % to revision 4'
    """
    return ", ".join(f"{share.percent:g} % to revision {share.revision}" for share in split.shares)
