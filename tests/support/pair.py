"""PostgreSQL and a bucket under any test's server: with TAXIWAY_TESTS_ON=postgres+s3 no server has its own home's."""

from __future__ import annotations

import atexit
import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import cache
from pathlib import Path
from typing import NamedTuple

from tests.support.postgres import Postgres, running_postgres
from tests.support.s3 import KEY, S3, SECRET, running_s3

VARIABLE = "TAXIWAY_TESTS_ON"


class Pair(NamedTuple):
    """Where a server keeps its rows and its files; None is its own home."""

    database_url: str | None
    blobs_url: str | None


stack = ExitStack()


@cache
def servers() -> tuple[Postgres, S3]:
    """Both, for as long as the process of the tests lives."""
    atexit.register(stack.close)
    return stack.enter_context(running_postgres()), stack.enter_context(running_s3())


known: dict[Path, Pair] = {}


@contextmanager
def chosen_pair(home: Path, given: Pair) -> Iterator[Pair]:
    """What a test gave, or a database and a bucket of the home's own where the whole session asks for them.

    A home that is served again gets what it had.
    """
    if os.environ.get(VARIABLE) != "postgres+s3" or given.blobs_url is not None:
        yield given
        return
    if home not in known:
        postgres, s3 = servers()
        os.environ |= {"AWS_ACCESS_KEY_ID": KEY, "AWS_SECRET_ACCESS_KEY": SECRET}
        known[home] = Pair(stack.enter_context(postgres.fresh_database()), s3.fresh_url())
    yield known[home]
