"""A receiver for each test, and a client whose hooks are gone afterwards. Each file says of which `server`."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from taxiway.client import Client
from tests.hooks.receiver import Receiver, receiving
from tests.support.live import Live


@pytest.fixture
def client(server: Live) -> Iterator[Client]:
    yield server.client
    for hook in server.client.hooks.list():
        server.client.hooks.remove(hook.id)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as receiver:
        yield receiver
