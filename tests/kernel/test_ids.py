"""Ids sort by the time they were made, and names are what a URL can carry."""

from __future__ import annotations

import os
import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from taxiway.kernel.ids import ID, LATEST, is_name, made_at, new_id

MS = st.integers(0, 2**48 - 1)


@given(first=MS, second=MS)
def test_later_ids_sort_later(first: int, second: int) -> None:
    assert (new_id(first) < new_id(second)) == (first < second) or first == second


def test_ids_of_one_millisecond_sort_as_they_were_made() -> None:
    made = [new_id() for _ in range(5_000)]

    assert made == sorted(made)
    assert len({made_at(id_) for id_ in made}) < len(made)


@given(ms=st.integers(0, 4_000_000_000_000))
def test_an_id_is_a_uuid_of_version_7_that_knows_its_time(ms: int) -> None:
    made = new_id(ms)

    assert ID.fullmatch(made)
    assert uuid.UUID(made).version == 7
    assert made_at(made) == datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=ms)


@given(text=st.text(max_size=70))
def test_a_name_can_stand_in_a_path_as_it_is(text: str) -> None:
    if is_name(text):
        assert text.isascii()
        assert "/" not in text
        assert text not in (".", "..")
        assert 1 <= len(text) <= 63


def test_an_id_beyond_the_calendar_counts_as_its_end() -> None:
    assert made_at("f" * 32) == LATEST
    assert made_at(new_id(2**48 - 1)) == LATEST


def test_ids_of_one_moment_differ_in_every_thread_and_in_a_child() -> None:
    made = [new_id(1) for _ in range(300)]
    with ThreadPoolExecutor(4) as threads:
        made += [id_ for ids in threads.map(lambda _: [new_id(1) for _ in range(100)], range(4)) for id_ in ids]
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(writer, new_id(1).encode())
        os._exit(0)
    os.waitpid(child, 0)
    made += [os.read(reader, 32).decode(), new_id(1)]
    os.close(reader)
    os.close(writer)

    assert len(set(made)) == len(made)
