"""The replay goes on where it stopped, whatever stopped it."""

from __future__ import annotations

import io
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

import pandas as pd
import pytest

from taxiway.client import Client
from taxiway.demo import flights
from taxiway.demo.narrator import Narrator
from taxiway.demo.replay import BATCH_ROWS, Replay, Sent
from taxiway.endpoints.contract import Answer, Label, LabelsTaken
from taxiway.kernel.errors import ServerAway

ROWS = 2 * BATCH_ROWS + 7


class Endpoints:
    """Answers so many requests, then is away."""

    def __init__(self, answers: int) -> None:
        self.answers = answers
        self.asked: list[int] = []
        self.labels: list[Label] = []

    def invoke(self, name: str, rows: Any, *, event_at: Any) -> Answer:
        if len(self.asked) == self.answers:
            raise ServerAway(url="http://127.0.0.1", cause="stopped")
        self.asked.append(len(rows))
        return Answer(f"{len(self.asked):032x}", "flights@1", 1, [{}] * len(rows))

    def label(self, name: str, labels: Any) -> LabelsTaken:
        self.labels = list(labels)
        return LabelsTaken(new=len(self.labels), known=0)


class Stand:
    """As much of a client as a replay uses."""

    def __init__(self, answers: int) -> None:
        self.endpoints = Endpoints(answers)


@pytest.fixture
def replay(tmp_path: Path) -> Replay:
    (tmp_path / "demo").mkdir()
    at = pd.Timestamp(datetime(2013, 3, 1, tzinfo=UTC))
    sample = pd.DataFrame({name: ["x" if name in flights.NAMES else 1.0] * ROWS for name in flights.FEATURES})
    return Replay(tmp_path, sample.assign(scheduled_at=at, arrived_at=at, late=[n % 2 for n in range(ROWS)]))


def send(replay: Replay, stand: Stand) -> int:
    return replay.send(cast("Client", stand), "flights", Narrator(io.StringIO()))


def test_every_row_is_sent_once_though_the_demo_was_cut(replay: Replay) -> None:
    first, second = Stand(answers=1), Stand(answers=9)

    with pytest.raises(ServerAway):
        send(replay, first)
    sent = send(replay, second)

    assert first.endpoints.asked == [BATCH_ROWS]
    assert second.endpoints.asked == [BATCH_ROWS, 7]
    assert sent == BATCH_ROWS + 7
    assert [(each.start, each.rows) for each in replay.sent()] == [(0, 500), (500, 500), (1000, 7)]
    assert send(replay, Stand(answers=0)) == 0


def test_a_line_that_was_cut_is_sent_again(replay: Replay) -> None:
    send(replay, Stand(answers=9))
    kept = replay.file.read_bytes()
    replay.file.write_bytes(kept[:-10])

    assert len(replay.sent()) == 2
    assert send(replay, Stand(answers=9)) == 7
    assert [type(each) for each in replay.sent()] == [Sent] * 3


def test_each_label_goes_to_the_row_that_it_is_about(replay: Replay) -> None:
    stand = Stand(answers=9)
    send(replay, stand)

    taken = replay.label(cast("Client", stand), "flights")

    labels = stand.endpoints.labels
    assert taken.new == ROWS
    assert (labels[501].prediction_id, labels[501].row, labels[501].label) == (f"{2:032x}", 1, 1)
    assert {label.at for label in labels} == {datetime(2013, 3, 1, tzinfo=UTC)}
