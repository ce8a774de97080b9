"""The CLI of the trash, and of notes."""

from __future__ import annotations

import sys
from argparse import Namespace
from typing import TYPE_CHECKING

from taxiway.kernel.commands import Argument, Command, count
from taxiway.runs.contract import Run
from taxiway.runs.showing.shown import show_runs
from taxiway.runs.trash.trashed import Trashed

if TYPE_CHECKING:
    from taxiway.client import Client

RUNS = Argument("run", "the runs' ids", is_many=True)
EXPERIMENT = (Argument("project", "its project"), Argument("experiment", "its name"))


def delete(client: Client, given: Namespace) -> list[Run]:
    return [client.runs.delete(run) for run in given.run]


def restore(client: Client, given: Namespace) -> list[Run]:
    return [client.runs.restore(run) for run in given.run]


def trash(client: Client, given: Namespace) -> list[Run]:
    return client.runs.list(given.filter, project=given.project, limit=given.limit, deleted=True)


def delete_experiment(client: Client, given: Namespace) -> Trashed:
    return client.runs.delete_experiment(given.project, given.experiment)


def restore_experiment(client: Client, given: Namespace) -> Trashed:
    return client.runs.restore_experiment(given.project, given.experiment)


def note(client: Client, given: Namespace) -> str:
    """Writes a note, or shows the one there is."""
    if given.text is None:
        return client.runs.show(given.run).tags.get("mlflow.note.content", "")
    text = sys.stdin.read() if given.text == "-" else given.text
    client.runs.note(given.run, text)
    return ""


COMMANDS = (
    Command("delete", "put runs into the trash", delete, (RUNS,), show=show_runs),
    Command("restore", "take runs out of the trash", restore, (RUNS,), show=show_runs),
    Command(
        "trash",
        "what is in the trash; `taxiway gc` frees it",
        trash,
        (
            Argument("filter", "as for `runs list`", default="", is_optional=True),
            Argument("--project", "only of this project", default=""),
            Argument("--limit", "how many at most", count, 50),
        ),
        show=show_runs,
    ),
    Command("delete-experiment", "put an experiment and its runs into the trash", delete_experiment, EXPERIMENT),
    Command(
        "restore-experiment", "take an experiment and all its runs out of the trash", restore_experiment, EXPERIMENT
    ),
    Command(
        "note",
        "write a run's note in Markdown, or show it",
        note,
        (
            Argument("run", "the run's id"),
            Argument("text", "the note; - reads it from the input, nothing shows it", default=None, is_optional=True),
        ),
        show=str,
    ),
)
