"""The server is killed and its database gone for a minute: the gateway answers, and all of it is delivered later."""

from __future__ import annotations

import http.client
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import msgspec
import pytest

from tests.endpoints.conftest import until
from tests.endpoints.running_server import ROW, Platform
from tests.faults.serving.conftest import Tell, quantile_ms

pytestmark = pytest.mark.fault
LASTS_S = 60.0
CALLERS = 4
PAUSE_S = 0.005  # between the requests of a caller: what is delivered is read once more, record by record
BODY = msgspec.json.encode(ROW)


class Caller(threading.Thread):
    """Keeps asking the gateway itself, with a token, on one connection."""

    def __init__(self, platform: Platform, is_over: threading.Event) -> None:
        super().__init__()
        self.place = (platform.gateway.host, platform.gateway.port)
        token = platform.people["ana"].transport.token
        self.headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        self.is_over = is_over
        self.answered: list[str] = []
        self.took_s: list[float] = []
        self.failed: list[object] = []

    def run(self) -> None:
        with closing(http.client.HTTPConnection(*self.place, timeout=20)) as connection:
            while not self.is_over.wait(PAUSE_S):
                began = time.perf_counter()
                try:
                    connection.request("POST", "/endpoints/mortgage/invocations", BODY, self.headers)
                    response = connection.getresponse()
                    said = response.read()
                except (OSError, http.client.HTTPException) as e:
                    self.failed.append(e)
                    return
                self.took_s.append(time.perf_counter() - began)
                if response.status == 200:
                    self.answered.append(msgspec.json.decode(said)["prediction_id"])
                else:
                    self.failed.append((response.status, said))


@pytest.fixture
def platform(tmp_path: Path) -> Iterator[Platform]:
    """A server with a model in production."""
    platform = Platform(tmp_path / "platform")
    try:
        platform.promoted()
        platform.olu.endpoints.deploy("mortgage", "mortgage@1")
        yield platform
    finally:
        platform.close()


def test_without_server_and_database_for_a_minute_nobody_notices(platform: Platform, tell: Tell) -> None:
    is_over = threading.Event()
    callers = [Caller(platform, is_over) for _ in range(CALLERS)]
    for caller in callers:
        caller.start()
    time.sleep(1.0)
    platform.end(signal.SIGKILL)
    files = [file.rename(file.with_suffix(f"{file.suffix}.away")) for file in platform.home.glob("*.db*")]
    time.sleep(LASTS_S)
    for file in files:
        file.rename(file.with_suffix(""))
    platform.start_again()
    time.sleep(1.0)
    is_over.set()
    for caller in callers:
        caller.join()

    answered = [each for caller in callers for each in caller.answered]
    failed = [each for caller in callers for each in caller.failed]
    log = platform.ana.endpoints.inferences("mortgage")
    until(lambda: set(log.table()["prediction_id"].to_pylist()) >= set(answered[-100:]))
    delivered = log.table()["prediction_id"].to_pylist()
    lost, doubled = len(set(answered) - set(delivered)), len(delivered) - len(set(delivered))
    tell(
        "server killed and database gone for 60 s",
        "0 failed, all records delivered after, once",
        answered=len(answered),
        failed=len(failed),
        delivered=len(delivered),
        records_lost=lost,
        records_doubled=doubled,
        p99_ms=quantile_ms([took for caller in callers for took in caller.took_s], 0.99),
    )
    assert failed == []
    assert len(files) >= 1
    assert (lost, doubled) == (0, 0)
    assert log.check().problems == []
