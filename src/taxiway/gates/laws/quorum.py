"""How many different people stand behind approvals, and which seats of a quorum they fill. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple, TypeVar

R = TypeVar("R", bound=str)


class Voice(NamedTuple):
    """Somebody's yes in a role. on_behalf_of: who delegated the role to them; empty where it is their own."""

    by: str
    role: str
    on_behalf_of: str = ""


Seat = frozenset[str]  # the roles by which it can be taken


def seats_of(roles: Sequence[R] | Mapping[R, int], count: int) -> list[Seat]:
    """One seat for every person that is asked for: of a role each, or of any of the roles."""
    if isinstance(roles, Mapping):
        return [frozenset([role]) for role, many in roles.items() for _ in range(many)]
    return [frozenset(roles)] * count


def persons(voices: Iterable[Voice]) -> list[list[Voice]]:
    """The voices of each person, in the order in which they first spoke. Who delegates and who acts for them are one.

    >>> [len(each) for each in persons([Voice("vera", "validator"), Voice("ben", "validator", "vera")])]
    [2]
    """
    found: list[tuple[set[str], list[Voice]]] = []
    for voice in voices:
        names = {voice.by, voice.on_behalf_of} - {""}
        same = [each for each in found if each[0] & names]
        merged = (names.union(*(each[0] for each in same)), [*(v for each in same for v in each[1]), voice])
        found = [each for each in found if each not in same] + [merged]
    return [voices for _, voices in found]


def taken(seats: Sequence[Seat], voices: Iterable[Voice]) -> dict[int, list[Voice]]:
    """As many seats as these people can take, by number, one seat for a person. Those left over are not in it.

    A matching of the largest size: whoever could sit in two places moves for who can sit in one (Kuhn, 1955).
    """
    people = persons(voices)
    sits: dict[int, int] = {}

    def seat(person: int, tried: set[int]) -> bool:
        roles = {voice.role for voice in people[person]}
        for number, asked in enumerate(seats):
            if not asked & roles or number in tried:
                continue
            tried.add(number)
            if number not in sits or seat(sits[number], tried):
                sits[number] = person
                return True
        return False

    for person in range(len(people)):
        seat(person, set())
    return {number: people[person] for number, person in sorted(sits.items())}


def lacking(seats: Sequence[Seat], voices: Iterable[Voice]) -> list[Seat]:
    """The seats that stay empty."""
    filled = taken(seats, voices)
    return [seat for number, seat in enumerate(seats) if number not in filled]


def helps(seats: Sequence[Seat], voices: Sequence[Voice], more: Voice) -> bool:
    """Whether one more voice takes a seat that would stay empty without it."""
    return len(taken(seats, [*voices, more])) > len(taken(seats, voices))
