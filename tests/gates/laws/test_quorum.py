"""Counting people: what no order, no second role and no delegation can change."""

from __future__ import annotations

from itertools import permutations

from hypothesis import given
from hypothesis import strategies as st

from taxiway.gates.laws.quorum import Voice, helps, lacking, persons, seats_of, taken

NAMES = st.sampled_from(["vera", "vito", "ben", "cleo"])
ROLES = st.sampled_from(["validator", "approver"])
VOICES = st.lists(st.builds(Voice, NAMES, ROLES, st.one_of(st.just(""), NAMES)), max_size=5)
SEATS = st.one_of(
    st.builds(seats_of, st.dictionaries(ROLES, st.integers(1, 2), min_size=1), st.just(1)),
    st.builds(seats_of, st.lists(ROLES, min_size=1, unique=True), st.integers(1, 3)),
)


@given(SEATS, VOICES)
def test_one_person_takes_one_seat_by_a_role_they_spoke_in(seats: list[frozenset[str]], voices: list[Voice]) -> None:
    filled = taken(seats, voices)

    people = [frozenset(name for voice in each for name in voice[::2] if name) for each in filled.values()]
    assert all(not (a & b) for a, b in permutations(people, 2))
    assert all(seats[number] & {voice.role for voice in each} for number, each in filled.items())


@given(SEATS, VOICES)
def test_as_many_seats_are_taken_as_any_seating_could_take(seats: list[frozenset[str]], voices: list[Voice]) -> None:
    people = [{voice.role for voice in each} for each in persons(voices)]

    best = max(
        sum(bool(seat & roles) for seat, roles in zip(seats, order, strict=False))
        for order in permutations([*people, *([set()] * len(seats))], len(seats))
    )

    assert len(taken(seats, voices)) == best
    assert len(lacking(seats, voices)) == len(seats) - best


@given(SEATS, VOICES, st.randoms())
def test_the_order_of_approvals_makes_no_difference(
    seats: list[frozenset[str]], voices: list[Voice], random: st.DataObject
) -> None:
    mixed = list(voices)
    random.shuffle(mixed)  # type: ignore[attr-defined]

    assert len(taken(seats, mixed)) == len(taken(seats, voices))


def test_who_delegates_and_who_acts_for_them_are_one_person_however_far_it_goes() -> None:
    chain = [Voice("ben", "validator", "vera"), Voice("cleo", "approver", "ben"), Voice("vera", "approver")]

    assert len(persons(chain)) == 1
    assert len(taken(seats_of({"validator": 1, "approver": 1}, 1), chain)) == 1


def test_a_voice_helps_where_it_moves_somebody_to_the_other_seat() -> None:
    seats = seats_of({"validator": 1, "approver": 1}, 1)
    both = [Voice("vera", "validator"), Voice("ben", "approver", "vera")]

    assert helps(seats, both, Voice("vito", "validator"))
    assert not helps(seats, [Voice("vera", "validator")], Voice("vito", "validator"))
