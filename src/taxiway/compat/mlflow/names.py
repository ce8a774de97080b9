"""What things are called in the dialect: experiments by number and by name, places, states and times."""

from __future__ import annotations

import re
from collections.abc import Collection
from datetime import datetime, timedelta

from taxiway.compat.mlflow.refusals import invalid
from taxiway.kernel.errors import NotFound
from taxiway.projects.service import DEFAULT
from taxiway.runs.contract import RunStatus
from taxiway.runs.experiments import FIRST, LONGEST_NAME, Sheet
from taxiway.runs.foreign.sheets import RunSheet
from taxiway.storage.database import EPOCH

FIRST_NAME = "Default"  # as MLflow calls the experiment that there always is
SCHEME = "mlflow-artifacts:/"
LAST_MS = 253_402_214_400_000  # of the year 9999: no later moment can be kept

EXPERIMENT_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")
RUN_ID = re.compile(r"[A-Za-z0-9][\w-]{0,255}")
NUMBER = re.compile(r"[0-9]{1,9}")
KEY = re.compile(r"[\w/.: -]{1,250}")
LABEL = re.compile(r"[\w][\w .-]*(?:/[\w][\w .-]*)*")
MICROS_OF_MS = 1000
MILLISECOND = timedelta(milliseconds=1)

STATUSES: dict[str, RunStatus] = {
    "RUNNING": "running",
    "SCHEDULED": "scheduled",
    "FINISHED": "finished",
    "FAILED": "failed",
    "KILLED": "stopped",
}
SHOWN = {ours: theirs for theirs, ours in STATUSES.items()} | {"lost": "RUNNING"}


def experiment_number(given: str) -> int:
    """The number that an experiment's id stands for. Raises ParameterInvalid, and NotFound for what can be none."""
    if not EXPERIMENT_ID.fullmatch(given):
        raise invalid(
            "experiment_id", given, "letters, digits, '_' and '-', at most 64, beginning with one of the first"
        )
    if not NUMBER.fullmatch(given):
        raise NotFound(kind="experiment", name=given, hint="Ids of experiments are numbers.")
    return int(given)


def check_run_id(given: str) -> str:
    """Raises ParameterInvalid."""
    if not RUN_ID.fullmatch(given):
        raise invalid("run_id", given, "letters, digits, '_' and '-', beginning with one of the first two")
    return given


def experiment_name(sheet: Sheet) -> str:
    """How an experiment is shown: those of other projects with their project before them."""
    if sheet.number == FIRST and sheet.name == DEFAULT:
        return FIRST_NAME
    return sheet.name if sheet.project == DEFAULT else f"{sheet.project}/{sheet.name}"


def experiment_location(sheet: Sheet) -> str:
    """The label that its client gave it, or the server's own place. Its runs' files are in the latter either way."""
    return sheet.location or f"{SCHEME}{sheet.number}"


def run_location(sheet: RunSheet) -> str:
    return sheet.location or f"{SCHEME}{sheet.experiment}/{sheet.id}/artifacts"


def check_location(location: str, stores: Collection[str]) -> str:
    """A location that a client gave: within one of the stores that an admin allowed, or a name that leads nowhere.

    Raises ParameterInvalid for what would be a place of the client's choosing.
    """
    step = location.find("/", len("s3://"))
    is_allowed = any(location.startswith(f"{store}/") for store in stores)
    if len(location) <= LONGEST_NAME and LABEL.fullmatch(location[step + 1 :] if is_allowed else location):
        return location
    expected = "nothing, since the server chooses places, a plain relative name, or a place in a store that is allowed"
    raise invalid("artifact_location", location, expected)


def moment(milliseconds: int, field: str) -> datetime:
    """Raises ParameterInvalid for what no calendar has."""
    if not 0 <= milliseconds <= LAST_MS:
        raise invalid(field, milliseconds, f"milliseconds since 1970, at most {LAST_MS}")
    return EPOCH + milliseconds * MILLISECOND


def in_ms(at: datetime) -> int:
    return (at - EPOCH) // MILLISECOND


def check_key(key: str, field: str) -> str:
    """The name of a metric, parameter or tag. Raises ParameterInvalid for what MLflow does not take, either."""
    steps = key.split("/")
    if not KEY.fullmatch(key) or key != key.strip() or "" in steps or "." in steps or ".." in steps:
        signs = "at most 250 letters, digits, '_', '-', '.', ':', ' ' and '/'"
        expected = f"{signs}, without blanks at its ends, and no step of it empty, '.' or '..'"
        raise invalid(field, key, expected)
    return key
