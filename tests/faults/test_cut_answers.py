"""Answers that are lost on the way: a batch that is sent again is stored once, and known."""

from __future__ import annotations

import random
import socket
from pathlib import Path
from urllib.parse import urlsplit

import msgspec
import pytest

from taxiway.kernel.ids import new_id
from taxiway.runs import contract
from taxiway.runs.contract import Course, LogBatch, Logged, StartRun
from tests.support.live import Live

BATCHES = 60
POINTS = 10


def send_and_hang_up(url: str, path: str, body: bytes) -> None:
    """Sends a request whole, and is gone before its answer."""
    parts = urlsplit(url)
    with socket.create_connection((parts.hostname, parts.port), timeout=10) as connection:
        head = f"POST {path} HTTP/1.1\r\nHost: {parts.netloc}\r\nContent-Type: application/json\r\n"
        connection.sendall(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)


@pytest.mark.parametrize("seed", [1, 2])
def test_batches_whose_answers_are_lost_come_again_and_are_stored_once(
    open_live: Live, tmp_path: Path, seed: int
) -> None:
    draw = random.Random(seed)
    client = open_live.client
    run = client.transport.call(contract.start_run, StartRun(project="default")).id
    writer = new_id()
    sent = []
    for number in range(BATCHES):
        steps = list(range(number * POINTS, (number + 1) * POINTS))
        courses = [Course("loss", steps, [1] * POINTS, [0.5] * POINTS)]
        sent.append(LogBatch(writer, number * POINTS, courses=courses))
    for batch in sent:
        if draw.random() < 0.3:
            send_and_hang_up(open_live.url, f"/api/runs/{run}/batches", msgspec.json.encode(batch))

    draw.shuffle(sent)
    again = [client.transport.call(contract.log_batch, batch, run=run) for batch in sent]
    known = [client.transport.call(contract.log_batch, batch, run=run) for batch in sent]

    assert {answer.items for answer in again} == {POINTS}
    assert known == [Logged(POINTS, is_new=False)] * BATCHES
    assert [point.step for point in client.runs.metric(run, "loss")] == list(range(BATCHES * POINTS))
