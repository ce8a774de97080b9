"""The whole dialect, bound to the services that it translates to."""

from __future__ import annotations

from typing import NamedTuple

from taxiway.access.service import Access
from taxiway.compat.mlflow import facts
from taxiway.compat.mlflow.door import Dialect
from taxiway.models.service import Models
from taxiway.runs.log import Log
from taxiway.runs.service import Runs


class Below(NamedTuple):
    """The services that the dialect translates to."""

    access: Access
    runs: Runs
    log: Log
    models: Models


def bind(dialect: Dialect, below: Below) -> None:
    facts.bind(dialect)
