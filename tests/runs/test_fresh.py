"""Points that are sent from memory: the same ones, once and in order, as if they had been read from the spool."""

from __future__ import annotations

import threading
from contextlib import suppress
from typing import cast
from unittest.mock import patch

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from taxiway.kernel.errors import BadField, ServerAway
from taxiway.kernel.transport import Transport
from taxiway.runs.contract import LogBatch
from taxiway.runs.sending import delivery, fresh, stream
from taxiway.runs.sending.delivery import Delivery, NotNow
from taxiway.runs.sending.fresh import Fresh
from taxiway.runs.sending.records import Pairs, encode
from taxiway.runs.sending.stream import Place, Stream

BAD = 7.0  # a value that the server refuses


class Server:
    """Keeps batches by writer and number, as the real one does: a number that comes again must bring the same."""

    def __init__(self) -> None:
        self.batches: dict[tuple[str, int], LogBatch] = {}
        self.is_away = False
        self.loses_answers = False

    def call(self, _endpoint: object, body: LogBatch, **_given: object) -> None:
        if self.is_away:
            raise ServerAway(url="http://one", cause="away")
        if any(BAD in course.values for course in body.courses):
            raise BadField(field="values", value="7.0", expected="another")
        if not (body.courses or body.tags):
            return
        key = (body.writer, body.seq)
        assert self.batches.setdefault(key, body) == body
        if self.loses_answers:
            raise ServerAway(url="http://one", cause="it went away while it answered")

    def steps(self) -> list[int]:
        return [step for batch in self.batches.values() for course in batch.courses for step in course.steps]


acts = st.one_of(
    st.tuples(st.just("log"), st.lists(st.sampled_from([0.5, 0.25, BAD, float("nan")]), max_size=7)),
    st.tuples(st.sampled_from(["tag", "away", "lost", "back", "ship"]), st.just([0.0])),
)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(said=st.lists(acts, min_size=15, max_size=40))
def test_what_is_sent_from_memory_arrives_once_and_in_order(
    tmp_path_factory: pytest.TempPathFactory, said: list[tuple[str, list[float]]]
) -> None:
    small = (
        patch.object(fresh, "MOST", 5),
        patch.object(delivery, "MOST", 5),
        patch.object(stream, "FILE_BYTES", 2000),
    )
    with small[0], small[1], small[2], patch.object(fresh, "MOST_CHUNKS", 2):
        kept = Stream(Place(tmp_path_factory.mktemp("spool"), "http://one"), "0" * 32)
        server = Server()
        shipping = Delivery(cast("Transport", server), "0" * 32, kept.folder)
        logged: list[tuple[int, float]] = []
        for act, values in said:
            if act == "log":
                rows = [("loss", len(logged) + nth, value) for nth, value in enumerate(values)]
                logged += [(step, value) for _, step, value in rows]
                kept.put(encode(("points", 1, rows)), len(rows), (1, rows))
            elif act == "tag":
                kept.put(encode(Pairs("tags", b'{"a": "b"}')), 1)
            elif act == "ship":
                ship(kept, shipping, most=1)
            else:
                server.is_away, server.loses_answers = act == "away", act == "lost"
        server.is_away = server.loses_answers = False
        ship(kept, shipping, most=1000)

        assert kept.is_delivered
        arrived = server.steps()
        assert arrived == sorted(set(arrived))
        refused = {step for step, _ in logged} - set(arrived)
        together = [{step for _, step, _ in rows} for rows in records(said)]
        assert all(any(value == BAD for step, value in logged if step in of) for of in together if of & refused)
        assert not {step for step, value in logged if value == BAD} & set(arrived)
        kept.close()


def records(said: list[tuple[str, list[float]]]) -> list[list[tuple[str, int, float]]]:
    """The points that were logged together: one that is refused takes those along."""
    found: list[list[tuple[str, int, float]]] = []
    count = 0
    for act, values in said:
        if act == "log":
            found.append([("loss", count + nth, value) for nth, value in enumerate(values)])
            count += len(values)
    return found


def ship(kept: Stream, shipping: Delivery, most: int) -> None:
    for _ in range(most):
        source = kept.oldest()
        if source is None:
            return
        with suppress(NotNow):
            done = shipping.next(source)
            if done is not None:
                kept.note(done.records, done.items)


def test_what_was_not_taken_is_let_go_beyond_a_few_chunks() -> None:
    memory = Fresh(threading.RLock())
    file = object()

    for number in range(fresh.MOST * (fresh.MOST_CHUNKS + 2)):
        memory.add(file, number, number + 1, 0, [("loss", number, 0.5)])

    assert [chunk.start for chunk in memory.chunks] == [fresh.MOST * n for n in range(2, fresh.MOST_CHUNKS + 2)]
