"""The CLI of runs."""

from __future__ import annotations

from argparse import Namespace
from typing import TYPE_CHECKING

from taxiway.kernel.commands import Argument, Command
from taxiway.runs.contract import Artifact, Comparison, Experiment, Point, Run
from taxiway.runs.shown import show_comparison, show_runs

if TYPE_CHECKING:
    from taxiway.client import Client

RUN = Argument("run", "the run's id")
PROJECT = Argument("--project", "only of this project", default="")


def list_(client: Client, given: Namespace) -> list[Run]:
    return client.runs.list(
        given.filter, project=given.project, experiment=given.experiment, order=given.order, limit=given.limit
    )


def experiments(client: Client, given: Namespace) -> list[Experiment]:
    return client.runs.experiments(given.project)


def show(client: Client, given: Namespace) -> Run:
    return client.runs.show(given.run)


def compare(client: Client, given: Namespace) -> Comparison:
    return client.runs.compare(*given.run)


def metrics(client: Client, given: Namespace) -> list[Point]:
    return client.runs.metric(given.run, given.metric)


def artifacts(client: Client, given: Namespace) -> list[Artifact]:
    return client.runs.artifacts(given.run)


def download(client: Client, given: Namespace) -> str:
    return str(client.runs.download(given.run, given.path, given.to))


def tag(client: Client, given: Namespace) -> Run:
    return client.runs.change(given.run, name=given.name, tags=dict(given.tags))


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
            Argument("--limit", "how many at most", int, 50),
        ),
        show=show_runs,
    ),
    Command("show", "a run: parameters, metrics, code, environment", show, (RUN,)),
    Command(
        "compare",
        "what differs between runs",
        compare,
        (Argument("run", "the runs' ids, two to twenty", is_many=True),),
        show=show_comparison,
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
        "tag",
        "name or tag a run",
        tag,
        (
            RUN,
            Argument("tags", "name=text", pair, is_many=True, default=()),
            Argument("--name", "a new name for the run"),
        ),
    ),
    Command("experiments", "the experiments, and how many runs they hold", experiments, (PROJECT,)),
)
