"""Playing back recorded flights as traffic, once: where it stopped is kept in the home, and there it goes on."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from taxiway.client import Client
from taxiway.demo import flights
from taxiway.demo.narrator import Narrator
from taxiway.endpoints.contract import Label, LabelsTaken

BATCH_ROWS = 500


class Sent(Struct, frozen=True):
    """A request that was answered: the sample's rows from `start` on, `rows` of them, as they are numbered in it."""

    prediction_id: str
    start: int
    rows: int


class Replay:
    """The sample of March to May, as the endpoint's traffic, with the times at which the flights were scheduled."""

    def __init__(self, home: Path, sample: Any) -> None:
        self.file = home / "demo" / "replayed.jsonl"
        self.sample = sample

    def sent(self) -> list[Sent]:
        """What was answered so far. A line that a killed demo left half-written is not there."""
        if not self.file.exists():
            return []
        lines = self.file.read_bytes().split(b"\n")[:-1]
        return [msgspec.json.decode(line, type=Sent) for line in lines]

    def send(self, client: Client, endpoint: str, narrator: Narrator) -> int:
        """Sends what was not answered yet and gives how many rows that were."""
        done = sum(each.rows for each in self.sent())
        self._forget_half_a_line()
        rows = flights.features(self.sample)
        with narrator.progress("replaying", len(self.sample)) as advance, self.file.open("ab") as file:
            advance(done)
            for start in range(done, len(self.sample), BATCH_ROWS):
                part = slice(start, start + BATCH_ROWS)
                times = self.sample["scheduled_at"].iloc[part]
                answer = client.endpoints.invoke(endpoint, rows.iloc[part], event_at=list(times))
                line = msgspec.json.encode(Sent(answer.prediction_id, start, len(times)))
                file.write(line + b"\n")
                file.flush()
                advance(len(times))
        return len(self.sample) - done

    def label(self, client: Client, endpoint: str) -> LabelsTaken:
        """Says of every flight whether it was late, at the moment it arrived. What is known already stays."""
        return client.endpoints.label(endpoint, self._labels())

    def _labels(self) -> Iterator[Label]:
        late = self.sample["late"].tolist()
        arrived: list[datetime] = [at.to_pydatetime() for at in self.sample["arrived_at"]]
        for each in self.sent():
            for row in range(each.rows):
                at = each.start + row
                yield Label(prediction_id=each.prediction_id, label=late[at], row=row, at=arrived[at])

    def _forget_half_a_line(self) -> None:
        if self.file.exists():
            data = self.file.read_bytes()
            self.file.write_bytes(data[: data.rfind(b"\n") + 1])
