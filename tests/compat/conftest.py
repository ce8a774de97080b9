"""A gateway that answers x + 1, and a caller that sends it whatever bytes other systems' clients send."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest

from tests.compat.standing import alone, expected, exported, known, python, rows, sealed, start
from tests.endpoints.conftest import Site, with_adder

__all__ = ["alone", "expected", "exported", "known", "python", "rows", "sealed", "start"]


class Said(msgspec.Struct):
    """An answer as it came."""

    status: int
    body: bytes
    headers: dict[str, str]

    @property
    def json(self) -> Any:
        return msgspec.json.decode(self.body)


class Adder:
    """The gateway of the endpoint `adder`: `x` a number, `mood` a text that may be null; x + 1, with a score."""

    def __init__(self, site: Site) -> None:
        self.site = site

    def send(self, method: str, path: str, body: object = None, **headers: str) -> Said:
        """A body that is no bytes goes as JSON; header names with _ for -, and an empty one is left out."""
        given = {"content-type": "application/json"} if body is not None else {}
        given |= {name.replace("_", "-").lower(): value for name, value in headers.items()}
        data = body if isinstance(body, bytes | None) else msgspec.json.encode(body)
        with contextlib.closing(self.site.connection()) as connection:
            connection.request(method, path, data, {name: value for name, value in given.items() if value})
            response = connection.getresponse()
            found = {name.lower(): value for name, value in response.getheaders()}
            return Said(response.status, response.read(), found)

    def invoke(self, body: object, **headers: str) -> Said:
        return self.send("POST", "/endpoints/adder/invocations", body, **headers)


@pytest.fixture(scope="session")
def adder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Adder]:
    """One for all tests of dialects, which only ask."""
    site = Site(tmp_path_factory.mktemp("dialects") / "home")
    try:
        yield Adder(with_adder(site))
    finally:
        site.stop()
