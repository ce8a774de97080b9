"""The CLI of runs."""

from __future__ import annotations

import sys
import time
from argparse import Namespace
from typing import TYPE_CHECKING

from taxiway.kernel.commands import Argument, Command, count
from taxiway.runs.again.sameness import TOLERANCE, Reproduction
from taxiway.runs.again.verdicts import EXIT_CODES, show_reproduction
from taxiway.runs.contract import Artifact, Comparison, Experiment, Point, Run
from taxiway.runs.sending.sync import Synced
from taxiway.runs.showing.markdown import comparison_markdown
from taxiway.runs.showing.shown import show_comparison, show_runs, show_synced
from taxiway.runs.trash import trash_commands

if TYPE_CHECKING:
    from taxiway.client import Client

WATCH_S = 5.0
RUN = Argument("run", "the run's id")
PROJECT = Argument("--project", "only of this project", default="")


def list_(client: Client, given: Namespace) -> list[Run] | str:
    found = client.runs.list(
        given.filter, project=given.project, experiment=given.experiment, order=given.order, limit=given.limit
    )
    return "\n".join(run.id for run in found) if given.ids else found


def experiments(client: Client, given: Namespace) -> list[Experiment]:
    return client.runs.experiments(given.project)


def show(client: Client, given: Namespace) -> Run:
    return client.runs.show(given.run)


def compare(client: Client, given: Namespace) -> Comparison | str:
    found = client.runs.compare(*given.run)
    return comparison_markdown(found) if given.format == "markdown" else found


def metrics(client: Client, given: Namespace) -> list[Point]:
    return client.runs.metric(given.run, given.metric)


def artifacts(client: Client, given: Namespace) -> list[Artifact]:
    return client.runs.artifacts(given.run)


def download(client: Client, given: Namespace) -> str:
    return str(client.runs.download(given.run, given.path, given.to))


def tag(client: Client, given: Namespace) -> Run:
    return client.runs.change(given.run, name=given.name, tags=dict(given.tags))


def reproduce(client: Client, given: Namespace) -> Reproduction:
    return client.runs.reproduce(
        given.run,
        tolerance=given.tolerance,
        ignored=given.ignore,
        environment=given.env,
        keep=given.keep,
        tell=lambda words: print(f"taxiway: {words}", file=sys.stderr, flush=True),
    )


def reproductions(client: Client, given: Namespace) -> list[Reproduction]:
    return client.runs.reproductions(given.run)


def share(text: str) -> float:
    """A number from 0 to 1; argparse shows the complaint."""
    value = float(text)
    if not 0 <= value <= 1:
        raise ValueError(f"{text} is no number from 0 to 1")
    return value


def sync(client: Client, given: Namespace) -> list[Synced]:
    found = client.runs.sync()
    said = ""
    while given.watch:
        if found and (text := show_synced(found)) != said:
            print(text, flush=True)
            said = text
        time.sleep(WATCH_S)
        found = client.runs.sync()
    return found


def is_left(found: list[Synced]) -> int:
    return 1 if any(one.waiting or one.problem for one in found) else 0


def pair(text: str) -> tuple[str, str]:
    """``name=text`` as a pair; argparse shows the complaint."""
    name, equals, value = text.partition("=")
    if not equals or not name:
        raise ValueError(f"{text!r} is no name=text")
    return name, value


COMMANDS = (
    Command(
        "list",
        "find runs",
        list_,
        (
            Argument(
                "filter", "such as 'metrics.auc > 0.8 and params.model = \"logistic\"'", default="", is_optional=True
            ),
            PROJECT,
            Argument("--experiment", "only of this experiment", default=""),
            Argument("--order", "such as 'metrics.auc desc'", default="started_at desc"),
            Argument("--limit", "how many at most", count, 50),
            Argument("--ids", "print the ids alone, one on a line", is_flag=True),
        ),
        show=lambda found: found if isinstance(found, str) else show_runs(found),
    ),
    Command("show", "a run: parameters, metrics, code, environment", show, (RUN,)),
    Command(
        "compare",
        "what differs between runs",
        compare,
        (
            Argument("run", "the runs' ids, two to a hundred", is_many=True),
            Argument("--format", "markdown is for pull requests", default="text", choices=("text", "markdown")),
        ),
        show=lambda found: found if isinstance(found, str) else show_comparison(found),
    ),
    Command(
        "metrics",
        "every point of a metric",
        metrics,
        (RUN, Argument("metric", "the metric's name")),
        columns=("step", "value", "at"),
    ),
    Command(
        "artifacts",
        "the files that a run left behind",
        artifacts,
        (RUN,),
        columns=("path", "size_bytes", "media_type", "digest"),
    ),
    Command(
        "download",
        "write an artifact to a file",
        download,
        (
            RUN,
            Argument("path", "the artifact's path"),
            Argument("--to", "a file or a folder", default=".", is_file=True),
        ),
    ),
    Command(
        "reproduce",
        "do a run again and compare; exits 0 where it is the same, 1 where it differs, 3 where it cannot be done",
        reproduce,
        (
            RUN,
            Argument("--tolerance", "the largest difference that counts as the same", share, TOLERANCE),
            Argument("--ignore", "metrics that do not count, such as '*_s'", is_many=True, default=()),
            Argument(
                "--env",
                "the run's packages made anew by uv, or those there are",
                default="rebuild",
                choices=("rebuild", "current"),
            ),
            Argument("--keep", "leave the folder that it ran in", is_flag=True),
        ),
        show=show_reproduction,
        exit_code=lambda found: EXIT_CODES[found.verdict],
    ),
    Command(
        "reproductions",
        "how a run was done again",
        reproductions,
        (RUN,),
        columns=("verdict", "tolerance", "again", "by", "at", "because"),
    ),
    Command(
        "tag",
        "name or tag a run",
        tag,
        (
            RUN,
            Argument("tags", "name=text", pair, is_many=True, is_optional=True, default=()),
            Argument("--name", "a new name for the run"),
        ),
    ),
    Command(
        "sync",
        "deliver what processes that are gone logged while the server was away",
        sync,
        (Argument("--watch", f"go on, every {WATCH_S:g} seconds", is_flag=True),),
        show=show_synced,
        exit_code=is_left,
    ),
    Command("experiments", "the experiments, and how many runs they hold", experiments, (PROJECT,)),
    *trash_commands.COMMANDS,
)
