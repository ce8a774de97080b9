"""Callers that keep asking while something happens to what they ask."""

from __future__ import annotations

import http.client
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Self

import msgspec

from tests.endpoints.conftest import Answer, Site, ask


class Load:
    """Some callers, each on its own connection, one request after the other."""

    def __init__(self, site: Site, callers: int, name: str = "adder") -> None:
        self.site, self.name = site, name
        self.answers: list[Answer] = []
        self.took_s: list[float] = []
        self.broken: list[Exception] = []
        self.is_over = threading.Event()
        self.threads = [threading.Thread(target=self.call) for _ in range(callers)]

    def call(self) -> None:
        x = 0
        with closing(self.site.connection()) as connection:
            while not self.is_over.is_set():
                x += 1
                body = msgspec.json.encode({"x": x})
                began = time.perf_counter()
                try:
                    answer = ask(connection, "POST", f"/endpoints/{self.name}/invocations", body)
                except (OSError, http.client.HTTPException) as e:
                    self.broken.append(e)
                    return
                self.took_s.append(time.perf_counter() - began)
                answer.x = x
                self.answers.append(answer)

    @property
    def failed(self) -> list[Answer]:
        return [answer for answer in self.answers if answer.status != 200]

    @property
    def revisions(self) -> set[int]:
        return {answer.body["revision"] for answer in self.answers}

    def start(self) -> Self:
        for thread in self.threads:
            thread.start()
        return self

    def stop(self) -> None:
        self.is_over.set()
        for thread in self.threads:
            thread.join(20)


@contextmanager
def under_load(site: Site, callers: int = 6) -> Iterator[Load]:
    """Callers while the block runs; they have stopped when it ends."""
    load = Load(site, callers).start()
    try:
        yield load
    finally:
        load.stop()
