"""A bound on what a query of SQLite may cost, so that a way that is usually quick can be tried before a sure one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection
from sqlalchemy.exc import OperationalError


class TooManySteps(Exception):
    """The query would have taken more steps than it was given."""


@contextmanager
def at_most(connection: Connection, steps: int) -> Iterator[None]:
    """Ends a query after so many steps of SQLite's machine, some twenty million of which take a second.

    Fetch all that is read within. Raises TooManySteps; the transaction goes on.
    """
    driver: Any = connection.connection.driver_connection
    driver.set_progress_handler(lambda: 1, steps)
    try:
        yield
    except OperationalError as e:
        if "interrupted" not in str(e.orig):
            raise
        raise TooManySteps from e
    finally:
        driver.set_progress_handler(None, 0)
