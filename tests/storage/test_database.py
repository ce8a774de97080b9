"""Opening databases, and what is made of them when they go away."""

from __future__ import annotations

import time
from datetime import datetime

import pytest
from sqlalchemy import select, text

from taxiway.storage.database import IDLE_S, Database, write_moment
from taxiway.storage.steps import TooManySteps, at_most
from tests.support.postgres import Postgres


@pytest.mark.postgres
def test_a_connection_that_was_cut_while_it_lay_idle_is_replaced(postgres: Postgres) -> None:
    with postgres.fresh_database() as url:
        cut, other = Database(url), Database(url)
        with cut.read() as connection:
            process = connection.execute(text("SELECT pg_backend_pid()")).scalar_one()
        with other.read() as connection:
            connection.execute(text("SELECT pg_terminate_backend(:process)"), {"process": process})
        time.sleep(2 * IDLE_S)

        with cut.read() as connection:
            assert connection.execute(text("SELECT pg_backend_pid()")).scalar_one() != process
        cut.close()
        other.close()


def test_a_query_that_takes_too_long_ends_and_the_next_one_is_answered() -> None:
    database = Database("sqlite://")
    counting = text(
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100000) SELECT max(i) FROM n"
    )

    with database.read() as connection:
        with pytest.raises(TooManySteps), at_most(connection, 1000):
            connection.execute(counting).all()

        assert connection.execute(select(text("1"))).scalar_one() == 1
        assert connection.execute(counting).scalar_one() == 100_000
    database.close()


@pytest.mark.parametrize("text", ["9999-12-31T23:59:59-23:59", "0001-01-01T00:00:00+23:00"])
def test_a_time_that_could_not_be_read_again_is_not_written(text: str) -> None:
    with pytest.raises(OverflowError):
        write_moment(datetime.fromisoformat(text))
